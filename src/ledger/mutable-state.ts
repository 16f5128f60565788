import { extendDigest } from './digest.ts';
import type { Ghosts } from './ghosts.ts';
import type { LedgerHead, LedgerItem, LedgerRecord } from './ledger-record.ts';
import type { SessionMove } from './session-move.ts';
import { digestOf, type Lease, type LedgerEntry, type RecordedResponse } from './ledger-state.ts';

/** A state while records are applied to it. */
export interface MutableState {
  version: number;
  newest: string;
  nextSeq: number;
  base: LedgerHead | undefined;
  entries: LedgerEntry[];
  responses: RecordedResponse[];
  recorded: Set<string>;
  contexts: Map<string, readonly RecordedResponse[]>;
  refused: Set<string>;
  unmirrored: Map<number, LedgerEntry>;
  dropped: Map<number, Pick<LedgerEntry, 'digest' | 'id'>>;
  ghosts: Ghosts;
  removed: Map<string, boolean>;
  leaving: number;
  operations: Map<string, string>;
  unproven: number;
  lease: Lease | undefined;
  move: SessionMove | undefined;
  abandoned: string[];
  cleared: boolean;
  bytes: number;
}

type Responded = Omit<Extract<LedgerRecord, { type: 'response' }>, 'v' | 'commit' | 'type'>;

export function respond(state: MutableState, record: Responded): void {
  const { id, time, store, model, parent, context, seen, history = digestOf(state) } = record;
  const { nextSeq } = state;
  const response: RecordedResponse = { id, time, store, model, parent, context, seen, nextSeq, history };
  state.responses.push(response);
  state.recorded.add(id);
  if (context === undefined) return;
  state.contexts.set(context.digest, [response, ...(state.contexts.get(context.digest) ?? [])]);
}

export function create(state: MutableState, item: LedgerItem, { commit, time }: LedgerRecord): LedgerEntry {
  const entry: LedgerEntry = {
    seq: state.nextSeq,
    kind: item.kind,
    digest: item.digest,
    id: item.id,
    item: item.item,
    origin: commit,
    context: '',
    mirrorId: undefined,
    link: item.link,
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
export function enlist(state: MutableState, entry: LedgerEntry, id: string): void {
  entry.mirrorId = id;
  state.unmirrored.delete(entry.seq);
  if (state.removed.get(id) === true) leave(state, id, false);
}

/** An ID was taken out of the history; whether the conversation may still hold it. */
export function leave(state: MutableState, id: string, isThere: boolean): void {
  state.leaving += Number(isThere) - Number(state.removed.get(id) === true);
  state.removed.set(id, isThere);
}

export function push(state: MutableState, entry: LedgerEntry): void {
  entry.context = extendDigest(digestOf(state), entry.digest);
  state.entries.push(entry);
  state.bytes += bytesOf(entry);
}

export function cutAt(state: MutableState, keep: number): LedgerEntry[] {
  const cut = state.entries.splice(keep);
  for (const entry of cut) state.bytes -= bytesOf(entry);
  return cut;
}

/** Strings take up to two bytes a character; the entry itself a few hundred. */
function bytesOf({ item }: LedgerEntry): number {
  return 400 + (item === undefined ? 0 : 2 * JSON.stringify(item).length);
}

export function drop(state: MutableState, dropped: readonly LedgerEntry[]): void {
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
export function unlist(state: MutableState, ids: readonly string[]): void {
  if (ids.length === 0) return;
  // The API lists an item twice when it is given the same ID twice: the other one stays.
  const held = new Set(state.entries.map(({ mirrorId }) => mirrorId));
  for (const id of ids) if (!held.has(id)) leave(state, id, true);
}
