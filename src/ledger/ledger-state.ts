import type { AgentInputItem } from '@openai/agents';
import { EMPTY_DIGEST, markOf } from './digest.ts';
import { LEDGER_FORMAT, MOVE_FORMAT, type LedgerHead } from './ledger-record.ts';
import type { SessionMove } from './session-move.ts';

/** A head has a size that does not grow: of what is to leave the conversation it names at most so many. */
const MOST_MARKS = 40;

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
  /** The append that brought it: whoever made that has its content where the ledger does not. */
  readonly origin: string;
  /** The digest of the history up to and with this entry. */
  context: string;
  /** The ID it has in the conversation; undefined as long as it is not there. */
  mirrorId: string | undefined;
  /** The ID by which the conversation is asked to link it; undefined when it is written by its content. */
  link: string | undefined;
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
  readonly context:
    | {
        readonly length: number;
        readonly digest: string;
        readonly bytes?: number | undefined;
        /** When the oldest response was made that this one goes back to, unless that is itself. */
        readonly since?: number | undefined;
        readonly open?: readonly string[] | undefined;
      }
    | undefined;
  /** What its model was shown, each where it was looked at: what the list lacked, and whether the history was whole. */
  readonly seen: { readonly lost?: number | undefined; readonly whole?: boolean | undefined } | undefined;
  /** The sequence number of the next item at that moment: its turn's items come before it. */
  readonly nextSeq: number;
  /** The digest of the whole history at that moment. */
  readonly history: string;
}

/** A write that may have been applied and was not seen. */
export interface Ghost extends Pick<LedgerEntry, 'digest' | 'id'> {
  readonly copies: number;
}

/** What a session contains, as a fold over its records: see `applyRecords`. */
export interface LedgerState {
  readonly version: number;
  /** The name of the append that the newest record belongs to. */
  readonly newest: string;
  readonly nextSeq: number;
  /** What lies before the entries and is not read. */
  readonly base: LedgerHead | undefined;
  readonly entries: readonly LedgerEntry[];
  readonly responses: readonly RecordedResponse[];
  /** The IDs of the responses. */
  readonly recorded: ReadonlySet<string>;
  /** The responses whose context is known, by its digest, newest first. */
  readonly contexts: ReadonlyMap<string, readonly RecordedResponse[]>;
  /** The responses from which the server refused to continue. */
  readonly refused: ReadonlySet<string>;
  /** Entries that the conversation does not hold yet, by sequence number, in order. */
  readonly unmirrored: ReadonlyMap<number, LedgerEntry>;
  /** Entries that left the history before it was known whether the conversation holds them, by sequence number. */
  readonly dropped: ReadonlyMap<number, Pick<LedgerEntry, 'digest' | 'id'>>;
  /** What may be in the conversation once more than the ledger knows, by sequence number: how often at most. */
  readonly ghosts: ReadonlyMap<number, Ghost>;
  /** Every ID that was taken out of the history; true while the conversation may still hold it. */
  readonly removed: ReadonlyMap<string, boolean>;
  /** How many of these the conversation may still hold. */
  readonly leaving: number;
  /** Digests of the history transactions that were applied, by operation ID. */
  readonly operations: ReadonlyMap<string, string>;
  /** How many items were adopted from a list of which the ledger knew nothing. */
  readonly unproven: number;
  /** Who may write to the conversation, and from when until when by the clock of that process. */
  readonly lease: Lease | undefined;
  /** Where the session came from and where it goes; undefined for most. */
  readonly move: SessionMove | undefined;
  /** Conversations that its history was to be written to before another one was begun. */
  readonly abandoned: readonly string[];
  /** Whether the session was cleared and its conversation may still exist. */
  readonly cleared: boolean;
  /** About what the entries' content takes in memory, in bytes. */
  readonly bytes: number;
}

/** The state of a session with no records. */
export function emptyState(): LedgerState {
  return {
    version: 0,
    newest: '',
    nextSeq: 0,
    base: undefined,
    entries: [],
    responses: [],
    recorded: new Set(),
    contexts: new Map(),
    refused: new Set(),
    unmirrored: new Map(),
    dropped: new Map(),
    ghosts: new Map(),
    removed: new Map(),
    leaving: 0,
    operations: new Map(),
    unproven: 0,
    lease: undefined,
    move: undefined,
    abandoned: [],
    cleared: false,
    bytes: 0,
  };
}

/** How many changes the conversation does not have yet, or may not have. */
export function pendingChanges({ unmirrored, dropped, leaving }: LedgerState): number {
  return unmirrored.size + dropped.size + leaving;
}

/** The digest of the whole history. */
export function digestOf(state: LedgerState): string {
  return state.entries.at(-1)?.context ?? baseDigest(state);
}

/** The digest of what lies before the entries. */
export function baseDigest(state: LedgerState): string {
  return state.base?.digest ?? EMPTY_DIGEST;
}

/** How many items the history has, read back or not. */
export function lengthOf(state: LedgerState): number {
  return (state.base?.length ?? 0) + state.entries.length;
}

/** What a head says of a move, in the format that goes with it. */
export function moveOf(move: SessionMove | undefined): Pick<LedgerHead, 'format' | 'move'> {
  return move === undefined ? { format: LEDGER_FORMAT } : { format: MOVE_FORMAT, move };
}

/** The head that the store keeps beside the records, without what it takes to go on from it. */
export function headOf(state: LedgerState): LedgerHead {
  const newest = state.responses.at(-1);
  return {
    ...moveOf(state.move),
    version: state.version,
    length: lengthOf(state),
    digest: digestOf(state),
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
    ...(state.cleared ? { cleared: true } : {}),
    ...leavingOf(marksOf(state)),
  };
}

/** Marks of what the conversation may hold and the history does not, by ID or digest; no more than a head has room for. */
export function marksOf({ base, leaving, removed, dropped }: LedgerState): readonly string[] {
  const before = base?.leaving ?? [];
  if (leaving + dropped.size === 0) return before;
  const due = [...removed].flatMap(([id, isThere]) => (isThere ? [id] : []));
  // Nobody knows the ID of what may have been written unseen.
  const unseen = Array.from(dropped.values(), ({ digest, id = '' }) => digest ?? id);
  return [...before, ...[...due, ...unseen].slice(-MOST_MARKS).map((one) => markOf(one))].slice(-MOST_MARKS);
}

/** What a head says of it. */
export function leavingOf(marks: readonly string[] = []): Pick<LedgerHead, 'leaving'> {
  return marks.length === 0 ? {} : { leaving: marks };
}

/** How many changes the conversation may lack, with what lies before the entries. */
export function pendingAt(state: LedgerState): number {
  return (state.base?.tip?.pending ?? 0) + pendingChanges(state);
}
