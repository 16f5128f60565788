import type { AgentInputItem } from '@openai/agents';
import { EMPTY_DIGEST, extendDigest } from './digest.ts';
import { LEDGER_FORMAT, type LedgerHead, type LedgerItem, type LedgerRecord } from './ledger-record.ts';

/** One item of the history as the ledger knows it. */
export interface LedgerEntry {
  /** Counts the items ever appended; stays the same when the position changes. */
  readonly seq: number;
  readonly kind: string;
  readonly digest: string | null;
  readonly id: string | undefined;
  readonly item: AgentInputItem | undefined;
  /** The digest of the history up to and with this entry. */
  context: string;
  /** The ID it has in the conversation; undefined as long as it is not there. */
  mirrorId: string | undefined;
  /** Why the conversation can never hold it. */
  skipped: string | undefined;
  /** The append that made it due in the conversation: whoever made that is the one to write it there. */
  commit: string;
  /** When, in milliseconds since the epoch. */
  due: number;
}

/** A response and how far the session had come when it was recorded. */
export interface RecordedResponse {
  readonly id: string;
  readonly time: number;
  readonly store: boolean;
  readonly model: string | undefined;
  readonly parent: string | undefined;
  readonly context: { readonly length: number; readonly digest: string } | undefined;
  /** The sequence number of the next item at that moment: its turn's items come before it. */
  readonly nextSeq: number;
}

/** What a session contains, as a fold over its records. Only this module changes it. */
export interface LedgerState {
  readonly version: number;
  readonly nextSeq: number;
  readonly entries: readonly LedgerEntry[];
  readonly responses: readonly RecordedResponse[];
  /** The responses whose context is known, by its digest, newest first. */
  readonly contexts: ReadonlyMap<string, readonly RecordedResponse[]>;
  /** The responses from which the server refused to continue. */
  readonly refused: ReadonlySet<string>;
  /** Entries that the conversation does not hold yet, by sequence number, in order. */
  readonly unmirrored: ReadonlyMap<number, LedgerEntry>;
  /** Every ID that was taken out of the history; true while the conversation may still hold it. */
  readonly removed: ReadonlyMap<string, boolean>;
  /** Digests of the history transactions that were applied, by operation ID. */
  readonly operations: ReadonlyMap<string, string>;
  /** How many items were adopted from a list of which the ledger knew nothing. */
  readonly unproven: number;
  /** Whether the session was cleared and its conversation may still exist. */
  readonly cleared: boolean;
}

interface MutableState {
  version: number;
  nextSeq: number;
  entries: LedgerEntry[];
  responses: RecordedResponse[];
  contexts: Map<string, readonly RecordedResponse[]>;
  refused: Set<string>;
  unmirrored: Map<number, LedgerEntry>;
  removed: Map<string, boolean>;
  operations: Map<string, string>;
  unproven: number;
  cleared: boolean;
}

/** The state of a session with no records. */
export function emptyState(): LedgerState {
  const state: MutableState = {
    version: 0,
    nextSeq: 0,
    entries: [],
    responses: [],
    contexts: new Map(),
    refused: new Set(),
    unmirrored: new Map(),
    removed: new Map(),
    operations: new Map(),
    unproven: 0,
    cleared: false,
  };
  return state;
}

/** The digest of the whole history. */
export function digestOf(state: LedgerState): string {
  return state.entries.at(-1)?.context ?? EMPTY_DIGEST;
}

/** The head that the store keeps beside the records. */
export function headOf(state: LedgerState): LedgerHead {
  const newest = state.responses.at(-1);
  return {
    format: LEDGER_FORMAT,
    version: state.version,
    length: state.entries.length,
    digest: digestOf(state),
    ...(newest === undefined
      ? {}
      : {
          response: {
            id: newest.id,
            time: newest.time,
            store: newest.store,
            ...(newest.context === undefined ? {} : { context: newest.context }),
          },
        }),
  };
}

/** Folds records into the state, in place: a session's history is too long to copy at every turn. */
export function applyRecords(target: LedgerState, records: readonly LedgerRecord[]): void {
  const state = target as MutableState;
  for (const record of records) {
    applyRecord(state, record);
    state.version += 1;
  }
}

function applyRecord(state: MutableState, record: LedgerRecord): void {
  switch (record.type) {
    case 'items':
      for (const item of record.items) push(state, create(state, item, record));
      if (record.operation !== undefined) state.operations.set(record.operation.id, record.operation.digest);
      if (record.unproven === true) state.unproven += record.items.length;
      state.cleared = false;
      return;
    case 'replace':
      replace(state, record);
      if (record.operation !== undefined) state.operations.set(record.operation.id, record.operation.digest);
      return;
    case 'pop': {
      const popped = state.entries.pop();
      if (popped !== undefined) drop(state, [popped]);
      return;
    }
    case 'clear':
      for (const entry of state.entries)
        if (entry.mirrorId !== undefined) state.removed.set(entry.mirrorId, false);
      state.entries = [];
      state.responses = [];
      state.contexts.clear();
      state.refused.clear();
      state.unmirrored.clear();
      state.operations.clear();
      state.unproven = 0;
      state.cleared = true;
      return;
    case 'mirror':
      mirror(state, record);
      return;
    case 'response':
      respond(state, record);
      return;
    case 'refused':
      state.refused.add(record.id);
  }
}

function respond(state: MutableState, record: Extract<LedgerRecord, { type: 'response' }>): void {
  const { id, time, store, model, parent, context } = record;
  const response: RecordedResponse = { id, time, store, model, parent, context, nextSeq: state.nextSeq };
  state.responses.push(response);
  if (context === undefined) return;
  state.contexts.set(context.digest, [response, ...(state.contexts.get(context.digest) ?? [])]);
}

function create(state: MutableState, item: LedgerItem, { commit, time }: LedgerRecord): LedgerEntry {
  const entry: LedgerEntry = {
    seq: state.nextSeq,
    kind: item.kind,
    digest: item.digest,
    id: item.id,
    item: item.item,
    context: '',
    mirrorId: item.mirrorId,
    skipped: undefined,
    commit,
    due: time,
  };
  state.nextSeq += 1;
  if (entry.mirrorId === undefined) state.unmirrored.set(entry.seq, entry);
  return entry;
}

function push(state: MutableState, entry: LedgerEntry): void {
  entry.context = extendDigest(digestOf(state), entry.digest);
  state.entries.push(entry);
}

function drop(state: MutableState, dropped: Iterable<LedgerEntry>): void {
  const ids: string[] = [];
  for (const entry of dropped) {
    state.unmirrored.delete(entry.seq);
    if (entry.mirrorId !== undefined) ids.push(entry.mirrorId);
  }
  if (ids.length === 0) return;
  // The API lists an item twice when it is given the same ID twice: the other one stays.
  const held = new Set(state.entries.map(({ mirrorId }) => mirrorId));
  for (const id of ids) if (!held.has(id)) state.removed.set(id, true);
}

function replace(state: MutableState, record: Extract<LedgerRecord, { type: 'replace' }>): void {
  const cut = state.entries.splice(record.keep);
  const bySeq = new Map(cut.map((entry) => [entry.seq, entry]));
  // The conversation can only grow at its end: what follows an item it does not hold yet is written again behind it.
  let rewrite = false;
  for (const item of record.items) {
    const kept = 'seq' in item ? bySeq.get(item.seq) : undefined;
    if (kept !== undefined) {
      bySeq.delete(kept.seq);
      if (rewrite) unmirror(state, kept, record);
      push(state, kept);
    } else if (!('seq' in item)) {
      const created = create(state, item, record);
      rewrite ||= created.mirrorId === undefined;
      push(state, created);
    }
  }
  drop(state, bySeq.values());
}

function unmirror(state: MutableState, entry: LedgerEntry, { commit, time }: LedgerRecord): void {
  if (entry.skipped !== undefined) return;
  entry.commit = commit;
  entry.due = time;
  if (entry.mirrorId !== undefined) state.removed.set(entry.mirrorId, true);
  entry.mirrorId = undefined;
  state.unmirrored.delete(entry.seq);
  state.unmirrored.set(entry.seq, entry);
}

function mirror(state: MutableState, record: Extract<LedgerRecord, { type: 'mirror' }>): void {
  for (const { seq, id } of record.added) {
    const entry = state.unmirrored.get(seq);
    if (entry === undefined) {
      // Taken out of the history while it was being written: it has to leave the conversation again.
      if (!state.entries.some((held) => held.mirrorId === id)) state.removed.set(id, true);
      continue;
    }
    entry.mirrorId = id;
    state.unmirrored.delete(seq);
  }
  for (const id of record.removed) state.removed.set(id, false);
  for (const { seq, reason } of record.skipped ?? []) {
    const entry = state.unmirrored.get(seq);
    if (entry === undefined) continue;
    entry.skipped = reason;
    state.unmirrored.delete(seq);
  }
}
