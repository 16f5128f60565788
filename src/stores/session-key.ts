import { createHash } from 'node:crypto';

/** IDs up to this many bytes are kept as they are: indexes and key spaces have limits. */
const LONGEST = 512;

/**
 * The name under which an engine keeps a session: its ID where every engine can hold it, else `~` and its SHA-256.
 *
 * Engines differ in what they can hold: PostgreSQL takes no NUL and no index entry over 2.7 kB, SQLite drivers cut text
 * at a NUL, and half of a surrogate pair has no UTF-8 at all.
 */
export function sessionKey(sessionId: string): string {
  const plain =
    sessionId !== '' &&
    !sessionId.startsWith('~') &&
    !/[\0\p{Surrogate}]/u.test(sessionId) &&
    Buffer.byteLength(sessionId) <= LONGEST;
  if (plain) return sessionId;
  return `~${createHash('sha256').update(Buffer.from(sessionId, 'utf16le')).digest('base64url')}`;
}
