import type {
  AgentInputItem,
  SessionHistoryRewriteArgs,
  SessionHistoryTransactionArgs,
} from '@openai/agents';
import { requireStorable } from '../history/require-storable.ts';
import { mutationSteps, parseMutations, transactionSteps } from '../history/steps.ts';
import { roleOfKind } from '../items/read-item.ts';
import { parseAgentItems } from '../items/parse-item.ts';
import type { LedgerDecision } from '../ledger/ledger.ts';
import { ledgerItem, type LedgerItem, type LedgerStep } from '../ledger/record.ts';
import { pendingChanges, type LedgerState } from '../ledger/state.ts';
import { seenHistory } from '../ledger/view.ts';
import { MAX_TURN_WAIT_MS } from '../mirror/mirror.ts';
import type { Mode } from '../rollout/mode.ts';
import { refuseHistoryReferences } from '../runtime/lazy-history.ts';
import type { SessionContext } from '../runtime/open.ts';
import type { ResolvedOptions } from '../runtime/options.ts';
import type { OpenSession } from '../runtime/read.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';
import { clock } from '../util/clock.ts';
import { RunDraft } from './run-draft.ts';
import { parseTransaction } from './transaction.ts';

/**
 * Copies the caller's array before it returns.
 *
 * @throws InvalidItemError before anything is stored.
 */
export async function appendItems(runtime: SessionRuntime, given: readonly AgentInputItem[]): Promise<void> {
  const items = parseAgentItems(given);
  refuseHistoryReferences(items);
  // An empty list creates no conversation.
  if (items.length === 0) return;
  const draft = RunDraft.saving();
  let isInputUnsaved = false;
  let isGone = false;
  const append = async (needsAll: boolean): Promise<void> =>
    change(runtime, async (session, mode) => {
      await runtime.turnGoesOn(mode, session);
      runtime.turn.appended(items);
      const toLedger = (item: AgentInputItem): LedgerItem => ledgerItem(item, session.options.keepContent);
      const stored = items.map((item) => toLedger(item));
      const pins: (() => void)[] = [];
      const decide: LedgerDecision = (state) => {
        isGone = !needsAll && draft?.isGone(state) === true;
        // The items that are there already may lie before the tail.
        if (isGone) return [];
        const continuing = draft?.continuing(state, stored);
        if (continuing !== undefined) return [...continuing, ...(draft?.savedSteps(state, stored) ?? [])];
        const unsaved = runtime.responses.unsaved(stored, state, runtime.turn.isFirst);
        if (!session.options.keepContent) pins.push(session.reader.pin(unsaved?.items ?? []));
        const before = unsaved?.items.map((item) => toLedger(item)) ?? [];
        isInputUnsaved = stored[0]?.kind === 'compaction' && before.length === 0 && !endsWithInput(state);
        return [
          // A compaction that ends its items would keep those before it.
          ...(before.length === 0 ? [] : [{ type: 'items' as const, items: before }]),
          { type: 'items', items: stored },
          ...(unsaved?.isBehind === true ? [withoutCompaction([...before, ...stored], state)] : []),
          ...runtime.responses.stepsWith(stored, state, runtime.turn.seen),
          ...(draft?.savedSteps(state, stored) ?? []),
        ];
      };
      // The input of a compacted turn is told from the whole history.
      const isCompacted = stored[0]?.kind === 'compaction';
      const forgets = draft !== undefined && (draft.isResumed || draft.differsFrom(stored));
      const scope = isCompacted || needsAll || forgets ? 'all' : 'tail';
      const done = (state: LedgerState): void => {
        if (!isGone) draft?.saved(stored, state);
      };
      return { added: items, decide, pins, scope, done };
    });
  await append(false);
  if (isGone) await append(true);
  const { sessionId = '' } = runtime;
  if (isInputUnsaved) runtime.telemetry.warningsOf(sessionId)({ code: 'input_unsaved' });
}

/** The view of appended items whose compaction does not stand for the whole history: a model sees all items without it. */
function withoutCompaction(items: readonly LedgerItem[], state: LedgerState): LedgerStep {
  const { nextSeq } = state;
  const shown = items.flatMap(({ kind }, index) => (kind === 'compaction' ? [] : [nextSeq + index]));
  return {
    type: 'view',
    from: nextSeq + items.length,
    left: [...seenHistory(state).entries.map(({ seq }) => seq), ...shown],
    items: [...(state.views.at(-1)?.items ?? [])],
  };
}

/** Whether the history ends with an item for a model; true if the state does not tell. */
function endsWithInput({ entries, resumedFrom }: LedgerState): boolean {
  const newest = entries.at(-1);
  return newest === undefined ? resumedFrom !== undefined : roleOfKind(newest.kind) === 'input';
}

/** Replaces function calls that have the same call ID. */
export async function applyMutations(
  runtime: SessionRuntime,
  args: SessionHistoryRewriteArgs,
): Promise<void> {
  const replacements = parseMutations(args);
  if (replacements.size === 0) return;
  await change(runtime, async ({ ledger, history, options }, mode) => {
    await history.open(mode);
    await ledger.read({ fresh: true });
    // Only calls are read, because content of other items may still be unwritten by another session.
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
      scope: 'all',
    };
  });
}

/** Applies a transaction atomically, and once for each operation ID. */
export async function applyTransaction(
  runtime: SessionRuntime,
  args: SessionHistoryTransactionArgs,
): Promise<void> {
  const { operation, transaction } = parseTransaction(args);
  await change(runtime, async ({ ledger, history, options }, mode) => {
    await history.open(mode);
    // The precondition applies to the newest history, which another process may have changed.
    await ledger.read({ fresh: true });
    const added = addedBy(transaction);
    runtime.turn.appended(added);
    const draft = RunDraft.saving();
    const stored = added.map((item) => ledgerItem(item, options.keepContent));
    return {
      added,
      decide: (state) => {
        const steps = transactionSteps(state, operation, transaction, options.keepContent);
        return [...steps, ...(draft?.savedSteps(state, stored) ?? [])];
      },
      scope: 'all',
      done: (state) => draft?.saved(stored, state),
    };
  });
}

function addedBy(transaction: SessionHistoryTransactionArgs['transaction']): readonly AgentInputItem[] {
  return transaction.type === 'append_items' ? transaction.items : transaction.replacement;
}

export interface HistoryChange {
  readonly added: readonly AgentInputItem[];
  /** Returns the records to append. */
  readonly decide: LedgerDecision;
  /** What to call once the records are in the ledger, for each item that was pinned on the way. */
  readonly pins?: readonly (() => void)[];
  /** `tail` if the records depend on the end of the history only, so that earlier entries need not be read. */
  readonly scope: 'all' | 'tail';
  /** Called with the state behind the records. */
  readonly done?: (state: LedgerState) => void;
}

/** Changes the ledger first, then the conversation. */
function change(
  runtime: SessionRuntime,
  prepare: (session: OpenSession, mode: Mode) => Promise<HistoryChange>,
): Promise<void> {
  return runtime.telemetry.run('append', (span) => {
    span.setAttributes({ sessionId: runtime.sessionId });
    const work = async (session: OpenSession, mode: Mode): Promise<void> => {
      const { sessionId, conversation } = session;
      const prepared = await prepare(session, mode);
      span.setAttributes({ sessionId, mode, items: prepared.added.length });
      const state = await appendToLedger(session, mode, prepared);
      prepared.done?.(state);
      const pending = await updateMirror(runtime, session.options);
      if (conversation !== undefined) span.setAttributes({ pending: pending ?? pendingChanges(state) });
    };
    return runtime.run(work, { writes: true });
  });
}

/** @throws InvalidItemError if neither the ledger nor the conversation can store a new item. */
export async function appendToLedger(
  { ledger, reader, conversation, history, options }: OpenSession,
  mode: Mode,
  { added, decide, pins = [], scope }: HistoryChange,
): Promise<LedgerState> {
  if (!options.keepContent) await requireStorable(reader, added);
  await history.open(mode);
  const settle = options.keepContent ? undefined : reader.pin(added);
  const leased: LedgerDecision = (state) => {
    const steps = decide(state);
    return steps.length === 0 || conversation === undefined
      ? steps
      : [...steps, ...conversation.mirror.leaseSteps(state)];
  };
  return ledger.append(leased, { scope }).finally(() => {
    settle?.();
    for (const unpin of pins) unpin();
  });
}

/**
 * Updates the conversation; if the session has another one by now, that one. With `mirror: 'await'` it waits for at most
 * `MAX_TURN_WAIT_MS`. Never throws: the items are in the ledger.
 *
 * @returns the number of pending changes; undefined if the push was not awaited, or there is no conversation.
 */
export async function updateMirror(
  runtime: SessionRuntime,
  { mirror }: Pick<ResolvedOptions, 'mirror'>,
): Promise<number | undefined> {
  const isAwaited = mirror === 'await';
  const until = clock.now() + MAX_TURN_WAIT_MS;
  const push = async ({ conversation }: SessionContext): Promise<number | undefined> => {
    if (conversation === undefined) return undefined;
    const pending = await (isAwaited
      ? conversation.mirror.pushWithTimeout()
      : conversation.mirror.push({ afterResponse: true }));
    const written = conversation.bookmark?.writeWithTimeout(until);
    // If the conversation does not respond, a turn waits for it once only.
    if (pending === 0) await written;
    // The push may continue in the background.
    else if (isAwaited) void runtime.track(conversation.mirror.idle());
    return pending;
  };
  // If the session cannot be attached to its new conversation now, the next use tries again and reports the error.
  const pushed = runtime.track(runtime.follow(push).catch(() => undefined));
  return isAwaited ? pushed : undefined;
}

/** Updates the bookmark. With `mirror: 'await'` it waits for at most `MAX_TURN_WAIT_MS`. */
export async function updateBookmark(
  runtime: SessionRuntime,
  { conversation, options }: SessionContext,
): Promise<void> {
  const { sync, bookmark } = conversation ?? {};
  // A pending push counts towards the same wait.
  const since = sync !== undefined && sync.activePushes > 0 ? sync.oldestPushAt : clock.now();
  const written = bookmark?.writeWithTimeout(since + MAX_TURN_WAIT_MS);
  if (options.mirror === 'await') await written;
  else if (written !== undefined) void runtime.track(written);
}
