import type { InterruptionReason } from '../chaining/port.ts';
import { resettlingSteps, settlingSteps } from '../history/interrupted.ts';
import type { InterruptedCalls } from '../items/tool-calls.ts';
import type { LedgerState } from '../ledger/state.ts';
import { rulesOf, type Mode } from '../rollout/mode.ts';
import type { OpenSession } from '../runtime/read.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';
import { appendToLedger, updateMirror, type HistoryChange } from './append.ts';
import { abandonedDrafts, type RunDraft } from './run-draft.ts';

/**
 * Makes entries of the drafts of runs that do not go on, before a history is read.
 *
 * @returns false if there are none, or a run goes on from a state that may be theirs.
 */
export async function settleAbandoned(
  runtime: SessionRuntime,
  session: OpenSession,
  mode: Mode,
  known: LedgerState,
): Promise<boolean> {
  const calls = runtime.interruptedCalls;
  if (calls === undefined || abandonedDrafts(known).length === 0) return false;
  await appendBehind(runtime, session, mode, {
    added: [],
    decide: (state) =>
      abandonedDrafts(state).flatMap((draft) =>
        settlingSteps(draft, state, { reason: 'abandoned', calls, saved: 0 }),
      ),
    scope: 'all',
  });
  return true;
}

/** The way in which a run of this process was interrupted. */
interface SettledRun {
  readonly reason: InterruptionReason;
  readonly calls: InterruptedCalls;
  /** Whether the ledger's draft holds content that is not to be recorded. */
  readonly isForgotten: boolean;
}

/** Makes entries of the draft of a run that was interrupted in this process. */
export function settleRun(
  runtime: SessionRuntime,
  draft: RunDraft,
  { reason, calls, isForgotten }: SettledRun,
): Promise<void> {
  return runtime.run(
    async (session, mode) => {
      if (rulesOf(mode).serves === 'list') return;
      await appendBehind(runtime, session, mode, {
        added: [],
        decide: (state) => {
          const whole = draft.whole(state, responseSteps(runtime, draft, state));
          const saved = draft.savedAtEnd(state);
          if (draft.isEmpty && saved === 0) return [];
          if (draft.isGone(state))
            return resettlingSteps(whole, state, { run: draft.continuedRun, reason, calls });
          return settlingSteps(whole, state, { reason, calls, saved, isForgotten });
        },
        scope: 'all',
        done: () => draft.clear(),
      });
    },
    { writes: true },
  );
}

/** The response records of a run so far. */
export function responseSteps(
  runtime: SessionRuntime,
  { newestResponse }: RunDraft,
  state: LedgerState,
): ReturnType<SessionRuntime['responses']['steps']> {
  if (newestResponse === undefined) return [];
  const steps = runtime.responses.steps(state, newestResponse, undefined, runtime.turn.seen);
  return steps.filter(({ type }) => type === 'response');
}

/** Changes the ledger. The conversation follows in the background: neither a failure nor a new run waits for it. */
async function appendBehind(
  runtime: SessionRuntime,
  session: OpenSession,
  mode: Mode,
  change: HistoryChange,
): Promise<void> {
  const state = await appendToLedger(session, mode, change);
  change.done?.(state);
  await updateMirror(runtime, { mirror: session.options.mirror === 'off' ? 'off' : 'background' });
}
