import type { AgentInputItem, SessionHistoryTransactionArgs } from '@openai/agents';
import { ledgerItem } from '../ledger/agent-item.ts';
import type { LedgerDecision } from '../ledger/ledger-decision.ts';
import { pendingChanges } from '../ledger/ledger-state.ts';
import type { Mode } from '../rollout/mode.ts';
import { refuseAnchors } from './anchoring.ts';
import { changeHistory, type HistoryChange } from './change-history.ts';
import { mutationSteps, transactionSteps } from './history-changes.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import type { parseMutations } from './parse-mutations.ts';
import type { parseTransaction } from './parse-transaction.ts';
import type { OpenSession, SessionLife } from './session-life.ts';

/** Appends items. */
export function appendItems(
  life: SessionLife,
  options: ResolvedOptions,
  items: readonly AgentInputItem[],
): Promise<void> {
  refuseAnchors(items);
  return change(life, options, async () => {
    if (items.length === 0) return undefined;
    const stored = items.map((item) => ledgerItem(item, options.keepContent));
    const decide: LedgerDecision = (state) => [
      { type: 'items', items: stored },
      ...life.responses.stepsWith(stored, state, life.turn.seen),
    ];
    return { added: items, decide, adds: true };
  });
}

/** Replaces function calls by others, by the ID of the call. */
export function applyMutations(
  life: SessionLife,
  options: ResolvedOptions,
  replacements: ReturnType<typeof parseMutations>,
): Promise<void> {
  return change(life, options, async ({ attachment, history }, mode) => {
    if (replacements.size === 0) return undefined;
    await history.open(mode);
    await attachment.ledger.refresh();
    // Only calls are looked at: what else another session has in its hands is not needed.
    const { restored } = await history.contents(({ entries }) =>
      entries.filter(({ kind }) => kind === 'function_call'),
    );
    const items = new Map(restored.map(({ entry, item }) => [entry.seq, item]));
    return {
      added: [...replacements.values()],
      decide: (state) =>
        mutationSteps(
          state,
          (entry) => entry.item ?? items.get(entry.seq),
          replacements,
          options.keepContent,
        ),
    };
  });
}

/** Applies a transaction, atomically and once. */
export function applyTransaction(
  life: SessionLife,
  options: ResolvedOptions,
  { operation, transaction }: ReturnType<typeof parseTransaction>,
): Promise<void> {
  return change(life, options, async ({ attachment, history }, mode) => {
    await history.open(mode);
    // The precondition is about the newest history, not about what this session knows of it.
    await attachment.ledger.refresh();
    return {
      added: addedBy(transaction),
      decide: (state) => transactionSteps(state, operation, transaction, options.keepContent),
    };
  });
}

function addedBy(transaction: SessionHistoryTransactionArgs['transaction']): readonly AgentInputItem[] {
  return transaction.type === 'append_items' ? transaction.items : transaction.replacement;
}

/** @param prepare undefined when nothing is to be changed. */
function change(
  life: SessionLife,
  options: ResolvedOptions,
  prepare: (open: OpenSession, mode: Mode) => Promise<HistoryChange | undefined>,
): Promise<void> {
  return life.telemetry.run('append', (watch) => {
    watch.note({ sessionId: life.sessionId });
    return life.run(async (open, mode) => {
      const { sessionId, ledger, remote } = open.attachment;
      const prepared = await prepare(open, mode);
      watch.note({ sessionId, mode, items: prepared?.added.length ?? 0 });
      if (prepared === undefined) return;
      await changeHistory(open, mode, options, prepared);
      if (remote === undefined) return;
      // It is done: that the ledger cannot be asked any more is for whoever asks next.
      const state = await ledger.tip().catch(() => undefined);
      watch.note({ pending: state && pendingChanges(state) });
    });
  });
}
