import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import { ITEMS_PER_CALL } from './conversation-writer.ts';
import type { MirrorLease } from './mirror-lease.ts';
import type { MirrorLine } from './mirror-line.ts';
import { sleep } from './sleep.ts';

/** An append may take this many milliseconds until the list shows it. */
const LIST_LAG = 500;

/** How often to look at the list when a write may have been applied although nobody knows its IDs. */
export const LOOKS: number = 2;

/** What a look needs. */
export interface LookOptions {
  readonly ledger: Ledger;
  readonly line: MirrorLine;
  readonly lease: MirrorLease;
  /** Compares the list with the ledger, so that what is already there is not written again. */
  readonly look: () => Promise<unknown>;
}

/** What somebody else began to write, or this session without an answer, may be there already. */
export async function lookBeforeWrite({ line, ledger, lease, look }: LookOptions): Promise<void> {
  if (lease.inherited) {
    line.looksDue = LOOKS;
    // Who wrote before had at most one call under way, and began at the beginning.
    const { unmirrored } = await ledger.tip();
    for (const seq of [...unmirrored.keys()].slice(0, ITEMS_PER_CALL)) line.tried.add(seq);
  }
  lease.inherited = false;
  const isOwn = ({ commit }: LedgerEntry): boolean => ledger.originOf(commit) === 'own';
  const state = await ledger.tip();
  const isSure = line.looksDue === 0 && state.dropped.size === 0;
  if (isSure && [...state.unmirrored.values()].every((entry) => isOwn(entry))) return;
  await look();
  for (line.looksDue -= 1; line.looksDue > 0 && isOpen(await ledger.tip()); line.looksDue -= 1) {
    await sleep(LIST_LAG);
    await look();
  }
  line.looksDue = 0;
  // A list that lags for longer, or lies, may still show what was not seen: then it is known whose it is.
  await ledger.commitTip(({ dropped, unmirrored }) => {
    const again = [...line.tried].filter((seq) => unmirrored.has(seq));
    if (dropped.size + again.length === 0) return [];
    const settled = dropped.size === 0 ? {} : { settled: true };
    return [{ type: 'mirror', added: [], removed: [], ...settled, ...(again.length === 0 ? {} : { again }) }];
  });
  line.tried.clear();
}

/** Whether there is anything that the list may turn out to hold. */
function isOpen({ unmirrored, dropped }: LedgerState): boolean {
  return unmirrored.size + dropped.size > 0;
}
