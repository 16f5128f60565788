import type { AgentInputItem } from '@openai/agents';
import { EMPTY_DIGEST } from '../items/digest.ts';
import type {
  AnswerFacts,
  Checkpoint,
  LedgerItem,
  RecordedContext,
  RecordedFork,
  SessionMetadata,
} from './record.ts';
import type { Drafts } from './drafts/drafts.ts';

/** The right to write to the conversation: whose, and from when until when by the clock of that process. */
export interface Lease {
  readonly writer: string;
  readonly taken: number;
  readonly until: number;
}

/** One item of the history as the ledger knows it. */
export interface LedgerEntry {
  /** Counts the items ever appended; stays the same when the position changes. */
  readonly seq: number;
  readonly kind: string;
  readonly digest: string | null;
  readonly id: string | undefined;
  readonly item: AgentInputItem | undefined;
  /** The commit that brought it. Its writer has the content if the ledger does not. */
  readonly origin: string;
  /** The position of its record; undefined if the log was rewritten since. */
  at: number | undefined;
  /** Whether it was taken from the conversation's list: items beside it may have been lost before. */
  readonly adopted: boolean;
  /** The digest of the history up to and with this entry. */
  context: string;
  /** The ID it has in the conversation; undefined as long as it is not there. */
  mirrorId: string | undefined;
  /** The list has never shown the item: `mirrorId` is its ID in a response, and the conversation may have another one. */
  assumed: boolean;
  /** The request that wrote it to the conversation; undefined for an item that was adopted from there. */
  written: WrittenBy | undefined;
  /** The ID by which the conversation is asked to link it; undefined when it is written by its content. */
  link: string | undefined;
  /** The API holds nothing, or something else, under its ID: it is sent without one. */
  unlinked: boolean;
  /** Why the conversation can never hold it. */
  skipped: string | undefined;
  /** The commit that made it pending for the conversation. Its writer writes it there. */
  commit: string;
  /** When, in milliseconds since the epoch. */
  due: number;
}

/** One request that wrote items to the conversation. */
export interface WrittenBy {
  /** The commit that recorded it: the same for all items of the request. */
  readonly commit: string;
  /** When it was recorded, in milliseconds since the epoch. */
  readonly time: number;
}

/** A response and how far the session had come when it was recorded. */
export interface RecordedResponse extends AnswerFacts {
  readonly id: string;
  readonly time: number;
  readonly store: boolean;
  readonly model: string | undefined;
  readonly parent: string | undefined;
  readonly context: RecordedContext | undefined;
  /** The input of its model, each field where it was compared: how many items the list lacked, and whether the history was whole. */
  readonly seen: { readonly lost?: number | undefined; readonly whole?: boolean | undefined } | undefined;
  /** The sequence number of the next item at that moment: its turn's items come before it. */
  readonly nextSeq: number;
  /** The digest of the whole history at that moment. */
  readonly history: string;
}

/** The item that a write of an entry may have left in the conversation: its content, or the stored item of the ID it was sent with. */
export interface Written extends Pick<LedgerEntry, 'digest' | 'id'> {
  readonly sentId: string | undefined;
}

/** A write that may have been applied and was not seen. */
export interface PossibleDuplicate extends Written {
  readonly copies: number;
  /** When the last of these writes was given up, in milliseconds since the epoch. */
  readonly time: number;
}

/** The fate of a conversation that a session has left: it stays at the API, is still to be deleted, or is deleted. */
export type FormerConversation = 'kept' | 'due' | 'deleted';

/** A compaction: a model sees it in place of the earlier history, which the ledger keeps. */
export interface View {
  /** The sequence number from which on a model sees every entry. */
  readonly from: number;
  /** The sequence numbers of the earlier entries that a model still sees. */
  readonly left: ReadonlySet<number>;
  /** The items before these entries, oldest first. Empty if the entries hold the compaction. */
  readonly items: readonly LedgerItem[];
  /** The highest sequence number of the entries that the compaction stands for. Without one of them the view ends. */
  readonly covers: number;
  /** The position of its record; undefined if the log was rewritten since. */
  readonly at: number | undefined;
}

/** The contents of a session, folded from its records by `applyRecords`. */
export interface LedgerState {
  /** The position of the first record of the log. */
  readonly start: number;
  readonly version: number;
  /** The name of the append that the newest record belongs to. */
  readonly newest: string;
  /** The name of the append that the session began with; undefined where a ledger of an earlier version does not tell. */
  readonly began: string | undefined;
  /** The names of the newest appends, oldest first: no more than it takes to recognise one whose response was lost. */
  readonly recent: readonly string[];
  readonly nextSeq: number;
  /** The checkpoint that the state goes on from, where earlier records were not read. */
  readonly resumedFrom: Checkpoint | undefined;
  readonly entries: readonly LedgerEntry[];
  readonly responses: readonly RecordedResponse[];
  /** The IDs of the responses. */
  readonly recorded: ReadonlySet<string>;
  /** The responses whose context is known, by its digest, newest first. */
  readonly contexts: ReadonlyMap<string, readonly RecordedResponse[]>;
  /** The responses from which the server refused to continue, and the items that it refused. */
  readonly refused: ReadonlySet<string>;
  /** Entries that the conversation does not hold yet, by sequence number, in order. */
  readonly unmirrored: ReadonlyMap<number, LedgerEntry>;
  /** Entries that left the history before it was known whether the conversation holds them, by sequence number. */
  readonly dropped: ReadonlyMap<number, Written>;
  /** Writes that may have been applied unseen, by sequence number. */
  readonly possibleDuplicates: ReadonlyMap<number, PossibleDuplicate>;
  /** Every ID that was taken out of the history; true while the conversation may still hold it. */
  readonly removed: ReadonlyMap<string, boolean>;
  /** How many of these the conversation may still hold. */
  readonly pendingRemovals: number;
  /** Digests of the history transactions that were applied, by operation ID. */
  readonly operations: ReadonlyMap<string, string>;
  /** The store has lost records of the session, and not all of them were appended again. */
  readonly rewound: boolean;
  /** The process that may write to the conversation, and from when until when by its clock. */
  readonly lease: Lease | undefined;
  /** The process that may compact the history, as long as there is no new view. */
  readonly compacting: Lease | undefined;
  /** The conversation that the history is mirrored to; undefined until there is one. */
  readonly conversation: string | undefined;
  /** The conversation that was healed by beginning the current one. */
  readonly healed: string | undefined;
  /** Earlier conversations of the session, oldest first. */
  readonly former: ReadonlyMap<string, FormerConversation>;
  /** The session whose conversation has this ledger's ID for its own. */
  readonly alias: string | undefined;
  /** The compactions of the history, oldest first. A model sees the newest. */
  readonly views: readonly View[];
  /** The app's values. */
  readonly metadata: SessionMetadata;
  /** The sessions that went on from a turn of this one, oldest first. */
  readonly forks: readonly RecordedFork[];
  /** Runs that go on, and turns of runs that did not come to their end. Replaced, never changed in place. */
  readonly drafts: Drafts;
  /** The memory that the entries' content takes, in bytes, approximately. */
  readonly bytes: number;
}

/** The state of a session with no records. */
export function emptyState(): LedgerState {
  return {
    start: 0,
    version: 0,
    newest: '',
    began: undefined,
    recent: [],
    nextSeq: 0,
    resumedFrom: undefined,
    entries: [],
    responses: [],
    recorded: new Set(),
    contexts: new Map(),
    refused: new Set(),
    unmirrored: new Map(),
    dropped: new Map(),
    possibleDuplicates: new Map(),
    removed: new Map(),
    pendingRemovals: 0,
    operations: new Map(),
    rewound: false,
    lease: undefined,
    compacting: undefined,
    conversation: undefined,
    healed: undefined,
    former: new Map(),
    alias: undefined,
    views: [],
    metadata: {},
    forks: [],
    drafts: { open: [], interrupted: [] },
    bytes: 0,
  };
}

/** How many changes the conversation does not have yet, or may not have. */
export function pendingChanges({ unmirrored, dropped, pendingRemovals }: LedgerState): number {
  return unmirrored.size + dropped.size + pendingRemovals;
}

/** How many items are not proven: those that a list gave, which may have lost others before, and all where records were lost. */
export function unprovenIn({ entries, rewound }: Pick<LedgerState, 'entries' | 'rewound'>): number {
  return rewound ? entries.length : entries.filter(({ adopted }) => adopted).length;
}

/** The digest of the whole history. */
export function digestOf(state: LedgerState): string {
  return state.entries.at(-1)?.context ?? digestBeforeEntries(state);
}

/** The digest of the history before the entries. */
export function digestBeforeEntries(state: LedgerState): string {
  return state.resumedFrom?.digest ?? EMPTY_DIGEST;
}

/** How many items the history has, read back or not. */
export function lengthOf(state: LedgerState): number {
  return (state.resumedFrom?.length ?? 0) + state.entries.length;
}

/** The cleared conversations that are still to be deleted. */
export function conversationsToDelete({ former }: Pick<LedgerState, 'former'>): string[] {
  return [...former].flatMap(([id, fate]) => (fate === 'due' ? [id] : []));
}

/** How many changes the conversations may lack, including those before the entries. */
export function pendingAt(state: LedgerState): number {
  return (
    (state.resumedFrom?.resumePoint?.pending ?? 0) +
    pendingChanges(state) +
    conversationsToDelete(state).length
  );
}

/** A function that works a result out once for each version of a state, which changes in place. */
export function oncePerVersion<S extends Pick<LedgerState, 'version'>, T>(
  work: (state: S) => T,
): (state: S) => T {
  const known = new WeakMap<S, { readonly version: number; readonly result: T }>();
  return (state) => {
    const { version } = state;
    const found = known.get(state);
    if (found?.version === version) return found.result;
    const result = work(state);
    known.set(state, { version, result });
    return result;
  };
}

/** A state as it is now: the ledger's own changes in place with every append. */
export function copyState(state: LedgerState): LedgerState {
  const entries = state.entries.map((entry): LedgerEntry => ({ ...entry }));
  const copies = new Map(entries.map((entry) => [entry.seq, entry]));
  const unmirrored = [...state.unmirrored].map(
    ([seq, entry]) => [seq, copies.get(seq) ?? { ...entry }] as const,
  );
  return {
    ...state,
    recent: [...state.recent],
    entries,
    unmirrored: new Map(unmirrored),
    responses: [...state.responses],
    recorded: new Set(state.recorded),
    contexts: new Map(state.contexts),
    refused: new Set(state.refused),
    dropped: new Map(state.dropped),
    possibleDuplicates: new Map(state.possibleDuplicates),
    removed: new Map(state.removed),
    operations: new Map(state.operations),
    former: new Map(state.former),
    views: [...state.views],
    forks: [...state.forks],
  };
}
