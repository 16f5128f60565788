import { HealError, HybridSessionError } from '../../../src/index.ts';
import type { SessionWorld } from './session-world.ts';

/** Errors of ours that no fault of the API excuses. */
const INEXCUSABLE = new Set([
  'invalid_options',
  'invalid_item',
  'ledger_conflict',
  'ledger_unreadable',
  'ledger_unreadable',
  'ledger_unavailable',
]);

/** The errors of the client, the SDK and an aborted run when the API fails. */
const OTHERS =
  /^(?:API|BadRequest|Authentication|Permission|NotFound|Conflict|Unprocessable|RateLimit|InternalServer|Abort|ModelBehavior|Terminated)/;

/** @throws the error again, unless something that was done to the session accounts for it. */
export function explainError(error: unknown, world: SessionWorld): void {
  if (error instanceof HybridSessionError && !INEXCUSABLE.has(error.code)) {
    if (error.code === 'history_transaction') return;
    if (error instanceof HealError && ['nothing_to_heal', 'no_conversation'].includes(error.reason)) return;
    if (error.code === 'history_incomplete' && world.isDamaged) return;
    if (error.code === 'conversation_not_found' && world.mayMeetClear) return;
    if (world.isFaulty || world.hasForgotten) return;
  }
  const name = error instanceof Error ? error.constructor.name : '';
  // A list with losses is sent as it is: a call without its result is refused.
  if (typeof world.serving() !== 'string' && name === 'BadRequestError') return;
  if (world.isFaulty && error instanceof Error && (OTHERS.test(name) || OTHERS.test(error.name))) return;
  if (world.isFaulty && error instanceof Error && /terminated|aborted|failed|incomplete/i.test(error.message))
    return;
  throw error;
}
