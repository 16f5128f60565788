import type { Session } from '@openai/agents';

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
  return new Proxy(session, {
    get(target, property) {
      if (property === 'getSessionId') return getSessionId;
      const member: unknown = Reflect.get(target, property, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
