import type { Checkpoint, LedgerRecord, LedgerStep } from '../record.ts';
import type { LedgerPage, LedgerStore } from '../store.ts';
import { hash } from 'node:crypto';
import { stableJson } from '../../util/json.ts';

/** How far a ledger had come, and the name of the append that brought it there; empty where it is not known. */
export interface SeenLedger {
  readonly version: number;
  readonly commit: string;
  /** The append that the session began with, where it is known. */
  readonly began: string | undefined;
}

/** A store that shows less of a session than before. */
export interface Rewind {
  readonly seen: SeenLedger;
  /** The version that it shows now; 0: nothing, or another session of the same name. */
  readonly version: number;
  /** Whether the ledger says that records are lost, or none are. */
  isRecorded: boolean;
}

/** The end of a ledger as a page shows it, and the append that stands at a position. */
export interface Shown {
  /** The version, or the most that it can be. */
  readonly version: number;
  readonly isExact: boolean;
  readonly commitAt: (position: number) => string | undefined;
  /** The append that the session began with, where the page tells. */
  readonly began: string | undefined;
}

export function shownBy({ start, records }: LedgerPage, from: number): Shown {
  const first = start ?? from;
  const [record] = records;
  return {
    version: first + records.length,
    isExact: records.length > 0,
    commitAt: (position) => records[position - first]?.commit,
    began: first === 0 ? record?.commit : record?.type === 'state' ? record.began : undefined,
  };
}

export function shownByCheckpoint(checkpoint: Checkpoint | undefined): Shown {
  const { version = 0, resumePoint, began } = checkpoint ?? {};
  return {
    version,
    isExact: true,
    commitAt: (position) => (position === version - 1 ? resumePoint?.commit : undefined),
    began,
  };
}

/** Whether a ledger is that of another session, which began under the same name after a deletion. */
export function isOfAnother({ began }: Pick<Shown, 'began'>, seen: SeenLedger): boolean {
  return began !== undefined && seen.began !== undefined && began !== seen.began;
}

/** Whether a store shows less than was seen before: fewer records, or another one in the place of the newest. */
export function isRewound(shown: Shown, seen: SeenLedger | undefined): boolean {
  if (seen === undefined) return false;
  const { version, commitAt } = shown;
  if (version > 0 && isOfAnother(shown, seen)) return true;
  const commit = commitAt(seen.version - 1);
  // A record that was damaged since has no name.
  return version < seen.version || (Boolean(commit) && seen.commit !== '' && commit !== seen.commit);
}

/** The newer of two; at the same version the one that knows the append. */
export function newerOf(
  seen: SeenLedger | undefined,
  { version, isExact, commitAt, began = seen?.began }: Shown,
): SeenLedger | undefined {
  if (version === 0 || !isExact) return seen;
  const isKnown = seen !== undefined && seen.commit !== '' && seen.version === version;
  if (isKnown || version < (seen?.version ?? 0)) return seen;
  return { version, commit: commitAt(version - 1) ?? '', began };
}

/** Whether a ledger was gone and nothing says so yet: the next append does, so that a read never writes erased items. */
export function isUnrecorded(rewind: Rewind | undefined): boolean {
  return rewind?.version === 0 && !rewind.isRecorded;
}

/** An append of which it is not known whether the store will still apply it. */
export interface UnresolvedAppend {
  readonly commit: string;
  /** The version at which it takes effect, if it does. */
  readonly expected: number;
  /** The fingerprint of its items. */
  readonly items: string;
}

/** A session's ledger as this process knows it. All its session objects share it. */
export interface KnownLedger {
  /** The newest append of items that was given up, until the next append of items. */
  unresolved?: UnresolvedAppend | undefined;
  /** The newest that the store showed or took. */
  seen?: SeenLedger | undefined;
  /** The last time that the store had lost records. */
  rewind?: Rewind | undefined;
  /** The version to which this process has last cleared the session. */
  cleared?: number | undefined;
}

/** For each store so many sessions, those used last. */
const MAX_SESSIONS = 10_000;

const stores = new WeakMap<object, Map<string, KnownLedger>>();

/** The same for every ledger of this session on this store object. */
export function knownLedger(store: object, sessionId: string): KnownLedger {
  let sessions = stores.get(store);
  if (sessions === undefined) stores.set(store, (sessions = new Map()));
  const known = sessions.get(sessionId) ?? {};
  sessions.delete(sessionId);
  sessions.set(sessionId, known);
  const [oldest] = sessions.keys();
  if (sessions.size > MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
  return known;
}

/** Deletes a session from a store: this process does not miss it. */
export async function deleteLedger(store: LedgerStore, sessionId: string): Promise<void> {
  forget(knownLedger(store, sessionId));
  await store.delete(sessionId);
}

/** The session is deleted: nothing is known of it any more. */
export function forget(known: KnownLedger): void {
  known.unresolved = undefined;
  known.seen = undefined;
  known.rewind = undefined;
  known.cleared = undefined;
}

/** An append is given up that the store may still apply: the next append of the same items is the same append. */
export function noteUnresolved(
  known: KnownLedger,
  records: readonly LedgerRecord[],
  append: Omit<UnresolvedAppend, 'items'>,
): void {
  const items = fingerprintOf(records);
  if (items !== undefined) known.unresolved = { ...append, items };
}

/** The append that was given up, if these steps repeat it; where they add other items it is no longer waited for. */
export function takeUnresolved(
  known: KnownLedger,
  steps: readonly LedgerStep[],
): UnresolvedAppend | undefined {
  const { unresolved } = known;
  const items = unresolved && fingerprintOf(steps);
  if (unresolved === undefined || items === undefined) return undefined;
  known.unresolved = undefined;
  return unresolved.items === items ? unresolved : undefined;
}

/** Tells appends of different items apart; undefined for one that adds none. */
function fingerprintOf(steps: readonly (LedgerRecord | LedgerStep)[]): string | undefined {
  const added = steps.flatMap((step) => (step.type === 'items' ? step.items : []));
  return added.length === 0 ? undefined : hash('sha256', stableJson(added), 'base64url');
}
