import { z } from 'zod';
import { LedgerConflictError } from '../../errors/ledger.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import { readSealed } from './read-sealed.ts';
import { type LedgerKey, SessionCipher, type LedgerKeys } from './cipher.ts';
import { readableSummaries, sessionsAround, summaryOf } from '../shared/session-summary.ts';
import { parseOptions, withMethods } from '../../errors/options.ts';

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
    // A copy: the caller may change its bytes later.
    .transform((value) => Uint8Array.from(value)),
});

const schema = z.strictObject({
  store: withMethods<LedgerStore>('checkpoint', 'read', 'append', 'rewrite', 'delete'),
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
 * A ledger store that encrypts all records that it gives to another one: AES-256-GCM, with a key for each session derived from the
 * given ones.
 *
 * Content, kinds, digests and the IDs of items and responses are hidden and protected against change, exchange,
 * copying between sessions, and return from before a deletion or a rewrite; the session's ID, how many records and items it
 * has, when it was written and how long each record is are not hidden. A writer to the store can still take a session
 * back to an earlier state as a whole.
 *
 * @throws InvalidOptionsError; the store's methods throw LedgerUnreadableError for a wrong key and for tampered
 * records, and the errors of the inner store.
 */
export function encryptedLedger(store: LedgerStore, options: EncryptedLedgerOptions): LedgerStore {
  const given = parseOptions(schema, { ...options, store }, 'the encrypted ledger');
  const keys: LedgerKeys = given.keys;
  const inner = given.store;
  return {
    async checkpoint(sessionId) {
      const checkpoint = await inner.checkpoint(sessionId);
      return checkpoint === undefined
        ? undefined
        : new SessionCipher(sessionId, keys).openCheckpoint(checkpoint).value;
    },
    read: (sessionId, from = 0, to?: number) =>
      readSealed(inner, new SessionCipher(sessionId, keys), { sessionId, from, to }),
    async append(sessionId, records, checkpoint, expected) {
      const cipher = new SessionCipher(sessionId, keys);
      const known = await inner.checkpoint(sessionId);
      const version = known?.version ?? 0;
      if (version !== expected) throw new LedgerConflictError(sessionId, expected, version);
      const life = known === undefined ? newLife() : cipher.openCheckpoint(known).life;
      const sealed = records.map((record, index) => cipher.sealRecord(record, life, expected + index));
      await inner.append(sessionId, sealed, cipher.sealCheckpoint(checkpoint, life), expected);
    },
    async rewrite(sessionId, records, checkpoint, expected) {
      const cipher = new SessionCipher(sessionId, keys);
      const life = newLife();
      const sealed = records.map((record, index) => cipher.sealRecord(record, life, expected + 1 + index));
      await inner.rewrite(sessionId, sealed, cipher.sealCheckpoint(checkpoint, life), expected);
    },
    delete: (sessionId, expected?: number) => inner.delete(sessionId, expected),
    ...sessionsAround(
      inner,
      (list) =>
        async function* sessions(options) {
          for await (const sealed of list(options)) {
            const { sessionId, updated } = sealed;
            yield* readableSummaries(options ?? {}, () => {
              const { value } = new SessionCipher(sessionId, keys).openCheckpoint(sealed);
              return summaryOf(sessionId, value, updated);
            });
          }
        },
    ),
  };
}

function newLife(): string {
  return globalThis.crypto.randomUUID();
}
