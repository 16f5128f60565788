import { extendDigest } from './digest.ts';
import { exorcise, haunt, type Ghosts } from './ghosts.ts';
import type { RestoredBase } from './restored-base.ts';
import type { LedgerHead, LedgerItem, LedgerRecord } from './ledger-record.ts';
import {
  digestOf,
  emptyState,
  type LedgerEntry,
  type LedgerState,
  type RecordedResponse,
} from './ledger-state.ts';

interface MutableState {
  version: number;
  nextSeq: number;
  base: LedgerHead | undefined;
  entries: LedgerEntry[];
  responses: RecordedResponse[];
  contexts: Map<string, readonly RecordedResponse[]>;
  refused: Set<string>;
  unmirrored: Map<number, LedgerEntry>;
  dropped: Map<number, Pick<LedgerEntry, 'digest' | 'id'>>;
  ghosts: Ghosts;
  removed: Map<string, boolean>;
  operations: Map<string, string>;
  unproven: number;
  lease: { writer: string; until: number } | undefined;
  cleared: boolean;
}

/** Folds records into the state, in place: a session's history is too long to copy at every turn. */
export function applyRecords(target: LedgerState, records: readonly LedgerRecord[]): void {
  const state = target as MutableState;
  for (const record of records) {
    applyRecord(state, record);
    state.version += 1;
  }
}

/** The state of a session of which only the head is known: what lies before it has to be read back. */
export function stateFrom(base: LedgerHead): LedgerState {
  const state: MutableState = { ...(emptyState() as MutableState), base };
  state.version = base.version;
  state.nextSeq = base.length;
  if (base.response !== undefined) {
    const { id, time, store, context } = base.response;
    respond(state, { id, time, store, context });
  }
  return state;
}

/** Puts what was read back in the place of the base; what is not proven counts as such. */
export function resolveBase(target: LedgerState, base: RestoredBase): void {
  const state = target as MutableState;
  state.base = undefined;
  for (const [seq, { item, mirrorId }] of base.items.entries()) {
    const { kind, digest, id } = item;
    const shared = { context: '', item: undefined, skipped: undefined, origin: '', commit: '', due: 0 };
    push(state, { seq, kind, digest, id, mirrorId, ...shared });
  }
  state.nextSeq = Math.max(state.nextSeq, base.items.length);
  if (!base.proven) state.unproven = base.items.length;
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
      state.base = undefined;
      state.entries = [];
      state.responses = [];
      state.contexts.clear();
      state.refused.clear();
      state.unmirrored.clear();
      state.dropped.clear();
      state.ghosts.clear();
      state.operations.clear();
      state.unproven = 0;
      state.cleared = true;
      return;
    case 'mirror':
      mirror(state, record);
      if (record.released === true) state.lease = undefined;
      return;
    case 'response':
      respond(state, record);
      return;
    case 'refused':
      state.refused.add(record.id);
      return;
    case 'lease':
      state.lease = { writer: record.writer, until: record.until };
      return;
    case 'repair':
  }
}

type Responded = Omit<Extract<LedgerRecord, { type: 'response' }>, 'v' | 'commit' | 'type'>;

function respond(state: MutableState, record: Responded): void {
  const { id, time, store, model, parent, context } = record;
  const { nextSeq } = state;
  const history = digestOf(state);
  const response: RecordedResponse = { id, time, store, model, parent, context, nextSeq, history };
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
    origin: commit,
    context: '',
    mirrorId: undefined,
    skipped: undefined,
    commit,
    due: time,
  };
  state.nextSeq += 1;
  if (item.mirrorId === undefined) state.unmirrored.set(entry.seq, entry);
  else enlist(state, entry, item.mirrorId);
  return entry;
}

/** The conversation holds an entry under this ID, which therefore stays there. */
function enlist(state: MutableState, entry: LedgerEntry, id: string): void {
  entry.mirrorId = id;
  state.unmirrored.delete(entry.seq);
  if (state.removed.get(id) === true) state.removed.set(id, false);
}

function push(state: MutableState, entry: LedgerEntry): void {
  entry.context = extendDigest(digestOf(state), entry.digest);
  state.entries.push(entry);
}

function drop(state: MutableState, dropped: readonly LedgerEntry[]): void {
  for (const { seq, digest, id } of dropped) {
    // A write of it may be under way, or have lost its answer.
    if (state.unmirrored.delete(seq)) state.dropped.set(seq, { digest, id });
  }
  unlist(
    state,
    dropped.flatMap(({ mirrorId }) => mirrorId ?? []),
  );
}

/** What no entry holds any longer has to leave the conversation. */
function unlist(state: MutableState, ids: readonly string[]): void {
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
  const replaced: string[] = [];
  for (const item of record.items) {
    const kept = 'seq' in item ? bySeq.get(item.seq) : undefined;
    if (kept !== undefined) {
      bySeq.delete(kept.seq);
      if (rewrite) replaced.push(...unmirror(state, kept, record));
      push(state, kept);
    } else if (!('seq' in item)) {
      const created = create(state, item, record);
      rewrite ||= created.mirrorId === undefined;
      push(state, created);
    }
  }
  drop(state, [...bySeq.values()]);
  unlist(state, replaced);
}

/** @returns the ID under which the conversation had it. */
function unmirror(state: MutableState, entry: LedgerEntry, { commit, time }: LedgerRecord): string[] {
  if (entry.skipped !== undefined) return [];
  const id = entry.mirrorId;
  entry.commit = commit;
  entry.due = time;
  entry.mirrorId = undefined;
  state.unmirrored.delete(entry.seq);
  state.unmirrored.set(entry.seq, entry);
  return id === undefined ? [] : [id];
}

function mirror(state: MutableState, record: Extract<LedgerRecord, { type: 'mirror' }>): void {
  for (const { seq, id } of record.added) {
    const entry = state.unmirrored.get(seq);
    if (entry === undefined) {
      // Taken out of the history while it was being written: it has to leave the conversation again.
      if (seq < state.nextSeq) unlist(state, [id]);
      state.dropped.delete(seq);
      continue;
    }
    enlist(state, entry, id);
  }
  if (record.behind !== undefined) {
    const at = state.entries.findIndex(({ seq }) => seq === record.behind);
    const following = at === -1 ? [] : state.entries.slice(at + 1);
    unlist(
      state,
      following.flatMap((entry) => unmirror(state, entry, record)),
    );
  }
  for (const seq of record.again ?? []) haunt(state.ghosts, seq, state.unmirrored.get(seq));
  if (record.settled === true) {
    // Not seen is not the same as not there: a list may show it later.
    for (const [seq, entry] of state.dropped) haunt(state.ghosts, seq, entry);
    state.dropped.clear();
  }
  for (const { seq, id } of record.strays ?? []) {
    unlist(state, [id]);
    exorcise(state.ghosts, seq);
  }
  unlist(state, record.surplus ?? []);
  for (const id of record.removed) state.removed.set(id, false);
  for (const { seq, reason } of record.skipped ?? []) {
    const entry = state.unmirrored.get(seq);
    if (entry === undefined) continue;
    entry.skipped = reason;
    state.unmirrored.delete(seq);
  }
}
