import { createHash } from 'node:crypto';
import { HybridSessionError } from '../errors/base.ts';
import { LedgerConflictError, LedgerUnreadableError } from '../errors/ledger.ts';
import { isObject } from '../util/json.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { sessionsAround } from './shared/session-summary.ts';
import { InvalidOptionsError, parseOptions, withMethods } from '../errors/options.ts';

/** A part of a key is kept readable up to this many characters: every store and file system takes two of them. */
const MAX_PART = 100;

const ledgers = new WeakMap<LedgerStore, Map<string, WeakRef<LedgerStore>>>();
const collected = new FinalizationRegistry<{ scopes: Map<string, WeakRef<LedgerStore>>; scope: string }>(
  ({ scopes, scope }) => {
    if (scopes.get(scope)?.deref() === undefined) scopes.delete(scope);
  },
);

/**
 * The part of a ledger that belongs to one scope, such as a tenant or an account of the API: its sessions are
 * found under the same scope only, even by a caller that knows the ID of the session or conversation.
 *
 * Cheap enough for every request: the same ledger and scope give the same object. It is a view: closing the ledger is up to
 * its owner. Around `encryptedLedger()` rather than inside, so that records are bound to their scope as well.
 *
 * @example
 * const ledger = scopedLedger(sqliteLedger({ path: 'sessions.db' }), tenant.id);
 * @throws InvalidOptionsError for a scope that is no text or blank.
 */
export function scopedLedger(ledger: LedgerStore, scope: string): LedgerStore {
  const subject = 'the scoped ledger';
  const inner = parseOptions(
    withMethods<LedgerStore>('checkpoint', 'read', 'append', 'rewrite', 'delete'),
    ledger,
    subject,
  );
  if (typeof scope !== 'string' || scope.trim() === '')
    throw new InvalidOptionsError('scope', 'must be a text that is not blank', { subject });
  let scopes = ledgers.get(inner);
  if (scopes === undefined) ledgers.set(inner, (scopes = new Map()));
  const known = scopes.get(scope)?.deref();
  if (known !== undefined) return known;
  const scoped = viewOf(inner, scope);
  scopes.set(scope, new WeakRef(scoped));
  collected.register(scoped, { scopes, scope });
  return scoped;
}

function viewOf(inner: LedgerStore, scope: string): LedgerStore {
  const prefix = `scope:${keyPart(scope)}:`;
  const under = async <T>(sessionId: string, call: (key: string) => Promise<T>): Promise<T> => {
    const key = prefix + keyPart(sessionId);
    try {
      return await call(key);
    } catch (error) {
      throw withSessionId(error, key, sessionId);
    }
  };
  /** Undefined where the key is of another scope, or does not tell the ID. */
  const sessionIdOf = (key: string): string | undefined =>
    key.startsWith(prefix) ? textOf(key.slice(prefix.length)) : undefined;
  /** An error about a key of this scope, as one about its session. */
  const ofSession = (error: unknown): unknown => {
    const key: unknown = isObject(error) ? error['sessionId'] : undefined;
    const sessionId = typeof key === 'string' ? sessionIdOf(key) : undefined;
    return sessionId === undefined ? error : withSessionId(error, String(key), sessionId);
  };
  return {
    checkpoint: (sessionId) => under(sessionId, (key) => inner.checkpoint(key)),
    read: (sessionId, ...range) => under(sessionId, (key) => inner.read(key, ...range)),
    append: (sessionId, ...records) => under(sessionId, (key) => inner.append(key, ...records)),
    rewrite: (sessionId, ...records) => under(sessionId, (key) => inner.rewrite(key, ...records)),
    delete: (sessionId, ...expected) => under(sessionId, (key) => inner.delete(key, ...expected)),
    ...sessionsAround(
      inner,
      (list) =>
        async function* sessions({ prefix: begin = '', onUnreadable } = {}) {
          const part = encoded(begin);
          if (part === undefined) return;
          const tell = (error: LedgerUnreadableError): void => {
            const known = ofSession(error);
            if (known instanceof LedgerUnreadableError) onUnreadable?.(known);
          };
          const options = {
            prefix: prefix + part,
            ...(onUnreadable === undefined ? {} : { onUnreadable: tell }),
          };
          try {
            for await (const { sessionId: key, ...summary } of list(options)) {
              const sessionId = sessionIdOf(key);
              if (sessionId !== undefined) yield { ...summary, sessionId };
            }
          } catch (error) {
            throw ofSession(error);
          }
        },
    ),
  };
}

/** An error about a key, as one about the session that the app knows. */
function withSessionId(error: unknown, key: string, sessionId: string): unknown {
  const options = { cause: error };
  if (!(error instanceof HybridSessionError) || Reflect.get(error, 'sessionId') !== key) return error;
  if (error instanceof LedgerConflictError)
    return new LedgerConflictError(sessionId, error.expected, error.actual, options);
  if (error instanceof LedgerUnreadableError) {
    const { position, reason, problem, keyId } = error;
    return new LedgerUnreadableError(sessionId, position, reason, problem, { ...options, keyId });
  }
  return error;
}

/**
 * A text as part of a key: letters, digits and `_ . -` stay, all else is percent-encoded, and text that is long or no Unicode
 * becomes `~` and its SHA-256. So different texts are different parts, and no part holds the colon between them.
 */
function keyPart(text: string): string {
  const plain = text.length <= MAX_PART ? encoded(text) : undefined;
  if (plain !== undefined && plain.length <= MAX_PART) return plain;
  return `~${createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex')}`;
}

/** The text of a key's part; undefined for a hash. */
function textOf(part: string): string | undefined {
  try {
    const text = decodeURIComponent(part);
    return keyPart(text) === part ? text : undefined;
  } catch {
    return undefined;
  }
}

/** A text, percent-encoded; undefined where it is no Unicode. */
function encoded(text: string): string | undefined {
  if (/\p{Surrogate}/u.test(text)) return undefined;
  return encodeURIComponent(text).replaceAll(
    /[!'()*~]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
