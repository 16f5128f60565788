import { expect, it } from 'vitest';
import type { Checkpoint } from '../../src/index.ts';
import { SessionCipher } from '../../src/stores/encrypted/cipher.ts';
import { checkpoint, record } from './support/records.ts';

const cipher = new SessionCipher('session-1', [{ id: '2025', secret: new Uint8Array(32).fill(1) }]);

/** A record and its checkpoint as this format was first written. */
const RECORD = {
  v: 2,
  type: 'sealed',
  life: 'life-1',
  key: '2025',
  data:
    'F0xLBzp5PQq6lUTHEWr3nWDkCObopUFlOevXlnSvlogcYMNPkOFo6sV4GPsLKcPugCgX0JKEM_QP6Z0i4eECyLa_Vyw6p46XS2VwGiH7rdDtmuG2Jnp0N42n' +
    'Yo0StPsBMtUQLxIyPqHmf11a692AhrSGiDEqubh0BY6vYioB4rfiMx0QitKlXrsevGX4q36NwYWRdQfArsVpgX3dV85-BbRbGkW3jNyv51ckHhT060EnoUctTgXX' +
    'd4RsMv3H91En4ijZtAIPKjuGLr7NKV_DawedIsx4Q3xug8g4',
};
const CHECKPOINT: Checkpoint = {
  format: 3,
  version: 1,
  length: 1,
  digest:
    'sealed.LJFgkoJgDqnghH2sMrJIj_txxP3vEJAjuOmjcKiV44bDpLcvK8pkGfpOuW5eN95E2j-GpG9YHZRovrFUN_mAjA-XcSUbXAR1olCbrvL' +
    'eUXG6sdkAhyXPwb3MCrisYLi_vk9VaTJBdBGVCkwEjSANWvaXNmtqqxL3o_DAqUm3AMaSeJyjNXGqTG06ym_NO0sna1aJ6ebOtXLj5z76abtan' +
    '7sihWcFzvv9yQATwL2hI3v-.2025',
};

it('a record and a checkpoint of an earlier process are opened', () => {
  expect(cipher.openRecord(RECORD, 0)).toEqual({ life: 'life-1', value: record('one') });
  expect(cipher.openCheckpoint(CHECKPOINT)).toEqual({ life: 'life-1', value: checkpoint(1) });
});

it.each<[string, () => unknown, string]>([
  ['a newer format', () => cipher.openRecord({ ...RECORD, v: 3 }, 0), 'reads up to 2; update'],
  [
    'a changed text',
    () => cipher.openRecord({ ...RECORD, data: `A${RECORD.data}` }, 0),
    "key '2025' does not open it",
  ],
  [
    'a shorter text',
    () => cipher.openRecord({ ...RECORD, data: RECORD.data.slice(0, 24) }, 0),
    "key '2025' does not open it",
  ],
  ['an unknown key', () => cipher.openRecord({ ...RECORD, key: '2024' }, 0), '2024'],
  ['no encryption', () => cipher.openRecord(record('one'), 0), 'it was stored without encryption'],
  ['no envelope', () => cipher.openRecord(null, 0), 'it was stored without encryption'],
  ['a plain checkpoint', () => cipher.openCheckpoint(checkpoint(1)), 'it was stored without encryption'],
  [
    'another beginning of a checkpoint',
    () => cipher.openCheckpoint({ ...CHECKPOINT, digest: `un${CHECKPOINT.digest}` }),
    'it was stored without encryption',
  ],
])('the error for %s names the reason', (_what, open, reason) => {
  expect(open).toThrow(reason);
});

it('the error for records without their checkpoint names the reason', () => {
  expect(cipher.rolledBack().message).toContain('one of the two was restored or is missing');
});
