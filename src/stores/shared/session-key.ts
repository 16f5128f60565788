import { createHash } from 'node:crypto';

/** IDs up to this many bytes are kept as they are: indexes and key spaces have limits. */
const LONGEST = 512;
/** A NUL, or half of a surrogate pair. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/**
 * The name under which an engine keeps a session: its ID where every engine can hold it, else `~` and its SHA-256.
 *
 * Engines differ in the text that they can hold: PostgreSQL takes no NUL and no index entry over 2.7 kB, SQLite drivers cut text
 * at a NUL, and half of a surrogate pair has no UTF-8 at all.
 */
export function sessionKey(sessionId: string): string {
  const plain =
    sessionId !== '' &&
    !sessionId.startsWith('~') &&
    !UNSTORABLE.test(sessionId) &&
    Buffer.byteLength(sessionId) <= LONGEST;
  if (plain) return sessionId;
  return `~${createHash('sha256').update(Buffer.from(sessionId, 'utf16le')).digest('base64url')}`;
}

/** The session that an engine keeps under a name; undefined where the name is a hash. */
export function sessionIdOf(key: string): string | undefined {
  return key.startsWith('~') ? undefined : key;
}

/** Whether names that engines keep as they are can begin with a text. */
export function canBeginKey(prefix: string): boolean {
  return !UNSTORABLE.test(prefix);
}
