import { extendDigest } from '../items/digest.ts';
import { keepsId } from '../items/read-item.ts';
import type { Checkpoint, LedgerItem, LedgerRecord, RecordedFork, SessionMetadata } from './record.ts';
import type { Drafts } from './drafts/drafts.ts';
import {
  digestOf,
  type FormerConversation,
  type Lease,
  type LedgerEntry,
  type LedgerState,
  type RecordedResponse,
  type Written,
  type PossibleDuplicate,
  type View,
} from './state.ts';
import { isCovered } from './view.ts';
import { isObject, roughBytes } from '../util/json.ts';

/** A state while records are applied to it. */
export interface MutableState {
  start: number;
  version: number;
  newest: string;
  began: string | undefined;
  recent: string[];
  nextSeq: number;
  resumedFrom: Checkpoint | undefined;
  entries: LedgerEntry[];
  responses: RecordedResponse[];
  recorded: Set<string>;
  contexts: Map<string, readonly RecordedResponse[]>;
  refused: Set<string>;
  unmirrored: Map<number, LedgerEntry>;
  dropped: Map<number, Written>;
  possibleDuplicates: PossibleDuplicates;
  removed: Map<string, boolean>;
  pendingRemovals: number;
  operations: Map<string, string>;
  rewound: boolean;
  lease: Lease | undefined;
  compacting: Lease | undefined;
  conversation: string | undefined;
  healed: string | undefined;
  former: Map<string, FormerConversation>;
  alias: string | undefined;
  views: View[];
  metadata: SessionMetadata;
  forks: RecordedFork[];
  drafts: Drafts;
  bytes: number;
}

type Responded = Omit<Extract<LedgerRecord, { type: 'response' }>, 'v' | 'commit' | 'type'>;

export function respond(state: MutableState, record: Responded): void {
  const { id, time, store, model, parent, context, seen, history = digestOf(state) } = record;
  const { agent, plan, usage } = record;
  const { nextSeq } = state;
  const response: RecordedResponse = {
    id,
    time,
    store,
    model,
    parent,
    context,
    seen,
    nextSeq,
    history,
    agent,
    plan,
    usage,
  };
  state.responses.push(response);
  state.recorded.add(id);
  if (context === undefined) return;
  state.contexts.set(context.digest, [response, ...(state.contexts.get(context.digest) ?? [])]);
}

export function create(state: MutableState, item: LedgerItem, record: LedgerRecord): LedgerEntry {
  const { commit, time } = record;
  const isUnproven = record.type === 'items' && record.unproven === true;
  const entry: LedgerEntry = {
    seq: state.nextSeq,
    kind: item.kind,
    digest: item.digest,
    id: item.id,
    item: item.item,
    origin: commit,
    at: record.type === 'items' ? state.version : undefined,
    adopted: isUnproven || item.mirrorId !== undefined,
    context: '',
    mirrorId: undefined,
    assumed: false,
    link: item.link,
    unlinked: false,
    skipped: undefined,
    written: undefined,
    commit,
    due: time,
  };
  state.nextSeq += 1;
  if (item.mirrorId === undefined) state.unmirrored.set(entry.seq, entry);
  else setMirrorId(state, entry, item.mirrorId);
  return entry;
}

/** Records the entry's ID in the conversation, which is no longer to be removed. */
export function setMirrorId(state: MutableState, entry: LedgerEntry, id: string, assumed = false): void {
  entry.mirrorId = id;
  entry.assumed = assumed;
  state.unmirrored.delete(entry.seq);
  if (state.removed.get(id) === true) setRemoval(state, id, false);
}

/** @param isPending whether the conversation may still hold the ID. */
export function setRemoval(state: MutableState, id: string, isPending: boolean): void {
  state.pendingRemovals += Number(isPending) - Number(state.removed.get(id) === true);
  state.removed.set(id, isPending);
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
  return 400 + (item === undefined ? 0 : 2 * roughBytes(item));
}

export function drop(state: MutableState, dropped: readonly LedgerEntry[]): void {
  // A model must not see a removed item by its compaction: the view before that one returns.
  state.views = state.views.filter((view) => !dropped.some(({ seq }) => isCovered(view, seq)));
  for (const entry of dropped) {
    // A write of it may be under way, or have lost its answer.
    if (state.unmirrored.delete(entry.seq)) state.dropped.set(entry.seq, writtenAs(entry));
  }
  markForRemoval(
    state,
    dropped.flatMap(({ mirrorId }) => mirrorId ?? []),
  );
}

/** The item that a write of an entry leaves in the conversation. */
export function writtenAs(entry: LedgerEntry): Written {
  return { digest: entry.digest, id: entry.id, sentId: sentId(entry) };
}

/** Marks the IDs that no entry has any longer. */
export function markForRemoval(state: MutableState, ids: readonly string[]): void {
  if (ids.length === 0) return;
  // The API lists an item twice if it gets the same ID twice. The other one stays.
  const held = new Set(state.entries.map(({ mirrorId }) => mirrorId));
  for (const id of ids) if (!held.has(id)) setRemoval(state, id, true);
}

/** The session has no conversation any more: none of the items has a place, and nothing has to leave it. */
export function leaveConversation(state: MutableState, fate: FormerConversation): void {
  if (state.conversation !== undefined) state.former.set(state.conversation, fate);
  state.conversation = undefined;
  state.healed = undefined;
  state.unmirrored.clear();
  state.dropped.clear();
  state.possibleDuplicates.clear();
  state.removed.clear();
  state.pendingRemovals = 0;
  state.lease = undefined;
}

/** Every item is to be written to another conversation: linked under the ID that the API stores it by, where that is known. */
export function enterConversation(state: MutableState, id: string, { commit, time }: LedgerRecord): void {
  const healed = state.conversation;
  leaveConversation(state, 'kept');
  state.conversation = id;
  state.healed = healed;
  state.alias = undefined;
  const linked = new Set<string>();
  state.entries = state.entries.map((entry): LedgerEntry => {
    const link = entry.mirrorId ?? entry.link;
    // The API refuses to list an item twice.
    const isNew = link !== undefined && !linked.has(link) && !entry.unlinked;
    if (link !== undefined) linked.add(link);
    return {
      ...entry,
      id: entry.id ?? entry.mirrorId,
      mirrorId: undefined,
      assumed: false,
      written: undefined,
      link: isNew ? link : undefined,
      skipped: undefined,
      // Without a conversation before, another writer's items may be in this one already.
      ...(healed === undefined && entry.mirrorId === undefined ? {} : { commit, due: time }),
    };
  });
  for (const entry of state.entries) state.unmirrored.set(entry.seq, entry);
}

/** The records that led to this state were replaced by others, which end at that version. */
export function skipTo(state: LedgerState, version: number): void {
  (state as MutableState).version = version;
  for (const entry of state.entries) entry.at = undefined;
  (state as MutableState).views = state.views.map((view) => ({ ...view, at: undefined }));
}

/** The store has lost records, which the ledger does not say yet. */
export function markRewound(state: LedgerState): void {
  (state as MutableState).rewound = true;
}

/** Writes that may have been applied unseen, by sequence number. */
export type PossibleDuplicates = Map<number, PossibleDuplicate>;

export function addPossibleDuplicate(
  possibleDuplicates: PossibleDuplicates,
  seq: number,
  item: Written,
  time: number,
): void {
  const { digest, id, sentId } = item;
  possibleDuplicates.set(seq, {
    digest,
    id,
    sentId,
    copies: (possibleDuplicates.get(seq)?.copies ?? 0) + 1,
    time,
  });
}

export function removePossibleDuplicate(possibleDuplicates: PossibleDuplicates, seq: number): void {
  const write = possibleDuplicates.get(seq);
  if (write === undefined) return;
  if (write.copies > 1) possibleDuplicates.set(seq, { ...write, copies: write.copies - 1 });
  else possibleDuplicates.delete(seq);
}

/** The ID under which an entry may be sent to the conversation, where the API links the stored item of that ID. */
export function sentId({
  kind,
  id,
  item,
  link,
  unlinked,
}: Pick<LedgerEntry, 'kind' | 'id' | 'item' | 'link' | 'unlinked'>): string | undefined {
  if (link !== undefined || unlinked) return link;
  if (!keepsId(kind)) return undefined;
  const data = item?.providerData;
  const inside = isObject(data) ? data['id'] : undefined;
  return id ?? (typeof inside === 'string' ? inside : undefined);
}
