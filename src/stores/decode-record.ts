import { LedgerRecordError } from '../errors/ledger-record-error.ts';
import { isObject } from '../ledger/json.ts';
import { parseHead, type LedgerHead, type LedgerRecord } from '../ledger/ledger-record.ts';

/**
 * A stored record. Only that it is a JSON object is checked: what it means is checked by who reads it, and an encrypted
 * one means nothing here.
 *
 * @throws LedgerRecordError naming the session and the position.
 */
export function decodeRecord(text: unknown, sessionId: string, at: number): LedgerRecord {
  const value = decode(text, sessionId, at);
  if (isObject(value)) return value as LedgerRecord;
  throw new LedgerRecordError(sessionId, at, 'damaged', 'it is not a JSON object');
}

/** @throws LedgerRecordError naming the session. */
export function decodeHead(text: unknown, sessionId: string): LedgerHead {
  return parseHead(decode(text, sessionId, undefined), sessionId);
}

function decode(text: unknown, sessionId: string, at: number | undefined): unknown {
  if (typeof text !== 'string') throw new LedgerRecordError(sessionId, at, 'damaged', 'it is not text');
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text: it is not passed on.
    throw new LedgerRecordError(sessionId, at, 'damaged', 'it is not JSON');
  }
}
