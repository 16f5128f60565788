import type { AgentInputItem } from '@openai/agents';
import { EMPTY_DIGEST, extendDigest, extendDigests } from '../items/digest.ts';
import { turnStarts } from '../items/read-item.ts';
import { callIdIn, tornCalls } from '../items/tool-calls.ts';
import type { Beginning, LedgerItem, LedgerStep } from './record.ts';
import {
  digestBeforeEntries,
  oncePerVersion,
  type LedgerEntry,
  type LedgerState,
  type View,
} from './state.ts';

/** The part of the history that a model sees. */
export interface SeenHistory {
  /** The number of items before the entries. */
  readonly before: number;
  /** The entries that a model sees, oldest first; only the newest ones if the state goes on from a checkpoint. */
  readonly entries: readonly LedgerEntry[];
  /** The digest of the context that ends with the first 0, 1, 2, ... of these entries. */
  readonly contextAt: (count: number) => string;
}

/** Whether a model that is shown a view sees an entry. */
function isShown({ from, left }: View, seq: number): boolean {
  return seq >= from || left.has(seq);
}

/** Whether a model still sees an entry. */
export function isSeen({ views }: Pick<LedgerState, 'views'>, seq: number): boolean {
  const view = views.at(-1);
  return view === undefined || isShown(view, seq);
}

/** The lowest sequence number that a view shows. */
export function firstShown({
  from,
  left = [],
}: {
  from: number;
  left?: Iterable<number> | undefined;
}): number {
  let first = from;
  for (const seq of left) first = Math.min(first, seq);
  return first;
}

/** Whether the compaction of a view stands for an entry. */
export function isCovered({ covers, left }: View, seq: number): boolean {
  return seq <= covers && !left.has(seq);
}

/** The part of the history that a model sees: all of it, or that after the newest compaction. */
export const seenHistory: (state: LedgerState) => SeenHistory = oncePerVersion(findSeen);

function findSeen(state: LedgerState): SeenHistory {
  const { views, resumedFrom, entries: all } = state;
  const view = views.at(-1);
  if (isWhole(state)) {
    const contextAt = (count: number): string =>
      count === 0 ? digestBeforeEntries(state) : (all[count - 1]?.context ?? '');
    return { before: resumedFrom?.length ?? 0, entries: all, contextAt };
  }
  const entries = all.filter(({ seq }) => isSeen(state, seq));
  const before = view === undefined ? (resumedFrom?.seen?.length ?? 0) : view.items.length;
  // Most callers read the entries alone.
  let contexts: string[] | undefined;
  const contextAt = (count: number): string => {
    if (contexts === undefined) {
      const beginning =
        view === undefined ? (resumedFrom?.seen?.digest ?? '') : extendDigests(EMPTY_DIGEST, view.items);
      contexts = [beginning];
      for (const { digest } of entries) contexts.push(extendDigest(contexts.at(-1) ?? '', digest));
    }
    return contexts[count] ?? '';
  };
  return { before, entries, contextAt };
}

/** The record from which on the newest view can be read; undefined if all records have to be read. */
export function beginningOf(state: LedgerState): Beginning | undefined {
  const { views, entries, resumedFrom } = state;
  const view = views.at(-1);
  if (view?.at === undefined) return resumedFrom?.seen?.begins;
  const known = resumedFrom?.resumePoint?.nextSeq ?? 0;
  if (firstShown(view) < known) return undefined;
  const [first] = seenHistory(state).entries;
  if (first !== undefined && first.at === undefined) return undefined;
  const at = Math.min(view.at, first?.at ?? view.at);
  const found = entries.findIndex((entry) => entry.at !== undefined && entry.at >= at);
  const index = found === -1 ? entries.length : found;
  return {
    at,
    length: (resumedFrom?.length ?? 0) + index,
    digest: entries[index - 1]?.context ?? digestBeforeEntries(state),
    nextSeq: entries[index]?.seq ?? state.nextSeq,
  };
}

/** The items of the newest compaction, which a model sees before the entries. */
export function compactedItems({ views }: Pick<LedgerState, 'views'>): readonly AgentInputItem[] {
  return views.at(-1)?.items.flatMap(({ item }) => item ?? []) ?? [];
}

/** The messages that the newest compaction keeps, and the compaction, oldest first; empty if the ledger lacks their content. */
export function compactedBeginning(state: LedgerState): readonly AgentInputItem[] {
  if (state.views.length === 0) return [];
  const shown = [...compactedItems(state), ...seenHistory(state).entries.map(({ item }) => item)];
  const beginning = shown.slice(0, shown.findIndex((item) => item?.type === 'compaction') + 1);
  return beginning.every((item) => item !== undefined) ? beginning : [];
}

/** The state, and the state without its newest compactions, newest first: the history as earlier requests saw it. */
export function statesBeforeViews(state: LedgerState): LedgerState[] {
  const states = state.views.map((_, index) => ({ ...state, views: state.views.slice(0, index) }));
  return [state, ...states.toReversed()];
}

/** A compaction, and the digest of the context that it stands for. */
export interface ReplacedContext {
  readonly digest: string;
  readonly items: readonly AgentInputItem[];
}

/** The compactions that stand for a history as earlier requests saw it, oldest first. */
export function replacedContexts({ views, entries }: LedgerState): ReplacedContext[] {
  return views.flatMap((view, index) => {
    if (view.items.length === 0) return [];
    const before = views[index - 1];
    const shown = before === undefined ? entries : entries.filter(({ seq }) => isShown(before, seq));
    const covered = shown.filter(({ seq }) => isCovered(view, seq));
    const beginning = extendDigests(EMPTY_DIGEST, before?.items ?? []);
    const items = compactedItems({ views: [view] });
    // A run that waited for a result has the calls; other requests leave them out.
    const torn = tornCalls(shown.flatMap(({ item }) => item ?? []));
    const sent = covered.filter(({ item }) => item === undefined || !torn.has(callIdIn(item) ?? ''));
    const contexts = new Set([covered, sent].map((part) => extendDigests(beginning, part)));
    return [...contexts].map((digest) => ({ digest, items }));
  });
}

/** The step that leaves all but the newest turns out of the view; none if there are no more than the slack allows. */
export function windowSteps(
  state: LedgerState,
  window: { readonly turns: number; readonly slack: number },
): LedgerStep[] {
  const { entries } = seenHistory(state);
  const kinds = entries.map(({ kind }) => kind);
  const starts = turnStarts(kinds);
  const first = entries[starts.at(-window.turns) ?? 0];
  // A model that reads on behind a compaction needs the compaction.
  const isCompacted = kinds.includes('compaction') || compactedItems(state).length > 0;
  if (first === undefined || isCompacted || starts.length <= window.turns + window.slack) return [];
  return [{ type: 'view', from: first.seq, items: [] }];
}

/** Whether a model sees the whole history. */
export function isWhole({ views, resumedFrom }: LedgerState): boolean {
  return views.length === 0 && resumedFrom?.seen === undefined;
}

/** The digest of the context of a model that is shown the history. */
export function seenDigest(state: LedgerState): string {
  const { entries, contextAt } = seenHistory(state);
  return contextAt(entries.length);
}

/** The number of items that a model sees. */
export function seenLength(state: LedgerState): number {
  const { before, entries } = seenHistory(state);
  return before + entries.length;
}

/**
 * The digest of a context after these items. A compaction among them ends the context before it.
 *
 * @param context the digest before the items.
 */
export function contextAfter(context: string, items: readonly Pick<LedgerItem, 'kind' | 'digest'>[]): string {
  const at = viewStart(items);
  return at === -1 ? extendDigests(context, items) : extendDigests(EMPTY_DIGEST, items.slice(at));
}

/**
 * The index of the first appended item that a model still sees; -1 if it sees the items before them, too.
 *
 * The API returns a compaction before the rest of a response, or behind the messages that it keeps, as the last item.
 */
export function viewStart(items: readonly Pick<LedgerItem, 'kind'>[]): number {
  const at = items.findLastIndex(({ kind }) => kind === 'compaction');
  return at === items.length - 1 && at !== -1 ? 0 : at;
}
