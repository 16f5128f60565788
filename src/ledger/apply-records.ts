import { exorcise, haunt } from './ghosts.ts';
import type { LedgerRecord } from './ledger-record.ts';
import type { LedgerEntry, LedgerState } from './ledger-state.ts';
import {
  create,
  cutAt,
  drop,
  enlist,
  leave,
  push,
  respond,
  unlist,
  type MutableState,
} from './mutable-state.ts';
import { moveAfter } from './session-move.ts';

/** Folds records into the state, in place: a session's history is too long to copy at every turn. */
export function applyRecords(target: LedgerState, records: readonly LedgerRecord[]): void {
  const state = target as MutableState;
  for (const record of records) {
    applyRecord(state, record);
    state.version += 1;
    state.newest = record.commit;
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
    case 'pop':
      drop(state, cutAt(state, Math.max(0, state.entries.length - 1)));
      return;
    case 'clear':
      for (const entry of state.entries)
        if (entry.mirrorId !== undefined) leave(state, entry.mirrorId, false);
      state.base = undefined;
      state.entries = [];
      state.responses = [];
      state.recorded.clear();
      state.contexts.clear();
      state.refused.clear();
      state.unmirrored.clear();
      state.dropped.clear();
      state.ghosts.clear();
      state.operations.clear();
      state.unproven = 0;
      state.cleared = true;
      state.bytes = 0;
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
      state.lease = { writer: record.writer, taken: record.time, until: record.until };
      return;
    case 'heal':
    case 'origin':
    case 'moved':
      if (record.type === 'heal' && state.move?.to !== undefined) state.abandoned.push(state.move.to);
      state.move = moveAfter(state.move, record);
      return;
    case 'repair':
  }
}

function replace(state: MutableState, record: Extract<LedgerRecord, { type: 'replace' }>): void {
  const cut = cutAt(state, record.keep);
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
  entry.link = undefined;
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
  for (const seq of record.unlinked ?? []) {
    const entry = state.unmirrored.get(seq);
    if (entry !== undefined) entry.link = undefined;
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
  for (const id of record.removed) leave(state, id, false);
  for (const { seq, reason } of record.skipped ?? []) {
    const entry = state.unmirrored.get(seq);
    if (entry === undefined) continue;
    entry.skipped = reason;
    state.unmirrored.delete(seq);
  }
}
