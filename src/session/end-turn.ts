import type { OpenAIResponsesCompactionArgs } from '@openai/agents';
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
    await updateBookmark(session);
  });
  runtime.compactor.afterTurn(given, tokens);
}
