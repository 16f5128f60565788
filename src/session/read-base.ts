import { HistoryIncompleteError } from '../errors/history-incomplete-error.ts';
import type { HistoryReader } from '../history/history-reader.ts';
import type { ListedItem } from '../history/listed-item.ts';
import { matchBase } from '../history/match-base.ts';
import { ledgerItem } from '../ledger/agent-item.ts';
import { itemDigest, markOf } from '../ledger/digest.ts';
import type { LedgerHead } from '../ledger/ledger-record.ts';
import type { RestoredBase } from '../ledger/restored-base.ts';

/** How many missing items an error names at most. */
const MOST_NAMED = 1000;

/**
 * The history that a ledger's head describes, from the list and from the chain behind the newest response.
 *
 * @throws HistoryIncompleteError when neither proves it; with `'warn'` the list is taken as it stands, unproven.
 */
export async function readBase(
  base: LedgerHead,
  reader: HistoryReader,
  sessionId: string,
  onIncomplete: 'throw' | 'warn',
): Promise<RestoredBase> {
  const list = await reader.list();
  const context = base.response === undefined ? [] : await reader.context(base.response.id);
  const { leaving: marks = [] } = base;
  const staying = list.filter(({ id }) => !marks.includes(markOf(id)));
  const left = new Set(leavingIn(list, marks));
  const proven =
    matchBase(base, staying, context) ??
    matchBase(
      base,
      list.filter(({ id }) => !left.has(id)),
      context,
    ) ??
    matchBase(base, list, context);
  if (proven === undefined && onIncomplete === 'throw') {
    // A head says any number, a damaged one too.
    const missing = Math.min(MOST_NAMED, Math.max(1, base.length - list.length));
    throw new HistoryIncompleteError(
      sessionId,
      Array.from({ length: missing }, (_, index) => ({ index: base.length - missing + index, kind: 'item' })),
    );
  }
  const items = (proven ?? staying).map(({ id, item }) => ({
    item: ledgerItem(item, false),
    mirrorId: id,
  }));
  const held = new Set(items.map(({ mirrorId }) => mirrorId));
  const others = list.filter(({ id }) => !held.has(id));
  return { items, proven: proven !== undefined, leaving: leavingIn(others, marks) };
}

/** What has left the history and is listed: known by its ID, or, where nobody saw that, by what a model reads, newest first. */
function leavingIn(list: readonly ListedItem[], marks: readonly string[]): string[] {
  const left = [...marks];
  return list.toReversed().flatMap(({ id, item }) => {
    const at = left.findIndex((mark) => mark === markOf(id) || mark === markOf(itemDigest(item) ?? id));
    if (at === -1) return [];
    left.splice(at, 1);
    return [id];
  });
}
