import { applyRecords } from './reducer.ts';
import { copyState, type LedgerState, type View } from './state.ts';
import {
  LEDGER_FORMAT,
  type LedgerEntryOf,
  type Checkpoint,
  type LedgerRecord,
  type RewrittenView,
} from './record.ts';
import { nextCheckpoint, wholeCheckpoint } from './checkpoint.ts';
import { skipTo } from './mutable-state.ts';

/** A record holds so many entries, so that none of them grows with the session. */
const ENTRIES_PER_RECORD = 100;

/** How many records a log may have for each item and response, and beyond that. */
const RECORDS_PER_FACT = 4;
const SPARE_RECORDS = 200;

/** How records reach the store. */
export interface PlannedWrite {
  /** Whether the records replace the whole log. Otherwise they are appended. */
  readonly isRewrite: boolean;
  readonly records: readonly LedgerRecord[];
  readonly checkpoint: Checkpoint;
}

/**
 * Plans the write of new records. Pure.
 *
 * The log is rewritten if the records take items out of the history: it keeps the remaining items, and only IDs and digests of
 * the removed ones. It is also rewritten if most of its records no longer matter, so that it cannot grow without bound.
 * A state that was resumed from a checkpoint lacks the records for that.
 */
export function plannedWrite(state: LedgerState, records: readonly LedgerRecord[]): PlannedWrite {
  const [first] = records;
  const isLong = outweighs(state);
  const isForgotten = records.some((record) => record.type === 'draft' && record.forgotten === true);
  const mayForget =
    isForgotten || records.some(({ type }) => type === 'pop' || type === 'replace' || type === 'clear');
  if (first === undefined || state.resumedFrom !== undefined || !(mayForget || isLong))
    return { isRewrite: false, records, checkpoint: nextCheckpoint(state, records) };
  const after = copyState(state);
  applyRecords(after, records);
  const kept = new Set(after.entries.map(({ seq }) => seq));
  const forgets =
    isForgotten ||
    records.some(({ type }) => type === 'clear') ||
    state.entries.some(({ seq }) => !kept.has(seq));
  if (!(forgets || isLong)) return { isRewrite: false, records, checkpoint: wholeCheckpoint(after) };
  const { commit, time } = first;
  const stamp = { v: LEDGER_FORMAT, commit, time } as const;
  const log = logOf(after, stamp, state.recent);
  skipTo(after, state.version + 1 + log.length);
  return { isRewrite: true, records: log, checkpoint: wholeCheckpoint(after) };
}

/** The records that lead to a state. */
export function logOf(
  state: LedgerState,
  stamp: Pick<LedgerRecord, 'v' | 'commit' | 'time'>,
  replaced: readonly string[],
): LedgerRecord[] {
  return [
    { ...stamp, ...stateOf(state) },
    ...entriesOf(state).map((entries) => ({ ...stamp, ...entries })),
    { ...stamp, type: 'rewritten', replaced: [...replaced] },
  ];
}

/** Whether the log has many more records than the state has items and responses. */
function outweighs({ start, version, entries, responses }: LedgerState): boolean {
  return version - start > SPARE_RECORDS + RECORDS_PER_FACT * (entries.length + responses.length);
}

function stateOf(state: LedgerState): LedgerEntryOf<'state'> {
  const { nextSeq, began, rewound, lease, compacting, conversation, healed, alias } = state;
  return {
    type: 'state',
    nextSeq,
    began,
    responses: [...state.responses],
    refused: [...state.refused],
    dropped: Array.from(state.dropped, ([seq, { digest, id, sentId }]) => ({ seq, digest, id, sentId })),
    possibleDuplicates: Array.from(
      state.possibleDuplicates,
      ([seq, { digest, id, sentId, copies, time }]) => ({
        seq,
        digest,
        id,
        sentId,
        copies,
        time,
      }),
    ),
    removed: Array.from(state.removed, ([id, pending]) => ({ id, pending })),
    operations: Array.from(state.operations, ([id, digest]) => ({ id, digest })),
    rewound,
    lease,
    compacting,
    conversation,
    healed,
    former: Array.from(state.former, ([id, fate]) => ({ id, fate })),
    alias,
    ...(state.views.length === 0 ? {} : { views: state.views.map((view) => recordedView(view)) }),
    ...(Object.keys(state.metadata).length === 0 ? {} : { metadata: state.metadata }),
    ...(state.forks.length === 0 ? {} : { forks: [...state.forks] }),
    drafts: state.drafts,
  };
}

function recordedView({ from, left, items, covers }: View): RewrittenView {
  return { from, ...(left.size === 0 ? {} : { left: [...left] }), items: [...items], covers };
}

function entriesOf({ entries }: LedgerState): LedgerEntryOf<'entries'>[] {
  const records: LedgerEntryOf<'entries'>[] = [];
  for (let from = 0; from < entries.length; from += ENTRIES_PER_RECORD) {
    const part = entries.slice(from, from + ENTRIES_PER_RECORD);
    records.push({ type: 'entries', entries: part.map(({ context: _context, at: _at, ...entry }) => entry) });
  }
  return records;
}
