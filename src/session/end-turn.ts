import type { OpenAIResponsesCompactionArgs } from '@openai/agents';
import { turnStarts } from '../items/read-item.ts';
import { compactedItems, seenHistory } from '../ledger/view.ts';
import type { LedgerDecision } from '../ledger/ledger.ts';
import type { OpenSession } from '../runtime/read.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';
import { updateBookmark } from './append.ts';

/** Records the response that ended a turn. The runner passes its ID in the call of `runCompaction()`. */
export async function endTurn(
  runtime: SessionRuntime,
  args: OpenAIResponsesCompactionArgs | undefined,
): Promise<void> {
  const given: unknown = args?.responseId;
  // A server may return no ID or an invalid one.
  if (typeof given !== 'string' || given === '') {
    await runtime.runIfBegun(async ({ ledger, sessionId }) =>
      runtime.turnEnded(sessionId, undefined, await ledger.read({ scope: 'tail' })),
    );
    return;
  }
  const tokens = runtime.responses.tokensOf(given);
  await runtime.run(async (session, mode) => {
    const { ledger, sessionId, history } = session;
    await history.open(mode);
    const state = await ledger.append(
      (newest) => runtime.responses.steps(newest, given, args?.store !== false, runtime.turn.seen),
      { scope: 'tail' },
    );
    runtime.turnEnded(sessionId, given, state);
    await moveWindow(session);
    await updateBookmark(runtime, session);
  });
  runtime.compactor.afterTurn(given, tokens);
  void runtime.track(runtime.compactor.idle());
}

/** Leaves turns before the window out of the history that a model sees, once there are more than its slack allows. */
async function moveWindow({ ledger, options }: OpenSession): Promise<void> {
  const { window } = options.history;
  if (window === undefined) return;
  const move: LedgerDecision = (state) => {
    const { entries } = seenHistory(state);
    const kinds = entries.map(({ kind }) => kind);
    const starts = turnStarts(kinds);
    const first = entries[starts.at(-window.turns) ?? 0];
    // A model that reads on behind a compaction needs the compaction.
    const isCompacted = kinds.includes('compaction') || compactedItems(state).length > 0;
    if (first === undefined || isCompacted || starts.length <= window.turns + window.slack) return [];
    return [{ type: 'view', from: first.seq, items: [] }];
  };
  await ledger.append(move, { scope: 'seen' });
}
