import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encryptedLedger,
  InvalidOptionsError,
  memoryLedger,
  scopedLedger,
  type LedgerStore,
} from '../../src/index.ts';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { sharedSyncState } from '../../src/mirror/shared-sync-state.ts';
import { storeInstanceId } from '../../src/ledger/commit-id.ts';

const HEAD = { format: 3, version: 1, length: 0, digest: EMPTY_DIGEST } as const;
const RECORD = { v: 3, type: 'clear', commit: 'c', time: 1 } as const;

const HOSTILE = [
  'a',
  'A',
  'a:b',
  'a:',
  ':',
  'a%3Ab',
  'a/b',
  '../a',
  'a\0',
  'ä',
  '𝕒',
  '\uD800',
  '~',
  "'",
  '*',
  ' a',
];
const LONG = ['x'.repeat(100), 'x'.repeat(101), 'x'.repeat(10_000), `${'x'.repeat(9999)}y`, 'ä'.repeat(100)];

/** A store that notes the keys it is asked for. */
function noting(): LedgerStore & { readonly keys: Set<string> } {
  const store = memoryLedger();
  const keys = new Set<string>();
  const noted = (key: string): string => {
    keys.add(key);
    return key;
  };
  return {
    keys,
    checkpoint: (key) => store.checkpoint(noted(key)),
    read: (key, ...range) => store.read(noted(key), ...range),
    append: (key, ...rest) => store.append(noted(key), ...rest),
    rewrite: (key, ...rest) => store.rewrite(noted(key), ...rest),
    delete: (key, ...rest) => store.delete(noted(key), ...rest),
  };
}

async function keyOf(scope: string, sessionId: string): Promise<string> {
  const store = noting();
  await scopedLedger(store, scope).checkpoint(sessionId);
  return [...store.keys][0] ?? '';
}

describe('scopedLedger', () => {
  it('a scoped ledger uses one key for each pair of scope and session: short printable ASCII, whatever both are', async () => {
    const texts = [...HOSTILE, ...LONG];
    const keys = new Map<string, string>();
    for (const scope of texts) {
      for (const sessionId of ['', ...texts]) {
        const key = await keyOf(scope, sessionId);
        expect(key).toMatch(/^scope:[\w.~%-]{1,100}:[\w.~%-]{0,100}$/);
        expect(keys.get(key)).toBeUndefined();
        keys.set(key, `${scope} ${sessionId}`);
      }
    }
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 200 })
      .filter((one) => one.trim() !== '');
    await fc.assert(
      fc.asyncProperty(text, text, text, text, async (scope, id, other, otherId) => {
        const isSame = scope === other && id === otherId;
        expect((await keyOf(scope, id)) === (await keyOf(other, otherId))).toBe(isSame);
      }),
    );
  });

  it('a part of a key is kept up to 100 characters, and its percent codes are those of a URL', async () => {
    expect(await keyOf('a'.repeat(100), 'x*y')).toBe(`scope:${'a'.repeat(100)}:x%2Ay`);
    expect(await keyOf('acme', 'a'.repeat(101))).toMatch(/^scope:acme:~[\da-f]{64}$/);
    expect(await keyOf('acme', 'ü'.repeat(16))).toMatch(/^scope:acme:(?:%C3%BC){16}$/);
    expect(await keyOf('acme', 'ü'.repeat(17))).toMatch(/^scope:acme:~[\da-f]{64}$/);
  });

  it('halves of two surrogate pairs are two sessions', async () => {
    expect(await keyOf('acme', '\uD800')).not.toBe(await keyOf('acme', '\uD801'));
  });

  it('a scoped ledger rewrites under the key of the scope', async () => {
    const store = noting();
    const scoped = scopedLedger(store, 'acme');
    await scoped.append('conv_1', [RECORD], HEAD, 0);
    await scoped.rewrite('conv_1', [RECORD], { ...HEAD, version: 3 }, 1);
    expect(await scoped.read('conv_1')).toEqual({ start: 2, records: [RECORD] });
    expect([...store.keys]).toEqual(['scope:acme:conv_1']);
  });

  it('a scoped ledger passes every method with the key of the scope, and nothing else', async () => {
    const store = noting();
    const scoped = scopedLedger(store, 'acme');
    await scoped.append('conv_1', [RECORD], HEAD, 0);
    expect(await scoped.checkpoint('conv_1')).toEqual(HEAD);
    expect((await scoped.read('conv_1', 0, 1)).records).toEqual([RECORD]);
    await expect(scoped.delete('conv_1', 2)).rejects.toMatchObject({ code: 'ledger_conflict' });
    await scoped.delete('conv_1', 1);
    expect(await scoped.checkpoint('conv_1')).toBeUndefined();
    expect([...store.keys]).toEqual(['scope:acme:conv_1']);
  });

  it('a scoped ledger keeps scopes apart from each other, from the whole, and from a scope of a scope', async () => {
    const store = memoryLedger();
    const others = [
      store,
      scopedLedger(store, 'other'),
      scopedLedger(store, 'ACME'),
      scopedLedger(scopedLedger(store, 'acme'), 'acme'),
    ];
    await scopedLedger(store, 'acme').append('conv_1', [RECORD], HEAD, 0);
    for (const other of others) {
      expect(await other.checkpoint('conv_1')).toBeUndefined();
      expect((await other.read('conv_1')).records).toEqual([]);
      await other.delete('conv_1');
    }
    expect(await scopedLedger(store, 'acme').checkpoint('conv_1')).toEqual(HEAD);
  });

  it('scopedLedger returns one object for the same ledger and scope', () => {
    const store = memoryLedger();
    const scoped = scopedLedger(store, 'acme');
    expect(scopedLedger(store, 'acme')).toBe(scoped);
    expect(sharedSyncState(scopedLedger(store, 'acme'), 'conv_1')).toBe(sharedSyncState(scoped, 'conv_1'));
    expect(storeInstanceId(scopedLedger(store, 'other'))).not.toBe(storeInstanceId(scoped));
    expect(sharedSyncState(scopedLedger(store, 'other'), 'conv_1')).not.toBe(
      sharedSyncState(scoped, 'conv_1'),
    );
    expect(scopedLedger(memoryLedger(), 'acme')).not.toBe(scoped);
  });

  it('a scoped ledger binds encrypted records to their scope', async () => {
    const inner = memoryLedger();
    const keys = [{ id: 'k', secret: new Uint8Array(32).fill(3) }];
    const store = encryptedLedger(inner, { keys });
    await scopedLedger(store, 'acme').append('conv_1', [RECORD], HEAD, 0);
    // Somebody who can write to the store copies one tenant's records to another's.
    const checkpoint = await inner.checkpoint('scope:acme:conv_1');
    const { records } = await inner.read('scope:acme:conv_1');
    if (checkpoint !== undefined) await inner.append('scope:other:conv_1', records, checkpoint, 0);
    await expect(scopedLedger(store, 'other').read('conv_1')).rejects.toMatchObject({
      code: 'ledger_unreadable',
    });
  });

  it.each([[''], [' '], ['\n\t'], [undefined], [42], [{}]])(
    'a scoped ledger refuses %j as a scope',
    (scope) => {
      expect(() => Reflect.apply(scopedLedger, undefined, [memoryLedger(), scope])).toThrow(
        InvalidOptionsError,
      );
    },
  );

  it('a scoped ledger refuses what is no ledger', () => {
    expect(() => Reflect.apply(scopedLedger, undefined, [{}, 'acme'])).toThrow(InvalidOptionsError);
  });
});

it.each(['', ' ', 7])('a scope that is no text or blank is refused, and named: %j', (scope) => {
  expect(() => scopedLedger(memoryLedger(), scope as string)).toThrow(
    expect.objectContaining({
      code: 'invalid_options',
      option: 'scope',
      message: "Cannot create the scoped ledger: option 'scope' must be a text that is not blank",
    }),
  );
});
