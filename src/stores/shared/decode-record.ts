import { LedgerUnreadableError } from '../../errors/ledger.ts';
import { isObject } from '../../util/json.ts';
import { parseCheckpoint, type Checkpoint, type LedgerRecord } from '../../ledger/record.ts';

/**
 * A stored record. Only its form is checked, a JSON object: the ledger checks its fields, and an encrypted
 * one has others.
 *
 * @throws LedgerUnreadableError naming the session and the position.
 */
export function decodeRecord(text: unknown, sessionId: string, at: number): LedgerRecord {
  const value = decode(text, sessionId, at);
  if (isObject(value)) return value as LedgerRecord;
  throw new LedgerUnreadableError(sessionId, at, 'damaged', 'it is not a JSON object');
}

/** @throws LedgerUnreadableError naming the session. */
export function decodeCheckpoint(text: unknown, sessionId: string): Checkpoint {
  return parseCheckpoint(decode(text, sessionId, undefined), sessionId);
}

function decode(text: unknown, sessionId: string, at: number | undefined): unknown {
  if (typeof text !== 'string') throw new LedgerUnreadableError(sessionId, at, 'damaged', 'it is not text');
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text: it is not passed on.
    throw new LedgerUnreadableError(sessionId, at, 'damaged', 'it is not JSON');
  }
}
