import { describe, expect, it } from 'vitest';
import { memoryLedger, type LedgerHead, type LedgerRecord, type LedgerStore } from '../../src/index.ts';
import { parseRecord } from '../../src/ledger/ledger-record.ts';
import { encryptedLedger } from '../../src/stores/encrypted-ledger.ts';
import type { LedgerKey } from '../../src/stores/sealed-box.ts';
import { head, record } from './support/records.ts';

const key = (id: string, byte: number): LedgerKey => ({ id, secret: new Uint8Array(32).fill(byte) });
const OLD = key('2025', 1);
const NEW = key('2026', 2);

interface Pair {
  readonly inner: LedgerStore;
  readonly store: LedgerStore;
}

/** Two records in a session, encrypted. */
async function filled(keys: readonly LedgerKey[] = [OLD]): Promise<Pair> {
  const inner = memoryLedger();
  const store = encryptedLedger(inner, { keys });
  await store.append('session-1', [record('one'), record('two')], head(2), 0);
  return { inner, store };
}

interface Kept {
  records: LedgerRecord[];
  head: LedgerHead;
}

/** The same pair after somebody changed what the inner store keeps. */
async function tampered(change: (kept: Kept) => void, session = 'session-1'): Promise<LedgerStore> {
  const { inner } = await filled();
  const { records } = await inner.read('session-1');
  const kept: Kept = { records: [...records], head: present(await inner.head('session-1')) };
  change(kept);
  const changed = memoryLedger();
  await changed.append(session, kept.records, kept.head, 0);
  return encryptedLedger(changed, { keys: [OLD] });
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('It is absent');
  return value;
}

/** An envelope with other fields than the type of a record has. */
function withField(envelope: LedgerRecord | undefined, field: object): LedgerRecord {
  return { ...present(envelope), ...field };
}

const notAuthentic = {
  code: 'ledger_decryption',
  reason: 'not-authentic',
  sessionId: 'session-1',
  keyId: '2025',
};

describe('encryptedLedger', () => {
  it('gives back what was appended', async () => {
    const { store } = await filled();
    expect(await store.read('session-1')).toEqual({ records: [record('one'), record('two')] });
    expect(await store.read('session-1', 1)).toEqual({ records: [record('two')] });
    expect(await store.head('session-1')).toEqual(head(2));
  });

  it('shows the inner store neither content nor kinds nor digests nor IDs of items and responses', async () => {
    const { inner } = await filled();
    const kept = JSON.stringify([await inner.read('session-1'), await inner.head('session-1')]);
    for (const hidden of [
      'one',
      'two',
      'message',
      'user',
      'digest of',
      'digest 2',
      'msg_',
      'resp_',
      'commit',
    ]) {
      expect(kept.replaceAll(/"digest":"|"data":"[^"]*/g, '')).not.toContain(hidden);
    }
    expect(await inner.head('session-1')).toEqual({
      format: 1,
      version: 2,
      length: 2,
      digest: expect.stringMatching(/^sealed\.[\w-]+\.2025$/),
    });
  });

  it('encrypts the same record differently each time', async () => {
    const { inner, store } = await filled();
    await store.append('session-1', [record('one'), record('one')], head(4), 2);
    const texts = (await inner.read('session-1')).records.map((kept) => JSON.stringify(kept));
    expect(new Set(texts).size).toBe(4);
  });

  it('passes a conflict on', async () => {
    const { store } = await filled();
    await expect(store.append('session-1', [record('x')], head(2), 1)).rejects.toMatchObject({
      code: 'ledger_conflict',
      expected: 1,
      actual: 2,
    });
  });

  it('encrypts with the first key and decrypts with all', async () => {
    const { inner } = await filled([OLD]);
    const rotated = encryptedLedger(inner, { keys: [NEW, OLD] });
    await rotated.append('session-1', [record('three')], head(3), 2);
    expect((await rotated.read('session-1')).records).toEqual(['one', 'two', 'three'].map(record));
    const later = encryptedLedger(inner, { keys: [NEW] });
    expect(await later.read('session-1', 2)).toEqual({ records: [record('three')] });
    expect(await later.head('session-1')).toEqual(head(3));
    await expect(later.read('session-1')).rejects.toMatchObject({
      code: 'ledger_decryption',
      reason: 'unknown-key',
      sessionId: 'session-1',
      position: 0,
      keyId: '2025',
    });
  });

  it('does not open with another secret', async () => {
    const { inner } = await filled();
    const store = encryptedLedger(inner, { keys: [key('2025', 9)] });
    await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 0 });
    await expect(store.head('session-1')).rejects.toMatchObject({ ...notAuthentic, position: undefined });
  });

  it('keeps its own copy of the secrets', async () => {
    const secret = new Uint8Array(32).fill(1);
    const store = encryptedLedger(memoryLedger(), { keys: [{ id: '2025', secret }] });
    await store.append('session-1', [record('one')], head(1), 0);
    secret.fill(0);
    expect(await store.head('session-1')).toEqual(head(1));
  });

  it('notices any changed character of a record', async () => {
    const { inner } = await filled();
    const [first] = (await inner.read('session-1')).records;
    const data = String(Reflect.get(present(first), 'data'));
    for (const at of [0, 15, 16, 37, 38, 50, data.length - 2]) {
      const store = await tampered(({ records }) => {
        const original = String(Reflect.get(present(records[1]), 'data'));
        const changed = `${original.slice(0, at)}${original[at] === 'A' ? 'B' : 'A'}${original.slice(at + 1)}`;
        records[1] = withField(records[1], { data: changed });
      });
      await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 1 });
    }
  });

  it.for([
    ['cut', (data: string) => data.slice(0, 30)],
    ['emptied', () => ''],
    ['not text', () => 17],
  ] as const)('notices that a record is %s', async ([, change]) => {
    const store = await tampered(({ records }) => {
      const data = change(String(Reflect.get(present(records[0]), 'data')));
      records[0] = withField(records[0], { data });
    });
    await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 0 });
  });

  it('notices that records changed places', async () => {
    const store = await tampered((kept) => {
      kept.records = kept.records.toReversed();
    });
    await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 0 });
  });

  it('notices that a record was taken out', async () => {
    const store = await tampered((kept) => {
      kept.records = kept.records.slice(1);
    });
    await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 0 });
  });

  it('notices that a session was copied to another ID', async () => {
    const store = await tampered(() => undefined, 'session-2');
    await expect(store.read('session-2')).rejects.toMatchObject({ ...notAuthentic, sessionId: 'session-2' });
    await expect(store.head('session-2')).rejects.toMatchObject({ ...notAuthentic, sessionId: 'session-2' });
  });

  it.for([{ version: 3 }, { length: 1 }])('notices a head changed to %o', async (change) => {
    const store = await tampered((kept) => {
      kept.head = { ...kept.head, ...change };
    });
    await expect(store.head('session-1')).rejects.toMatchObject({ ...notAuthentic, position: undefined });
  });

  it('believes nothing that was stored without encryption', async () => {
    const inner = memoryLedger();
    await inner.append('session-1', [record('one')], head(1), 0);
    const store = encryptedLedger(inner, { keys: [OLD] });
    const plain = { code: 'ledger_decryption', reason: 'not-encrypted', sessionId: 'session-1' };
    await expect(store.read('session-1')).rejects.toMatchObject({ ...plain, position: 0 });
    await expect(store.head('session-1')).rejects.toMatchObject(plain);
  });

  it('is not mistaken for an empty session when it is read without keys', async () => {
    const { inner } = await filled();
    const [first] = (await inner.read('session-1')).records;
    expect(() => parseRecord(first, 'session-1', 0)).toThrow(
      expect.objectContaining({ code: 'ledger_record' }),
    );
  });

  it('leaves alone what a newer version of this package has encrypted', async () => {
    const store = await tampered(({ records }) => {
      records[1] = withField(records[1], { v: 2 });
    });
    await expect(store.read('session-1')).rejects.toMatchObject({
      code: 'ledger_record',
      reason: 'newer-format',
      position: 1,
    });
  });

  it('tells no secret in its errors', async () => {
    const secret = new TextEncoder().encode('a secret that must not be told!!');
    const inner = memoryLedger();
    const store = encryptedLedger(inner, { keys: [{ id: '2025', secret }] });
    await store.append('session-1', [record('quiet words')], head(1), 0);
    const errors = await Promise.all(
      [[OLD], [NEW]].map(async (keys) =>
        encryptedLedger(inner, { keys })
          .read('session-1')
          .catch((error: unknown) => error),
      ),
    );
    for (const error of errors) {
      expect(error).toBeInstanceOf(Error);
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/a secret|quiet/);
    }
  });

  it('reads the end of a session whose beginning is no longer kept', async () => {
    const { inner, store } = await filled();
    await store.append('session-1', [record('three')], head(3), 2);
    const base = present(await (await filled()).inner.head('session-1'));
    const newest: LedgerStore = {
      ...inner,
      read: async (sessionId) => ({ base, records: (await inner.read(sessionId, 2)).records }),
    };
    expect(await encryptedLedger(newest, { keys: [OLD] }).read('session-1')).toEqual({
      base: head(2),
      records: [record('three')],
    });
  });

  it('deletes in the inner store', async () => {
    const { inner, store } = await filled();
    await store.delete('session-1');
    expect(await inner.head('session-1')).toBeUndefined();
    expect(await store.head('session-1')).toBeUndefined();
    expect(await store.read('session-1')).toEqual({ records: [] });
  });

  it.for([
    [[], 'keys'],
    [[{ id: '', secret: OLD.secret }], 'keys.0.id'],
    [[{ id: 'a', secret: new Uint8Array(31) }], 'keys.0.secret'],
    [[OLD, { id: 'a', secret: 'x'.repeat(32) }], 'keys.1.secret'],
    [[OLD, NEW, OLD], 'keys'],
  ] as const)('refuses the keys %o', ([keys, option]) => {
    expect(() => encryptedLedger(memoryLedger(), { keys: keys as readonly LedgerKey[] })).toThrow(
      expect.objectContaining({ code: 'invalid_options', option }),
    );
  });
});
