import type { Checkpoint } from '../../ledger/record.ts';
import { LedgerUnreadableError } from '../../errors/ledger.ts';
import type { LedgerStore, SessionsOptions, SessionSummary } from '../../ledger/store.ts';

/** The summary of a session; none for an alias. */
export function summaryOf(
  sessionId: string,
  { alias, ...checkpoint }: Checkpoint,
  updated?: number,
): SessionSummary[] {
  if (alias !== undefined) return [];
  return [{ ...checkpoint, sessionId, ...(updated === undefined ? {} : { updated }) }];
}

/**
 * The summaries that a function reads; none where it cannot read them and the list goes on.
 *
 * @throws LedgerUnreadableError without `onUnreadable`.
 */
export function readableSummaries(
  { onUnreadable }: SessionsOptions,
  read: () => SessionSummary[],
): SessionSummary[] {
  try {
    return read();
  } catch (error) {
    if (onUnreadable === undefined || !(error instanceof LedgerUnreadableError)) throw error;
    onUnreadable(error);
    return [];
  }
}

/** The method `sessions` of a store around another one, which has it where that one has it. */
export function sessionsAround(
  inner: LedgerStore,
  around: (list: Listing) => Listing,
): { readonly sessions?: Listing } {
  const list = inner.sessions?.bind(inner);
  return list === undefined ? {} : { sessions: around(list) };
}

type Listing = NonNullable<LedgerStore['sessions']>;
