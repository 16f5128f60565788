import type { LedgerHead, LedgerRecord } from './ledger-record.ts';
import { pendingAt, type LedgerState } from './ledger-state.ts';

/**
 * What a head says of how to go on from it, once the records are appended, without touching the state. Pure.
 *
 * The number of pending changes is at least the real one: whoever reads 0 may go on without looking.
 */
export function nextTip(
  state: LedgerState,
  records: readonly LedgerRecord[],
  nextSeq: number,
): LedgerHead['tip'] {
  let pending = pendingAt(state);
  let isLeased = state.lease !== undefined;
  let length = state.entries.length;
  for (const record of records) {
    switch (record.type) {
      case 'items':
        pending += record.items.filter(({ mirrorId }) => mirrorId === undefined).length;
        length += record.items.length;
        break;
      case 'replace':
        // What follows is written again, and what is cut has to leave.
        pending += record.items.length + Math.max(0, length - record.keep);
        length = Math.min(length, record.keep) + record.items.length;
        break;
      case 'pop':
        pending += 1;
        break;
      case 'mirror':
        pending += mirrored(state, record);
        isLeased &&= record.released !== true;
        break;
      case 'lease':
        isLeased = true;
        break;
      case 'clear':
      case 'response':
      case 'refused':
      case 'repair':
    }
  }
  const commit = records.at(-1)?.commit ?? state.newest;
  return isLeased ? undefined : { nextSeq, commit, pending: Math.max(0, pending) };
}

/** By how many the pending changes become more. */
function mirrored(state: LedgerState, record: Extract<LedgerRecord, { type: 'mirror' }>): number {
  const { added, removed, surplus = [], settled, skipped = [] } = record;
  const done = [...added, ...skipped].map(({ seq }) => seq);
  const written = [...new Set(done)].filter((seq) => state.unmirrored.has(seq));
  // What is no longer due where it was written has to leave again.
  const strange = added.filter(({ seq }) => !state.unmirrored.has(seq) && !state.dropped.has(seq));
  const left = [...new Set(removed)].filter((id) => state.removed.get(id) === true);
  return (
    strange.length +
    surplus.length -
    written.length -
    left.length -
    (settled === true ? state.dropped.size : 0)
  );
}
