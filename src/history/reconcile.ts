import type { AgentInputItem } from '@openai/agents';
import { kindOf } from '../ledger/canonical-form.ts';
import { itemDigest } from '../ledger/digest.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import type { Finding } from './finding.ts';
import { longestIncreasing } from './longest-increasing.ts';

/** An item of the conversation's list, in the SDK's form. */
export interface ListedItem {
  readonly id: string;
  readonly item: AgentInputItem;
}

/** An item that another writer put in the list, and where it belongs. */
export interface ForeignItem extends ListedItem {
  /** The position in the history before which it stands. */
  readonly index: number;
}

/** What the list says about the ledger. */
export interface Reconciliation {
  readonly findings: readonly Finding[];
  /** Entries that turn out to be in the conversation already: a write whose answer got lost. */
  readonly relinked: readonly { readonly seq: number; readonly id: string }[];
  readonly foreign: readonly ForeignItem[];
}

/**
 * Compares the ledger with the conversation's list, oldest first. Pure: the same two give the same answer.
 *
 * Items are the same by ID; an entry whose ID in the conversation is not known yet is found by its digest.
 */
export function reconcile(state: LedgerState, list: readonly ListedItem[]): Reconciliation {
  const known = new Map<string, number>();
  state.entries.forEach((entry, index) => {
    if (entry.mirrorId !== undefined) known.set(entry.mirrorId, index);
  });
  const relinked = relink(state, list, known);
  const seen = new Set<string>();
  const findings: Finding[] = [];
  const matched: { position: number; index: number }[] = [];
  const strangers: { position: number; listed: ListedItem }[] = [];
  list.forEach((listed, position) => {
    const index = known.get(listed.id);
    if (seen.has(listed.id)) {
      if (!state.removed.has(listed.id)) {
        findings.push({
          type: 'duplicated',
          id: listed.id,
          kind: kindOf(listed.item),
          index: index ?? position,
        });
      }
      return;
    }
    seen.add(listed.id);
    if (index !== undefined) {
      matched.push({ position, index });
      if (isAltered(state.entries[index], listed.item)) {
        findings.push({ type: 'altered', id: listed.id, kind: kindOf(listed.item), index });
      }
    } else if (!state.removed.has(listed.id)) {
      strangers.push({ position, listed });
    }
  });
  const inOrder = longestIncreasing(matched.map(({ index }) => index));
  const anchors = matched.filter((_, at) => inOrder.has(at));
  matched.forEach(({ index }, at) => {
    const entry = state.entries[index];
    if (!inOrder.has(at) && entry?.mirrorId !== undefined) {
      findings.push({ type: 'reordered', id: entry.mirrorId, kind: entry.kind, index });
    }
  });
  state.entries.forEach((entry, index) => {
    if (entry.mirrorId !== undefined && !seen.has(entry.mirrorId)) {
      findings.push({ type: 'lost', id: entry.mirrorId, kind: entry.kind, index });
    }
  });
  // Behind everything the conversation holds, before what is still to be written there.
  const written = new Set(relinked.map(({ seq }) => seq));
  const end =
    state.entries.findLastIndex((entry) => entry.mirrorId !== undefined || written.has(entry.seq)) + 1;
  const foreign = strangers.map(({ position, listed }): ForeignItem => {
    const next = anchors.find((anchor) => anchor.position > position);
    return { ...listed, index: next?.index ?? end };
  });
  for (const { id, item, index } of foreign)
    findings.push({ type: 'foreign', id, kind: kindOf(item), index });
  return { findings, relinked, foreign };
}

function relink(
  state: LedgerState,
  list: readonly ListedItem[],
  known: Map<string, number>,
): { seq: number; id: string }[] {
  if (state.unmirrored.size === 0) return [];
  const unknown = new Map(list.map((listed) => [listed.id, listed]));
  const free = new Map<string, string[]>();
  for (const [id, { item }] of unknown) {
    if (known.has(id) || state.removed.has(id)) continue;
    const key = itemDigest(item) ?? `id ${id}`;
    free.set(key, [...(free.get(key) ?? []), id]);
  }
  const relinked: { seq: number; id: string }[] = [];
  const indexes = new Map(state.entries.map((entry, index) => [entry.seq, index]));
  for (const entry of state.unmirrored.values()) {
    const id = free.get(entry.digest ?? `id ${entry.id ?? ''}`)?.shift();
    const index = indexes.get(entry.seq);
    if (id === undefined || index === undefined) continue;
    known.set(id, index);
    relinked.push({ seq: entry.seq, id });
  }
  return relinked;
}

function isAltered(entry: LedgerEntry | undefined, item: AgentInputItem): boolean {
  return entry !== undefined && entry.digest !== null && entry.digest !== itemDigest(item);
}
