import type { LedgerHead, LedgerRecord } from './ledger-record.ts';
import { pendingAt, type LedgerState } from './ledger-state.ts';
import { takesOut } from './takes-out.ts';

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
  let isFirst = true;
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
        pending += isFirst ? mirrored(state, record, length) : mirroredAgain(record, length);
        isFirst = false;
        isLeased &&= record.released !== true;
        break;
      case 'lease':
        isLeased = true;
        break;
      case 'clear':
      case 'response':
      case 'refused':
      case 'repair':
      case 'heal':
      case 'origin':
      case 'moved':
    }
  }
  // What takes things out again is not followed in every detail: the next append knows.
  if (!records.every((record) => isPlain(record))) pending = Math.max(1, pending);
  const commit = records.at(-1)?.commit ?? state.newest;
  return isLeased ? undefined : { nextSeq, commit, pending: Math.max(0, pending) };
}

/** Whether a record only adds, or says that what was added is written. */
function isPlain(record: LedgerRecord): boolean {
  return !takesOut(record) && (record.type !== 'mirror' || record.behind === undefined);
}

/** By how many the pending changes become more at most: a second record may say again what the first has said. */
function mirroredAgain(record: Extract<LedgerRecord, { type: 'mirror' }>, length: number): number {
  const { added, surplus = [], strays = [] } = record;
  return added.length + surplus.length + strays.length + 2 * length;
}

/** By how many the pending changes become more. */
function mirrored(
  state: LedgerState,
  record: Extract<LedgerRecord, { type: 'mirror' }>,
  length: number,
): number {
  const { added, removed, surplus = [], strays = [], behind, settled, skipped = [] } = record;
  const done = [...added, ...skipped].map(({ seq }) => seq);
  const written = [...new Set(done)].filter((seq) => state.unmirrored.has(seq));
  // What is no longer due where it was written has to leave again, and so has what was written twice.
  const first = new Set(added.map(({ seq }) => seq));
  const known = [...first].filter((seq) => state.unmirrored.has(seq) || state.dropped.has(seq));
  const strange = added.length - known.length;
  const left = [...new Set(removed)].filter((id) => state.removed.get(id) === true);
  return (
    strange +
    surplus.length +
    strays.length +
    // What is written again has to leave where it was as well.
    (behind === undefined ? 0 : 2 * length) -
    written.length -
    left.length -
    (settled === true ? state.dropped.size : 0)
  );
}
