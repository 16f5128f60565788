import type { AgentInputItem } from '@openai/agents';
import type { RestoredItem } from './restore.ts';
import type { LedgerEntry, LedgerState, RecordedResponse } from '../ledger/state.ts';
import { compactedItems } from '../ledger/view.ts';
import {
  danglingReasoning,
  encryptedContentOf,
  isReasoning,
  isReplayable,
  lostKey,
} from '../items/reasoning.ts';
import { callIdIn, tornCalls } from '../items/tool-calls.ts';

/** The limits after which a response no longer holds its items. */
export interface ReplayLimits {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds for which a response can be continued. */
  readonly responseTtl: number;
}

/**
 * The keys of the items that cannot be sent to a server again: calls and results without each other, reasoning without a following
 * item, reasoning that is not stored, and refused items. Pure.
 */
export function unreplayable(
  state: LedgerState,
  restored: readonly RestoredItem[],
  limits: ReplayLimits,
): ReadonlySet<string> {
  const torn = tornCalls([...compactedItems(state), ...restored.flatMap(({ item }) => item ?? [])]);
  const dangling = danglingReasoning(
    restored.map(({ item }) => (item && torn.has(callIdIn(item) ?? '') ? undefined : item)),
  );
  const keys = new Set<string>([...state.refused, ...torn]);
  for (const [index, { entry, item }] of restored.entries()) {
    if (item === undefined || !isReasoning(item) || !isReplayable(item)) continue;
    const key = lostKey(item);
    if (key !== undefined && (dangling.has(index) || !isThere(state, entry, item, limits))) keys.add(key);
  }
  return keys;
}

/** Whether the API finds the content of this reasoning. */
function isThere(
  state: LedgerState,
  entry: LedgerEntry,
  item: AgentInputItem,
  limits: ReplayLimits,
): boolean {
  // A conversation keeps its items for as long as it lives.
  if (encryptedContentOf(item) !== undefined || entry.mirrorId !== undefined) return true;
  if (entry.skipped !== undefined) return false;
  return responsesOf(state, entry).every(
    ({ store, time }) => store && limits.now - time <= limits.responseTtl,
  );
}

/** The responses of an entry's turn. */
function responsesOf({ responses }: LedgerState, { seq }: LedgerEntry): readonly RecordedResponse[] {
  const nextSeq = responses.find((response) => response.nextSeq > seq)?.nextSeq;
  return nextSeq === undefined ? [] : responses.filter((response) => response.nextSeq === nextSeq);
}
