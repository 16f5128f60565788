import type { OpenAIResponsesCompactionArgs } from '@openai/agents';
import { windowSteps } from '../ledger/view.ts';
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

/**
 * Leaves turns before the window out of the history that a model sees, once there are more than its slack allows.
 *
 * @returns whether it left out any.
 */
export async function moveWindow({ ledger, options }: OpenSession): Promise<boolean> {
  const { window } = options.history;
  if (window === undefined) return false;
  const move: LedgerDecision = (state) => windowSteps(state, window);
  if (move(await ledger.read({ scope: 'seen' })).length === 0) return false;
  await ledger.append(move, { scope: 'seen' });
  return true;
}
