import { applyRecords } from '../../ledger/reducer.ts';
import { LEDGER_FORMAT, type LedgerItem, type LedgerRecord } from '../../ledger/record.ts';
import { emptyState, type LedgerEntry, type LedgerState } from '../../ledger/state.ts';
import type { ItemIndex } from '../evidence/item-index.ts';
import type { TimelineNode } from './reconstructed-timeline.ts';

/** Prefix of the stand-in ID of an item without a known ID: only an item with an ID can count as lost. */
const NAMELESS = '(no ID) ';

/** The ID for display; null for a stand-in. */
export function shownId(id: string | undefined): string | null {
  return id === undefined || id.startsWith(NAMELESS) ? null : id;
}

/**
 * The state of a ledger that had recorded the reconstructed conversation. Pure.
 *
 * @param entryOf the real ledger's entry for an item of the base.
 */
export function syntheticState(
  nodes: readonly TimelineNode[],
  itemIndex: Pick<ItemIndex, 'facts'>,
  ledger: LedgerState | undefined,
  entryOf: (base: number) => LedgerEntry | undefined,
): LedgerState {
  const state = emptyState();
  const used = new Set(nodes.flatMap(({ id }) => id ?? []));
  const skipped: { seq: number; reason: string }[] = [];
  const items = nodes.map(({ key, id, base }, seq): LedgerItem => {
    const { digest, kind, id: seen } = itemIndex.facts(key);
    const entry = base === undefined ? undefined : entryOf(base);
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
