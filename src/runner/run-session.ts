import type { Session } from '@openai/agents';
import { sessionWith } from '../util/with-overrides.ts';
import {
  CHAINING_PORT,
  RECORD_RUN,
  type ChainingPort,
  type ChainedSession,
  type RecordedSession,
  type RecordOptions,
  type RunRecorder,
} from '../chaining/port.ts';

/**
 * The session for one run, whose ID stays the same during the run.
 *
 * The SDK does not save the turn if the session's ID changes during a run. A tool or the app may erase an unnamed session meanwhile,
 * which gives it another ID; the items of the run are then added under the new ID.
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

/** @returns undefined if the session is not a `HybridSession`. */
export function portOf(session: Session | undefined): ChainingPort | undefined {
  return session !== undefined && isChained(session) ? session[CHAINING_PORT] : undefined;
}

/**
 * Begins to record a run.
 *
 * @returns undefined if the session is not a `HybridSession`.
 * @throws InvalidOptionsError if the session keeps no content.
 */
export function recorderOf(session: Session | undefined, options: RecordOptions): RunRecorder | undefined {
  return session !== undefined && isRecorded(session) ? session[RECORD_RUN](options) : undefined;
}

function isRecorded(session: Session): session is Session & RecordedSession {
  return typeof session === 'object' && RECORD_RUN in session;
}

function isChained(session: Session): session is Session & ChainedSession {
  return typeof session === 'object' && CHAINING_PORT in session;
}
