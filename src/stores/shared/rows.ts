import { LedgerUnreadableError } from '../../errors/ledger.ts';
import { isObject, type JsonObject } from '../../util/json.ts';
import type { LedgerRecord } from '../../ledger/record.ts';
import type { LedgerPage, LedgerStore, SessionsOptions, SessionSummary } from '../../ledger/store.ts';
import { decodeCheckpoint, decodeRecord } from './decode-record.ts';
import { canBeginKey, sessionIdOf } from './session-key.ts';
import { readableSummaries, summaryOf } from './session-summary.ts';

/** The layout of the tables, kept with every session: a newer one is noticed however long a process has been running. */
export const TABLE_FORMAT = 1;

/** How many sessions are selected at once. */
export const SESSIONS_PAGE = 200;

/** Stands in the place of a record where the log was rewritten: the log begins behind it. */
const REWRITTEN = '';

/** An append or a rewrite, as it goes into tables. */
export interface RowsWrite {
  readonly records: readonly string[];
  readonly checkpoint: string;
  readonly expected: number;
  /** Whether the records take the place of all that were there. */
  readonly isRewrite: boolean;
}

/** The texts of an append or a rewrite. */
export function rowsWriteOf(isRewrite: boolean, ...args: Parameters<LedgerStore['append']>): RowsWrite {
  const [, records, checkpoint, expected] = args;
  const texts = textsOf(records, isRewrite);
  return { records: texts, checkpoint: JSON.stringify(checkpoint), expected, isRewrite };
}

/** The records as they go into rows. */
export function textsOf(records: readonly LedgerRecord[], isRewrite: boolean): string[] {
  const texts = records.map((record) => JSON.stringify(record));
  return isRewrite ? [REWRITTEN, ...texts] : texts;
}

/**
 * The records of a session, from rows of `format`, `version`, `position` and `record` in the order of their positions;
 * the last two are null in the one row of a session without records from there on.
 *
 * @throws LedgerUnreadableError naming the session and the position of a record that is damaged or missing.
 */
export function pageOf(
  rows: readonly unknown[],
  sessionId: string,
  from: number,
  to: number = Number.POSITIVE_INFINITY,
): LedgerPage {
  const [first] = rows;
  if (first === undefined) return { records: [] };
  const version = checkedVersion(first, sessionId);
  const present = rows.filter(isObject).filter((row) => row['position'] !== null);
  const isRewritten = present[0]?.['record'] === REWRITTEN;
  const start = isRewritten ? Number(present.shift()?.['position']) + 1 : from;
  const records = present
    .filter((row) => Number(row['position']) < to)
    .map((row, index) => {
      if (Number(row['position']) !== start + index) throw missing(sessionId, start + index);
      return decodeRecord(row['record'], sessionId, start + index);
    });
  if (start + records.length < Math.min(version, to)) throw missing(sessionId, start + records.length);
  return isRewritten ? { start, records } : { records };
}

/**
 * The sessions of a list, a page of rows at a time.
 *
 * @param select answers the first rows of `session`, `format`, `version`, `head` and `updated` from that name on, in the order of the
 * names, at most `SESSIONS_PAGE`.
 * @throws LedgerUnreadableError naming the session, unless the options take it.
 */
export async function* sessionsIn(
  select: (from: string) => Promise<readonly unknown[]>,
  options: SessionsOptions = {},
): AsyncGenerator<SessionSummary> {
  const { prefix = '' } = options;
  if (!canBeginKey(prefix)) return;
  let last: string | undefined;
  for (;;) {
    const rows = await select(last ?? prefix);
    const before = last;
    for (const row of rows) {
      last = String((row as JsonObject)['session']);
      if (!last.startsWith(prefix)) return;
      // A page begins with the last session of the page before, unless that was deleted meanwhile.
      const key = last;
      if (key !== before) yield* readableSummaries(options, () => summaryIn(row, key));
    }
    if (rows.length < SESSIONS_PAGE) return;
  }
}

function summaryIn(row: unknown, key: string): SessionSummary[] {
  const sessionId = sessionIdOf(key);
  if (sessionId === undefined) return [];
  checkedVersion(row, sessionId);
  const checkpoint = decodeCheckpoint((row as JsonObject)['head'], sessionId);
  return summaryOf(sessionId, checkpoint, numberIn(row, 'updated'));
}

/**
 * The version that a session's row tells.
 *
 * @throws LedgerUnreadableError when the tables have a layout of a newer version of this package.
 */
export function checkedVersion(row: unknown, sessionId: string): number {
  const format = numberIn(row, 'format');
  if (format > TABLE_FORMAT) {
    const problem = `the tables have format ${format}, this version reads up to ${TABLE_FORMAT}; update agents-hybrid-session`;
    throw new LedgerUnreadableError(sessionId, undefined, 'newer_format', problem);
  }
  return numberIn(row, 'version');
}

/** A number of a row: drivers may give it as a big integer or as text. */
export function numberIn(row: unknown, column: string): number {
  return Number((row as JsonObject)[column]);
}

function missing(sessionId: string, at: number): LedgerUnreadableError {
  return new LedgerUnreadableError(sessionId, at, 'damaged', 'it is missing');
}
