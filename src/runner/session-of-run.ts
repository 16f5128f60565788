import type { Session } from '@openai/agents';
import { sessionWith } from './session-with.ts';

/**
 * The session as one run sees it: under the ID with which the run began.
 *
 * The SDK takes a session whose ID changes during a run for another one, and does not save the turn. A session gets another
 * ID when it is cleared or healed, which a tool may do, or the app beside the run; what the run adds goes on there.
 */
export function sessionOfRun(session: Session): Session {
  let id: Promise<string> | undefined;
  const getSessionId = (): Promise<string> => {
    id ??= session.getSessionId().catch((error: unknown) => {
      id = undefined;
      throw error;
    });
    return id;
  };
  return sessionWith(session, { getSessionId });
}
