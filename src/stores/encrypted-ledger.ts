import { z } from 'zod';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import type { LedgerKey } from './sealed-box.ts';
import { SessionCipher, type LedgerKeys } from './session-cipher.ts';
import { parseStoreOptions, withMethods } from './store-options.ts';

/** Options of `encryptedLedger`. */
export interface EncryptedLedgerOptions {
  /**
   * The keys: the first encrypts, all decrypt. To rotate, put a new one in front and keep the old ones behind it as long
   * as there are sessions that they encrypted.
   */
  readonly keys: readonly LedgerKey[];
}

const SECRET_BYTES = 32;

const keySchema = z.strictObject({
  id: z.string().min(1, { message: 'must not be empty' }),
  secret: z
    .custom<Uint8Array>((value) => value instanceof Uint8Array, { message: 'must be bytes' })
    .refine((value) => value.byteLength >= SECRET_BYTES, {
      message: `must have at least ${SECRET_BYTES} random bytes`,
    })
    // A copy: what happens to the caller's bytes later does not matter.
    .transform((value) => Uint8Array.from(value)),
});

const schema = z.strictObject({
  store: withMethods<LedgerStore>('head', 'read', 'append', 'delete'),
  keys: z
    .custom<readonly LedgerKey[]>((value) => Array.isArray(value) && value.length > 0, {
      message: 'must hold at least one key',
    })
    .pipe(z.tuple([keySchema], keySchema))
    .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, {
      message: 'two of them have the same ID',
    }),
});

/**
 * A ledger store that encrypts what it gives to another one: AES-256-GCM, with a key for each session derived from the
 * given ones.
 *
 * Content, kinds, digests and the IDs of items and responses are hidden and protected against change, exchange and
 * copying between sessions; the session's ID, how many records and items it has, when it was written and how long each
 * record is are not. Who can write to the store can still take it back to an earlier state as a whole.
 *
 * @throws InvalidOptionsError; the store's methods throw LedgerDecryptionError for a wrong key and for what was tampered
 * with, and what the inner store throws.
 */
export function encryptedLedger(store: LedgerStore, options: EncryptedLedgerOptions): LedgerStore {
  const given = parseStoreOptions('encrypted', schema, { ...options, store });
  const keys: LedgerKeys = given.keys;
  const inner = given.store;
  return {
    async head(sessionId) {
      const head = await inner.head(sessionId);
      return head === undefined ? undefined : new SessionCipher(sessionId, keys).openHead(head);
    },
    async read(sessionId, from = 0, to?: number) {
      const page = await inner.read(sessionId, from, to);
      const cipher = new SessionCipher(sessionId, keys);
      const start = page.base?.version ?? from;
      const records = page.records.map((record, index) => cipher.openRecord(record, start + index));
      return page.base === undefined ? { records } : { base: cipher.openHead(page.base), records };
    },
    async append(sessionId, records, head, expected) {
      const cipher = new SessionCipher(sessionId, keys);
      const sealed = records.map((record, index) => cipher.sealRecord(record, expected + index));
      await inner.append(sessionId, sealed, cipher.sealHead(head), expected);
    },
    delete: (sessionId, expected?: number) => inner.delete(sessionId, expected),
  };
}
