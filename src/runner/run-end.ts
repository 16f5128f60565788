import {
  InputGuardrailTripwireTriggered,
  MaxTurnsExceededError,
  OutputGuardrailTripwireTriggered,
  ToolCallError,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered,
} from '@openai/agents';
import type { RunEnd } from '../chaining/port.ts';
import { isFinished } from '../lazy/lazy-run.ts';

/** The end of a run that threw. */
export function endOfFailure(error: unknown, signal: AbortSignal | undefined): RunEnd {
  if (error instanceof InputGuardrailTripwireTriggered) return { type: 'refused' };
  if (signal?.aborted === true) return { type: 'interrupted', reason: 'aborted' };
  if (error instanceof MaxTurnsExceededError) return { type: 'interrupted', reason: 'max_turns' };
  const isGuardrail =
    error instanceof OutputGuardrailTripwireTriggered ||
    error instanceof ToolInputGuardrailTripwireTriggered ||
    error instanceof ToolOutputGuardrailTripwireTriggered;
  if (isGuardrail) return { type: 'interrupted', reason: 'guardrail' };
  if (error instanceof ToolCallError)
    return { type: 'interrupted', reason: 'tool', failure: String(error.error) };
  return { type: 'interrupted' };
}

/** The end of a run that returned. A stream also returns if its reader goes away. */
export function endOfResult({
  state,
  interruptions,
}: {
  readonly state: unknown;
  readonly interruptions?: readonly unknown[] | undefined;
}): RunEnd {
  if (isFinished(state)) return { type: 'finished' };
  if ((interruptions ?? []).length > 0) return { type: 'paused' };
  return { type: 'interrupted', reason: 'aborted' };
}
