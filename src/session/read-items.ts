import type { AgentInputItem } from '@openai/agents';
import { recordServedHistory } from '../chaining/attribution.ts';
import { kindOf, turnStarts } from '../items/read-item.ts';
import type { LedgerState } from '../ledger/state.ts';
import { rulesOf, type Mode } from '../rollout/mode.ts';
import type { OpenSession } from '../runtime/read.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';
import { moveWindow } from './end-turn.ts';
import { settleAbandoned } from './settle-drafts.ts';

/**
 * Reads the history, which begins a turn; with a limit its newest items.
 *
 * A limit of 0 makes no request, except in `off` and `shadow`, which make those of the stock session.
 */
export async function readItems(runtime: SessionRuntime, limit: unknown): Promise<AgentInputItem[]> {
  if (typeof limit === 'number' && limit <= 0 && !runtime.isStock) return [];
  return runtime.telemetry.run('read', (span) => {
    span.setAttributes({ sessionId: runtime.sessionId });
    return runtime.run(
      async (session, mode) => {
        // A limit of another type is ignored: too many items are safer than too few.
        const newest = typeof limit === 'number' ? limit : undefined;
        // The run of a killed process comes before the turn that begins.
        if (rulesOf(mode).serves === 'list')
          await settleAbandoned(runtime, session, mode, await session.ledger.read({ scope: 'tail' }));
        let served = await session.history.read(mode, newest, span);
        if (served.state !== undefined && (await runtime.prepareHistory(session, mode, served.state)))
          served = await session.history.read(mode, newest, span);
        const beginning = await runtime.beginning(mode, session, served);
        runtime.turn.began({ ...beginning, isPart: newest !== undefined });
        if (served.unreplayable !== undefined) runtime.unreplayable = served.unreplayable;
        if (served.digest !== undefined)
          recordServedHistory(runtime.responses, served.digest, modelVisible(runtime, served.items));
        return served.items;
      },
      { begins: true, writes: runtime.isStock },
    );
  });
}

/**
 * Settles the runs that do not go on, and moves the window, before a history is served to a run.
 *
 * @returns whether it has changed the history.
 */
export async function prepareHistory(
  runtime: SessionRuntime,
  session: OpenSession,
  mode: Mode,
  known: LedgerState,
): Promise<boolean> {
  const isSettled = await settleAbandoned(runtime, session, mode, known);
  const isMoved = rulesOf(mode).serves !== 'list' && (await moveWindow(session));
  return isSettled || isMoved;
}

/** The newest turns of these items; all of them if a compaction stands before the turns. */
export function newestTurns(items: readonly AgentInputItem[], turns: number): AgentInputItem[] {
  if (!(turns > 0)) return [];
  const kinds = items.map((item) => kindOf(item));
  const from = turnStarts(kinds).at(-turns) ?? 0;
  return kinds.slice(0, from).includes('compaction') ? [...items] : items.slice(from);
}

/** The served items without reasoning that `prepareHistoryItemForModelInput()` omits. */
function modelVisible(runtime: SessionRuntime, items: readonly AgentInputItem[]): AgentInputItem[] {
  return items.filter((item) => item.type !== 'reasoning' || runtime.forNextModel(item) !== undefined);
}

/**
 * Replaces an item that the model input must omit. The runner's hook cannot omit an item, but the runner itself drops calls
 * without a result.
 */
export const NOT_SHOWN: AgentInputItem = Object.freeze({
  type: 'function_call',
  callId: 'hybrid_session.not_shown',
  name: 'not_shown',
  arguments: '{}',
  status: 'incomplete',
});
