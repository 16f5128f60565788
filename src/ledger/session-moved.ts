import type { LedgerState } from './ledger-state.ts';
import { movedTo } from './session-move.ts';

/** The session goes on under another ID, where what was to be done has to be done. The session sees to it; no user does. */
export class SessionMoved extends Error {
  override readonly name = 'SessionMoved';
  readonly to: string;

  constructor(sessionId: string, to: string) {
    super(`Cannot go on with session '${sessionId}': its history was moved to '${to}'`);
    this.to = to;
  }
}

/** A state whose session goes on here. @throws SessionMoved when it goes on elsewhere. */
export function staying(sessionId: string, state: LedgerState): LedgerState {
  const to = movedTo(state.move);
  if (to !== undefined) throw new SessionMoved(sessionId, to);
  return state;
}
