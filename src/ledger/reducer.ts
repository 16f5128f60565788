import {
  removePossibleDuplicate,
  addPossibleDuplicate,
  create,
  cutAt,
  drop,
  setMirrorId,
  enterConversation,
  setRemoval,
  leaveConversation,
  push,
  respond,
  markForRemoval,
  writtenAs,
  type MutableState,
} from './mutable-state.ts';
import type { LedgerItem, LedgerRecord, LedgerEntryOf, RewrittenView } from './record.ts';
import { type LedgerEntry, type LedgerState, type View, emptyState } from './state.ts';
import { viewStart } from './view.ts';
import { draftsAfter } from './drafts/drafts.ts';

/** Folds records into the state, in place: a session's history is too long to copy at every turn. */
export function applyRecords(target: LedgerState, records: readonly LedgerRecord[]): void {
  const state = target as MutableState;
  for (const record of records) {
    const isFirst = state.version === 0;
    applyRecord(state, record);
    if (isFirst) state.began = record.commit;
    state.version += 1;
    state.newest = record.commit;
    noteCommit(state.recent, record.commit);
  }
}

function applyRecord(state: MutableState, record: LedgerRecord): void {
  switch (record.type) {
    case 'items':
      compactedBy(state, record.items);
      for (const item of record.items) push(state, create(state, item, record));
      if (record.operation !== undefined) state.operations.set(record.operation.id, record.operation.digest);
      state.alias = undefined;
      return;
    case 'replace':
      replace(state, record);
      if (record.operation !== undefined) state.operations.set(record.operation.id, record.operation.digest);
      return;
    case 'view':
      state.views.push(viewOf({ ...record, covers: record.from - 1 }, state.version));
      state.compacting = undefined;
      return;
    case 'pop':
      drop(state, cutAt(state, Math.max(0, state.entries.length - 1)));
      return;
    case 'clear':
      leaveConversation(state, 'due');
      // The conversations that a heal left hold the cleared items, too.
      for (const [id, fate] of state.former) if (fate === 'kept') state.former.set(id, 'due');
      state.resumedFrom = undefined;
      state.entries = [];
      state.responses = [];
      state.recorded.clear();
      state.contexts.clear();
      state.refused.clear();
      state.operations.clear();
      state.views = [];
      state.drafts = emptyState().drafts;
      state.compacting = undefined;
      state.rewound = false;
      state.bytes = 0;
      return;
    case 'mirror':
      mirror(state, record);
      if (record.released === true) state.lease = undefined;
      return;
    case 'response':
      respond(state, record);
      return;
    case 'draft':
      state.drafts = draftsAfter(state.drafts, record, state.nextSeq);
      return;
    case 'refused':
      state.refused.add(record.id);
      return;
    case 'lease':
      takeLease(state, record);
      return;
    case 'conversation':
      enterConversation(state, record.id, record);
      return;
    case 'alias':
      state.alias = record.sessionId;
      return;
    case 'state':
      takeState(state, record);
      return;
    case 'entries':
      takeEntries(state, record);
      return;
    case 'metadata':
      state.metadata = record.values;
      return;
    case 'fork':
      state.forks = [
        ...state.forks,
        { sessionId: record.sessionId, nextSeq: record.nextSeq, time: record.time },
      ];
      return;
    case 'rewound':
      state.rewound = true;
      return;
    case 'rewritten':
      state.recent = newestOf(record.replaced);
      return;
    case 'repair':
  }
}

function takeLease(state: MutableState, record: Extract<LedgerRecord, { type: 'lease' }>): void {
  const lease = { writer: record.writer, taken: record.time, until: record.until };
  if (record.of === 'compaction') state.compacting = lease;
  else state.lease = lease;
}

function viewOf({ from, left, items, covers }: RewrittenView, at?: number): View {
  return { from, left: new Set(left), items, covers, at };
}

/** Begins a view with a compaction among appended items. */
function compactedBy(state: MutableState, items: readonly LedgerItem[]): void {
  const start = viewStart(items);
  if (start === -1) return;
  const covers = state.nextSeq + items.findLastIndex(({ kind }) => kind === 'compaction');
  state.views.push(viewOf({ from: state.nextSeq + start, items: [], covers }, state.version));
}

function replace(state: MutableState, record: Extract<LedgerRecord, { type: 'replace' }>): void {
  const cut = cutAt(state, record.keep);
  const bySeq = new Map(cut.map((entry) => [entry.seq, entry]));
  // The conversation can only grow at its end: items behind a missing one are written again behind it.
  let rewrite = false;
  const replaced: string[] = [];
  for (const item of record.items) {
    const kept = 'seq' in item ? bySeq.get(item.seq) : undefined;
    if (kept !== undefined) {
      bySeq.delete(kept.seq);
      kept.at = undefined;
      if (rewrite) replaced.push(...unmirror(state, kept, record));
      push(state, kept);
    } else if (!('seq' in item)) {
      const created = create(state, item, record);
      rewrite ||= created.mirrorId === undefined;
      push(state, created);
    }
  }
  drop(state, [...bySeq.values()]);
  markForRemoval(state, replaced);
}

/** @returns the ID under which the conversation had it. */
function unmirror(state: MutableState, entry: LedgerEntry, { commit, time }: LedgerRecord): string[] {
  if (entry.skipped !== undefined) return [];
  const id = entry.mirrorId;
  entry.commit = commit;
  entry.due = time;
  entry.mirrorId = undefined;
  entry.assumed = false;
  entry.written = undefined;
  entry.link = undefined;
  state.unmirrored.delete(entry.seq);
  state.unmirrored.set(entry.seq, entry);
  return id === undefined ? [] : [id];
}

function mirror(state: MutableState, record: Extract<LedgerRecord, { type: 'mirror' }>): void {
  const homeless: string[] = [];
  const relisted = relistedBy(state, record.added);
  for (const { seq, id, assumed } of record.added) {
    const entry = state.unmirrored.get(seq) ?? relisted.get(seq);
    if (entry === undefined) {
      // Taken out of the history while it was being written: it has to leave the conversation again.
      if (seq < state.nextSeq) homeless.push(id);
      state.dropped.delete(seq);
      continue;
    }
    setMirrorId(state, entry, id, assumed);
    entry.written = { commit: record.commit, time: record.time };
  }
  markForRemoval(state, homeless);
  for (const seq of record.unlinked ?? []) {
    const entry = state.unmirrored.get(seq);
    if (entry === undefined) continue;
    entry.link = undefined;
    entry.unlinked = true;
  }
  if (record.behind !== undefined) {
    const at = state.entries.findIndex(({ seq }) => seq === record.behind);
    const following = at === -1 ? [] : state.entries.slice(at + 1);
    markForRemoval(
      state,
      following.flatMap((entry) => unmirror(state, entry, record)),
    );
  }
  for (const seq of record.again ?? []) {
    const entry = state.unmirrored.get(seq);
    if (entry !== undefined)
      addPossibleDuplicate(state.possibleDuplicates, seq, writtenAs(entry), record.time);
  }
  if (record.settled === true) {
    // Not seen is not the same as not there: a list may show it later.
    for (const [seq, entry] of state.dropped)
      addPossibleDuplicate(state.possibleDuplicates, seq, entry, record.time);
    state.dropped.clear();
  }
  const duplicates = record.duplicates ?? [];
  for (const { seq } of duplicates) removePossibleDuplicate(state.possibleDuplicates, seq);
  for (const seq of record.resolved ?? []) state.possibleDuplicates.delete(seq);
  markForRemoval(state, [...duplicates.map(({ id }) => id), ...(record.surplus ?? [])]);
  for (const id of record.removed) setRemoval(state, id, false);
  for (const { seq, reason } of record.skipped ?? []) {
    const entry = state.unmirrored.get(seq);
    if (entry === undefined) continue;
    entry.skipped = reason;
    state.unmirrored.delete(seq);
  }
  for (const id of record.deleted ?? []) state.former.set(id, 'deleted');
}

/** The entries that are named although they are not pending: the conversation has them under another ID than was assumed. */
function relistedBy(
  { unmirrored, entries }: MutableState,
  added: readonly { readonly seq: number }[],
): ReadonlyMap<number, LedgerEntry> {
  if (added.every(({ seq }) => unmirrored.has(seq))) return new Map();
  return new Map(entries.flatMap((entry) => (entry.assumed ? [[entry.seq, entry] as const] : [])));
}

/** So many appends of others may come between an append and the look whether it was applied. */
const MAX_RECENT = 20;

/** The newest of these names. */
function newestOf(commits: readonly string[]): string[] {
  return commits.slice(-MAX_RECENT);
}

/** Notes the name of an append; its records have the same one. */
function noteCommit(recent: string[], commit: string): void {
  if (commit === '' || recent.at(-1) === commit) return;
  recent.push(commit);
  if (recent.length > MAX_RECENT) recent.shift();
}

/** Replaces the state by the one that a rewritten log begins with. */
function takeState(state: MutableState, record: LedgerEntryOf<'state'>): void {
  const { version, recent } = state;
  Object.assign(state, emptyState(), { start: version, version, recent });
  for (const { nextSeq, ...response } of record.responses) {
    state.nextSeq = nextSeq;
    respond(state, response);
  }
  for (const id of record.refused) state.refused.add(id);
  for (const { seq, digest, id, sentId } of record.dropped) state.dropped.set(seq, { digest, id, sentId });
  for (const { seq, digest, id, sentId, copies, time } of record.possibleDuplicates)
    state.possibleDuplicates.set(seq, { digest, id, sentId, copies, time });
  for (const { id, pending } of record.removed) setRemoval(state, id, pending);
  for (const { id, digest } of record.operations) state.operations.set(id, digest);
  state.nextSeq = record.nextSeq;
  state.began = record.began;
  state.rewound = record.rewound;
  state.lease = record.lease;
  state.compacting = record.compacting;
  state.conversation = record.conversation;
  state.healed = record.healed;
  state.former = new Map(record.former.map(({ id, fate }) => [id, fate]));
  state.alias = record.alias;
  state.views = (record.views ?? []).map((view) => viewOf(view));
  state.metadata = record.metadata ?? {};
  state.forks = [...(record.forks ?? [])];
  state.drafts = record.drafts ?? state.drafts;
}

/** Puts entries behind those that are there, as they were when the log was rewritten. */
function takeEntries(state: MutableState, record: LedgerEntryOf<'entries'>): void {
  for (const {
    seq,
    kind,
    digest,
    id,
    item,
    origin,
    mirrorId,
    assumed = false,
    written,
    link,
    unlinked,
    adopted,
    skipped,
    commit,
    due,
  } of record.entries) {
    const places = { mirrorId, assumed, written, link, unlinked, adopted, skipped };
    const entry = {
      seq,
      kind,
      digest,
      id,
      item,
      origin,
      at: undefined,
      context: '',
      ...places,
      commit,
      due,
    };
    push(state, entry);
    if (mirrorId === undefined && skipped === undefined) state.unmirrored.set(seq, entry);
  }
}
