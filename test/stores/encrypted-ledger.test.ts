import { describe, expect, it } from 'vitest';
import { memoryLedger, type Checkpoint, type LedgerRecord, type LedgerStore } from '../../src/index.ts';
import { parseRecord } from '../../src/ledger/record.ts';
import { encryptedLedger } from '../../src/stores/encrypted/ledger.ts';
import type { LedgerKey } from '../../src/stores/encrypted/cipher.ts';
import { checkpoint, record } from './support/records.ts';

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
  await store.append('session-1', [record('one'), record('two')], checkpoint(2), 0);
  return { inner, store };
}

interface Kept {
  records: LedgerRecord[];
  checkpoint: Checkpoint;
}

/** The same pair after somebody changed what the inner store keeps. */
async function tampered(change: (kept: Kept) => void, session = 'session-1'): Promise<LedgerStore> {
  const { inner } = await filled();
  const { records } = await inner.read('session-1');
  const kept: Kept = { records: [...records], checkpoint: present(await inner.checkpoint('session-1')) };
  change(kept);
  const changed = memoryLedger();
  await changed.append(session, kept.records, kept.checkpoint, 0);
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
  code: 'ledger_unreadable',
  reason: 'not_authentic',
  sessionId: 'session-1',
  keyId: '2025',
};

describe('encryptedLedger', () => {
  it('an encrypted ledger gives back what was appended', async () => {
    const { store } = await filled();
    expect(await store.read('session-1')).toEqual({ records: [record('one'), record('two')] });
    expect(await store.read('session-1', 1)).toEqual({ records: [record('two')] });
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
  });

  it('an encrypted ledger shows the inner store neither content nor kinds nor digests nor IDs of items and responses', async () => {
    const { inner } = await filled();
    const kept = JSON.stringify([await inner.read('session-1'), await inner.checkpoint('session-1')]);
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
    expect(await inner.checkpoint('session-1')).toEqual({
      format: 3,
      version: 2,
      length: 2,
      digest: expect.stringMatching(/^sealed\.[\w-]+\.2025$/),
    });
  });

  it('an encrypted ledger encrypts the same record differently each time', async () => {
    const { inner, store } = await filled();
    await store.append('session-1', [record('one'), record('one')], checkpoint(4), 2);
    const texts = (await inner.read('session-1')).records.map((kept) => JSON.stringify(kept));
    expect(new Set(texts).size).toBe(4);
  });

  it('an encrypted ledger passes a conflict on', async () => {
    const { store } = await filled();
    await expect(store.append('session-1', [record('x')], checkpoint(2), 1)).rejects.toMatchObject({
      code: 'ledger_conflict',
      expected: 1,
      actual: 2,
    });
  });

  it('an encrypted ledger encrypts with the first key and decrypts with all', async () => {
    const { inner } = await filled([OLD]);
    const rotated = encryptedLedger(inner, { keys: [NEW, OLD] });
    await rotated.append('session-1', [record('three')], checkpoint(3), 2);
    expect((await rotated.read('session-1')).records).toEqual(['one', 'two', 'three'].map(record));
    const later = encryptedLedger(inner, { keys: [NEW] });
    expect(await later.read('session-1', 2)).toEqual({ records: [record('three')] });
    expect(await later.checkpoint('session-1')).toEqual(checkpoint(3));
    await expect(later.read('session-1')).rejects.toMatchObject({
      code: 'ledger_unreadable',
      reason: 'unknown_key',
      sessionId: 'session-1',
      position: 0,
      keyId: '2025',
    });
  });

  it('an encrypted ledger does not open with another secret', async () => {
    const { inner } = await filled();
    const store = encryptedLedger(inner, { keys: [key('2025', 9)] });
    await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 0 });
    await expect(store.checkpoint('session-1')).rejects.toMatchObject({
      ...notAuthentic,
      position: undefined,
    });
  });

  it('an encrypted ledger keeps its own copy of the secrets', async () => {
    const secret = new Uint8Array(32).fill(1);
    const store = encryptedLedger(memoryLedger(), { keys: [{ id: '2025', secret }] });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    secret.fill(0);
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(1));
  });

  it('an encrypted ledger notices any changed character of a record', async () => {
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
  ] as const)('an encrypted ledger notices that a record is %s', async ([, change]) => {
    const store = await tampered(({ records }) => {
      const data = change(String(Reflect.get(present(records[0]), 'data')));
      records[0] = withField(records[0], { data });
    });
    await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 0 });
  });

  it('an encrypted ledger notices that records changed places', async () => {
    const store = await tampered((kept) => {
      kept.records = kept.records.toReversed();
    });
    await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 0 });
  });

  it('an encrypted ledger notices that a record was taken out', async () => {
    const store = await tampered((kept) => {
      kept.records = kept.records.slice(1);
    });
    await expect(store.read('session-1')).rejects.toMatchObject({ ...notAuthentic, position: 0 });
  });

  it('an encrypted ledger notices that a session was copied to another ID', async () => {
    const store = await tampered(() => undefined, 'session-2');
    await expect(store.read('session-2')).rejects.toMatchObject({ ...notAuthentic, sessionId: 'session-2' });
    await expect(store.checkpoint('session-2')).rejects.toMatchObject({
      ...notAuthentic,
      sessionId: 'session-2',
    });
  });

  it.for([{ version: 3 }, { length: 1 }])(
    'an encrypted ledger notices a checkpoint changed to %o',
    async (change) => {
      const store = await tampered((kept) => {
        kept.checkpoint = { ...kept.checkpoint, ...change };
      });
      await expect(store.checkpoint('session-1')).rejects.toMatchObject({
        ...notAuthentic,
        position: undefined,
      });
    },
  );

  it('an encrypted ledger believes nothing that was stored without encryption', async () => {
    const inner = memoryLedger();
    await inner.append('session-1', [record('one')], checkpoint(1), 0);
    const store = encryptedLedger(inner, { keys: [OLD] });
    const plain = { code: 'ledger_unreadable', reason: 'not_encrypted', sessionId: 'session-1' };
    await expect(store.read('session-1')).rejects.toMatchObject({ ...plain, position: 0 });
    await expect(store.checkpoint('session-1')).rejects.toMatchObject(plain);
  });

  it('an encrypted ledger read without keys is not mistaken for an empty session', async () => {
    const { inner } = await filled();
    const [first] = (await inner.read('session-1')).records;
    expect(() => parseRecord(first, 'session-1', 0)).toThrow(
      expect.objectContaining({ code: 'ledger_unreadable' }),
    );
  });

  it('an encrypted ledger leaves alone what a newer version of this package has encrypted', async () => {
    const store = await tampered(({ records }) => {
      records[1] = withField(records[1], { v: 3 });
    });
    await expect(store.read('session-1')).rejects.toMatchObject({
      code: 'ledger_unreadable',
      reason: 'newer_format',
      position: 1,
    });
  });

  it('an encrypted ledger tells no secret in its errors', async () => {
    const secret = new TextEncoder().encode('a secret that must not be told!!');
    const inner = memoryLedger();
    const store = encryptedLedger(inner, { keys: [{ id: '2025', secret }] });
    await store.append('session-1', [record('quiet words')], checkpoint(1), 0);
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

  it('an encrypted ledger reads a rewritten log from where it begins', async () => {
    const { inner, store } = await filled();
    await store.rewrite('session-1', [record('three'), record('four')], checkpoint(5), 2);
    expect(await store.read('session-1')).toEqual({ start: 3, records: [record('three'), record('four')] });
    expect(await store.read('session-1', 4)).toEqual({ records: [record('four')] });
    expect(JSON.stringify(await inner.read('session-1'))).not.toContain('three');
  });

  it('an encrypted ledger deletes in the inner store', async () => {
    const { inner, store } = await filled();
    await store.delete('session-1');
    expect(await inner.checkpoint('session-1')).toBeUndefined();
    expect(await store.checkpoint('session-1')).toBeUndefined();
    expect(await store.read('session-1')).toEqual({ records: [] });
  });

  it.for([
    [[], 'keys'],
    [[{ id: '', secret: OLD.secret }], 'keys.0.id'],
    [[{ id: 'a', secret: new Uint8Array(31) }], 'keys.0.secret'],
    [[OLD, { id: 'a', secret: 'x'.repeat(32) }], 'keys.1.secret'],
    [[OLD, NEW, OLD], 'keys'],
  ] as const)('an encrypted ledger refuses the keys %o', ([keys, option]) => {
    expect(() => encryptedLedger(memoryLedger(), { keys: keys as readonly LedgerKey[] })).toThrow(
      expect.objectContaining({ code: 'invalid_options', option }),
    );
  });
});

/** A ledger of three appends, whose records come one read after the other. */
async function lagging(lengths: readonly number[]): Promise<LedgerStore> {
  const { inner, store } = await filled();
  await store.append('session-1', [record('three')], checkpoint(3), 2);
  let reads = 0;
  const late: LedgerStore = {
    ...inner,
    async read(...args) {
      const page = await inner.read(...args);
      const length = lengths[Math.min(reads, lengths.length - 1)];
      reads += 1;
      return { ...page, records: page.records.slice(0, length) };
    },
  };
  return encryptedLedger(late, { keys: [OLD] });
}

describe('an encrypted ledger whose store lags behind itself', () => {
  it('records that still grow are read again', async () => {
    const store = await lagging([1, 2, 3]);
    expect((await store.read('session-1')).records).toHaveLength(3);
  });

  it('records that grow for ever are given up', async () => {
    const store = await lagging([1, 2]);
    const grown = await lagging(Array.from({ length: 300 }, (_, index) => (index % 2) + 1));
    await expect(grown.read('session-1')).rejects.toMatchObject({ reason: 'rolled_back' });
    await expect(store.read('session-1')).rejects.toMatchObject({ reason: 'rolled_back' });
  });

  it('records of a session that was begun again meanwhile are read again, however many there are', async () => {
    const lives = await Promise.all([filled(), filled(), filled()]);
    let reads = 0;
    const moving: LedgerStore = {
      ...present(lives[0]).inner,
      read: async (...args) => present(lives[reads]).inner.read(...args),
      async checkpoint(sessionId) {
        reads = Math.min(reads + 1, 2);
        return present(lives[reads]).inner.checkpoint(sessionId);
      },
    };
    const { records } = await encryptedLedger(moving, { keys: [OLD] }).read('session-1');
    expect(records).toEqual([record('one'), record('two')]);
  });

  it('a rewritten log without its checkpoint is refused', async () => {
    const inner = memoryLedger();
    const rewritten: LedgerStore = { ...inner, read: async () => ({ start: 3, records: [] }) };
    await expect(encryptedLedger(rewritten, { keys: [OLD] }).read('session-1')).rejects.toMatchObject({
      reason: 'rolled_back',
    });
  });

  it('records that stay behind their checkpoint are refused, although they would grow later', async () => {
    const store = await lagging([1, 2, 2, 3]);
    await expect(store.read('session-1')).rejects.toMatchObject({ reason: 'rolled_back' });
  });
});

it.each<[string, unknown]>([
  ['must be bytes', [{ id: '2025', secret: 'a text of more than thirty-two characters' }]],
  ['must have at least 32 random bytes', [{ id: '2025', secret: new Uint8Array(31) }]],
  ['must not be empty', [{ id: '', secret: new Uint8Array(32) }]],
  ['must hold at least one key', []],
  ['two of them have the same ID', [OLD, OLD]],
])('keys of an encrypted ledger are refused with the reason: %s', (reason, keys) => {
  expect(() => encryptedLedger(memoryLedger(), { keys: keys as LedgerKey[] })).toThrow(reason);
});
