import { applyRecords } from '../ledger/apply-records.ts';
import { LEDGER_FORMAT, type LedgerItem, type LedgerRecord } from '../ledger/ledger-record.ts';
import { emptyState, type LedgerState } from '../ledger/ledger-state.ts';
import type { ItemBook } from './item-book.ts';
import type { TruthNode } from './truth.ts';

/** What begins the ID of an item of which no ID is known: it has to have one in order to be missed. */
const NAMELESS = '(no ID) ';

/** The ID as it can be shown. */
export function shownId(id: string | undefined): string | null {
  return id === undefined || id.startsWith(NAMELESS) ? null : id;
}

/**
 * The state that the conversation's ledger would have if it had recorded what was put together. Pure.
 *
 * @param ledger what the ledger does know, when the base was its entries.
 */
export function supposedState(
  nodes: readonly TruthNode[],
  book: Pick<ItemBook, 'facts'>,
  ledger: LedgerState | undefined,
): LedgerState {
  const state = emptyState();
  const used = new Set(nodes.flatMap(({ id }) => id ?? []));
  const skipped: { seq: number; reason: string }[] = [];
  const items = nodes.map(({ key, id, base }, seq): LedgerItem => {
    const { digest, kind, id: seen } = book.facts(key);
    const entry = base === undefined ? undefined : ledger?.entries[base];
    if (entry !== undefined) {
      if (entry.skipped !== undefined) skipped.push({ seq, reason: entry.skipped });
      return {
        digest: entry.digest,
        kind: entry.kind,
        ...(entry.id === undefined ? {} : { id: entry.id }),
        ...(entry.item === undefined ? {} : { item: entry.item }),
        ...(entry.mirrorId === undefined ? {} : { mirrorId: entry.mirrorId }),
      };
    }
    const known = id ?? (used.has(seen) ? `${NAMELESS}${seq}` : seen);
    used.add(known);
    return { digest, kind, mirrorId: known };
  });
  const stamp = { v: LEDGER_FORMAT, commit: '', time: 0 } as const;
  const surplus = [...(ledger?.removed ?? [])].flatMap(([id, isDue]) => (isDue ? [id] : []));
  const records: LedgerRecord[] = [
    { ...stamp, type: 'items', items },
    { ...stamp, type: 'mirror', added: [], removed: [], surplus, skipped },
  ];
  applyRecords(state, records);
  return state;
}
