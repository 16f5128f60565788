import { applyRecords } from './reducer.ts';
import {
  copyState,
  digestOf,
  emptyState,
  lengthOf,
  pendingAt,
  type LedgerState,
  isWhole,
  seenHistory,
} from './state.ts';
import { LEDGER_FORMAT, type Checkpoint, type LedgerRecord } from './record.ts';
import type { LedgerPage } from './store.ts';
import { respond, type MutableState } from './mutable-state.ts';

const CHANGING_ENTRIES: ReadonlySet<LedgerRecord['type']> = new Set([
  'replace',
  'view',
  'pop',
  'clear',
  'conversation',
  'state',
  'entries',
]);

/** The parts of a history, each within the next one: enough for an append at the end, the items that a model sees, every item. */
export const SCOPES = ['tail', 'seen', 'all'] as const;

export type LedgerScope = (typeof SCOPES)[number];

/** The checkpoint that the store keeps beside the records, without a resume point. */
export function checkpointOf(state: LedgerState): Checkpoint {
  const newest = state.responses.at(-1);
  return {
    format: LEDGER_FORMAT,
    version: state.version,
    length: lengthOf(state),
    digest: digestOf(state),
    ...seenPart(state),
    ...(newest === undefined
      ? {}
      : {
          response: {
            id: newest.id,
            time: newest.time,
            store: newest.store,
            ...(newest.model === undefined ? {} : { model: newest.model }),
            ...(state.refused.has(newest.id) ? { refused: true } : {}),
            ...(newest.context === undefined ? {} : { context: newest.context }),
          },
        }),
    ...(state.conversation === undefined ? {} : { conversation: state.conversation }),
    ...(state.alias === undefined ? {} : { alias: state.alias }),
  };
}

function seenPart(state: LedgerState): Pick<Checkpoint, 'seen'> {
  if (isWhole(state)) return {};
  const { before, entries, contextAt } = seenHistory(state);
  const { at } = state.views.at(-1) ?? state.resumedFrom?.seen ?? {};
  const known = { length: before + entries.length, digest: contextAt(entries.length) };
  return { seen: { ...known, ...(at === undefined ? {} : { at }) } };
}

/**
 * The state that goes on from the record of a view, with the items that a model sees.
 *
 * @param page the records from that one on.
 * @returns undefined where more has to be known.
 */
export function seenState(
  { conversation, alias }: Pick<Checkpoint, 'conversation' | 'alias'>,
  at: number,
  { start, records }: LedgerPage,
): LedgerState | undefined {
  const [view, ...later] = records;
  // The log was rewritten since.
  if (start !== undefined || view?.type !== 'view' || view.before === undefined) return undefined;
  const { length, digest, nextSeq } = view.before;
  const known: Checkpoint = {
    format: LEDGER_FORMAT,
    version: at,
    length,
    digest,
    resumePoint: { nextSeq, commit: '', pending: 0 },
    ...(conversation === undefined ? {} : { conversation }),
    ...(alias === undefined ? {} : { alias }),
  };
  const state = stateFromCheckpoint(known) as MutableState;
  state.nextSeq = nextSeq;
  applyRecords(state, [view]);
  for (const record of later) {
    if (!fitsTail(state, [record])) return undefined;
    applyRecords(state, [record]);
  }
  return state;
}

/** The checkpoint that a ledger will have once the records are appended: they are applied to a copy of its state. */
export function nextCheckpoint(state: LedgerState, records: readonly LedgerRecord[]): Checkpoint {
  const next = records.some((record) => changesEntries(record)) ? copyState(state) : copyTail(state, records);
  applyRecords(next, records);
  return wholeCheckpoint(next);
}

/** The checkpoint of a state. It has a resume point, unless a process holds the lease. */
export function wholeCheckpoint(state: LedgerState): Checkpoint {
  const checkpoint = checkpointOf(state);
  if (state.lease !== undefined) return checkpoint;
  return {
    ...checkpoint,
    resumePoint: { nextSeq: state.nextSeq, commit: state.newest, pending: pendingAt(state) },
  };
}

/** Whether a record changes entries, or their places in the conversation, that it does not name. */
function changesEntries(record: LedgerRecord): boolean {
  return CHANGING_ENTRIES.has(record.type) || (record.type === 'mirror' && record.behind !== undefined);
}

/** The state of a session at a checkpoint, without its earlier entries. */
export function stateFromCheckpoint(checkpoint: Checkpoint): LedgerState {
  const state: MutableState = { ...(emptyState() as MutableState), resumedFrom: checkpoint };
  state.version = checkpoint.version;
  state.nextSeq = checkpoint.length;
  state.conversation = checkpoint.conversation;
  state.alias = checkpoint.alias;
  if (checkpoint.response !== undefined) {
    const { id, time, store, model, context } = checkpoint.response;
    respond(state, { id, time, store, model, context });
    if (checkpoint.response.refused === true) state.refused.add(id);
  }
  return state;
}

/**
 * The state that goes on from a checkpoint, of a size that does not grow with the session.
 *
 * @returns undefined where more has to be known than the checkpoint says.
 */
export function tailState(checkpoint: Checkpoint): LedgerState | undefined {
  // A history of no length may have been cleared.
  if (checkpoint.resumePoint === undefined || checkpoint.length === 0) return undefined;
  const state = stateFromCheckpoint(checkpoint) as MutableState;
  state.nextSeq = checkpoint.resumePoint.nextSeq;
  state.newest = checkpoint.resumePoint.commit;
  return state;
}

/** Whether a checkpoint is that of a state, so that nothing was appended since. */
export function isCheckpointOf(checkpoint: Checkpoint | undefined, state: LedgerState): boolean {
  return (
    checkpoint?.version === state.version &&
    checkpoint.digest === digestOf(state) &&
    (checkpoint.resumePoint === undefined || checkpoint.resumePoint.commit === state.newest)
  );
}

/** Whether records can be applied to a state that goes on from a checkpoint: they change nothing that lies before it. */
export function fitsTail(
  { resumedFrom, unmirrored }: LedgerState,
  records: readonly LedgerRecord[],
): boolean {
  const from = resumedFrom?.resumePoint?.nextSeq ?? 0;
  const written = new Set<number>();
  return records.every((record) => {
    if (isRemoval(record)) return false;
    if (record.type !== 'mirror') return true;
    const { added, behind = from } = record;
    return (
      behind >= from &&
      added.every(({ seq }) => {
        // An ID that is written a second time may be that of something that lies before.
        const isDue = unmirrored.has(seq) && !written.has(seq);
        written.add(seq);
        return isDue;
      })
    );
  });
}

const CHANGING: ReadonlySet<LedgerRecord['type']> = new Set([
  'replace',
  'view',
  'pop',
  'clear',
  'conversation',
]);

/** Whether a record takes something out of the history or the conversation, or begins another conversation. */
function isRemoval(record: LedgerRecord): boolean {
  if (record.type !== 'mirror') return CHANGING.has(record.type);
  const { removed, surplus = [], duplicates = [] } = record;
  return removed.length + surplus.length + duplicates.length > 0;
}

/**
 * A state as it is now, without the entries: of a size that does not grow with the history. Records that look at no entry but
 * those that they name as written lead from it to the same checkpoint.
 */
function copyTail(state: LedgerState, records: readonly LedgerRecord[]): LedgerState {
  const unmirrored = new Map(
    writtenSeqs(records).flatMap((seq) => {
      const entry = state.unmirrored.get(seq);
      return entry === undefined ? [] : [[seq, { ...entry }] as const];
    }),
  );
  const pending = (state.resumedFrom?.resumePoint?.pending ?? 0) + state.unmirrored.size - unmirrored.size;
  return {
    ...state,
    resumedFrom: {
      ...checkpointOf(state),
      resumePoint: { nextSeq: state.nextSeq, commit: state.newest, pending },
    },
    recent: [],
    entries: [],
    unmirrored,
    responses: state.responses.slice(-1),
    recorded: new Set(),
    contexts: new Map(),
    refused: new Set(state.refused),
    dropped: new Map(state.dropped),
    possibleDuplicates: new Map(state.possibleDuplicates),
    removed: new Map(state.removed),
    operations: new Map(),
    former: new Map(state.former),
    views: [],
  };
}

function writtenSeqs(records: readonly LedgerRecord[]): number[] {
  return records.flatMap((record) => {
    if (record.type !== 'mirror') return [];
    return [...record.added, ...(record.skipped ?? [])].map(({ seq }) => seq);
  });
}
