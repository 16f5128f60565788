import { applyRecords } from './reducer.ts';
import { copyState, digestOf, emptyState, lengthOf, pendingAt, type LedgerState } from './state.ts';
import { beginningOf, firstShown, isWhole, seenHistory } from './view.ts';
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
    ...(state.began === undefined ? {} : { began: state.began }),
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
            ...(newest.agent === undefined ? {} : { agent: newest.agent }),
          },
        }),
    ...(state.conversation === undefined ? {} : { conversation: state.conversation }),
    ...(state.alias === undefined ? {} : { alias: state.alias }),
    ...(Object.keys(state.metadata).length === 0 ? {} : { metadata: state.metadata }),
  };
}

function seenPart(state: LedgerState): Pick<Checkpoint, 'seen'> {
  if (isWhole(state)) return {};
  const { before, entries, contextAt } = seenHistory(state);
  const begins = beginningOf(state);
  const known = { length: before + entries.length, digest: contextAt(entries.length) };
  return { seen: { ...known, ...(begins === undefined ? {} : { begins }) } };
}

/**
 * The state that goes on from the record that a view begins at, with the items that a model sees.
 *
 * @param page the records from that one on.
 * @param isMirrored whether pending changes have to be known.
 * @returns undefined where more has to be known.
 */
export function seenState(
  { version, began, seen, conversation, alias, response, metadata, resumePoint }: Checkpoint,
  { start, records }: LedgerPage,
  isMirrored: boolean,
): LedgerState | undefined {
  // The log was rewritten since.
  if (seen?.begins === undefined || start !== undefined) return undefined;
  const { at, length, digest, nextSeq } = seen.begins;
  const before: Checkpoint = {
    format: LEDGER_FORMAT,
    version: at,
    length,
    digest,
    ...(began === undefined ? {} : { began }),
    resumePoint: { nextSeq, commit: '', pending: 0 },
    ...(response === undefined || records.some(({ type }) => type === 'response') ? {} : { response }),
    ...(conversation === undefined ? {} : { conversation }),
    ...(alias === undefined ? {} : { alias }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  const state = stateFromCheckpoint(before) as MutableState;
  state.nextSeq = nextSeq;
  // Another process may have appended since the checkpoint was read.
  const known = version - at;
  if (!goesOn(state, records.slice(0, known), nextSeq) || state.version !== version) return undefined;
  // Earlier views show entries that lie before these records.
  state.views = state.views.slice(-1);
  // Pending changes, or the lease, may lie before these records.
  const isPendingBefore = isMirrored && pendingAt(state) !== resumePoint?.pending;
  const isLeasedBefore = resumePoint?.leased === true && state.lease === undefined;
  const isDraftedBefore = (resumePoint?.drafts ?? 0) !== state.drafts.open.length;
  if (isPendingBefore || isLeasedBefore || isDraftedBefore) return undefined;
  const newer = records.slice(known);
  const isWider = newer.some((record) => record.type === 'view' && firstShown(record) < nextSeq);
  return !isWider && goesOn(state, newer, nextSeq) ? state : undefined;
}

/** Applies records to a state that goes on from a checkpoint, as far as they fit. @returns whether all did. */
function goesOn(state: LedgerState, records: readonly LedgerRecord[], from: number): boolean {
  return records.every((record) => {
    const fitting = withoutEarlier(record, from);
    if (record.type !== 'view' && !fitsTail(state, [fitting])) return false;
    if (isDraftBefore(state, record)) return false;
    applyRecords(state, [fitting]);
    return true;
  });
}

/** Whether a draft goes on from items that lie before the records. */
function isDraftBefore({ drafts }: LedgerState, record: LedgerRecord): boolean {
  if (record.type !== 'draft' || record.ended === true) return false;
  return record.keep > (drafts.open.find(({ run }) => run === record.run)?.items.length ?? 0);
}

/** A record without the writes of earlier items: the conversation lacks none of them by now. */
function withoutEarlier(record: LedgerRecord, seq: number): LedgerRecord {
  if (record.type !== 'mirror') return record;
  return { ...record, added: record.added.filter((one) => one.seq >= seq) };
}

/** The checkpoint that a ledger will have once the records are appended: they are applied to a copy of its state. */
export function nextCheckpoint(state: LedgerState, records: readonly LedgerRecord[]): Checkpoint {
  const isOfTail = !records.some((record) => changesEntries(state, record));
  const next = isOfTail ? copyTail(state, records) : copyState(state);
  applyRecords(next, records);
  return wholeCheckpoint(next);
}

/** The checkpoint of a state, with its resume point. */
export function wholeCheckpoint(state: LedgerState): Checkpoint {
  const { nextSeq, newest: commit, lease } = state;
  const leased = lease === undefined ? {} : { leased: true };
  const open = state.drafts.open.length;
  const pending = pendingAt(state);
  const resumePoint = { nextSeq, commit, pending, ...leased, ...(open === 0 ? {} : { drafts: open }) };
  return { ...checkpointOf(state), resumePoint };
}

/** Whether more than the pending entries that a record names has to be known for what it changes. */
function changesEntries({ unmirrored, nextSeq }: LedgerState, record: LedgerRecord): boolean {
  if (record.type !== 'mirror') return CHANGING_ENTRIES.has(record.type);
  const { added, behind, duplicates = [], surplus = [] } = record;
  const isOfPending = added.every(({ seq }) => seq >= nextSeq || unmirrored.has(seq));
  // An ID leaves the conversation only if no entry has it.
  return behind !== undefined || !isOfPending || duplicates.length + surplus.length > 0;
}

/** The state of a session at a checkpoint, without its earlier entries. */
export function stateFromCheckpoint(checkpoint: Checkpoint): LedgerState {
  const state: MutableState = { ...(emptyState() as MutableState), resumedFrom: checkpoint };
  state.version = checkpoint.version;
  state.began = checkpoint.began;
  state.nextSeq = checkpoint.length;
  state.conversation = checkpoint.conversation;
  state.alias = checkpoint.alias;
  state.metadata = checkpoint.metadata ?? {};
  if (checkpoint.response !== undefined) {
    const { refused, ...response } = checkpoint.response;
    respond(state, response);
    if (refused === true) state.refused.add(response.id);
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
  const { length, resumePoint } = checkpoint;
  if (resumePoint === undefined || resumePoint.leased === true || length === 0) return undefined;
  if (resumePoint.drafts !== undefined) return undefined;
  const state = stateFromCheckpoint(checkpoint) as MutableState;
  state.nextSeq = resumePoint.nextSeq;
  state.newest = resumePoint.commit;
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
