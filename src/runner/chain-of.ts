import type { Session } from '@openai/agents';
import { CHAIN, type Chain, type ChainedSession } from '../model/chain.ts';

/** The chain of a session, or undefined for a session that is not ours. */
export function chainOf(session: Session | undefined): Chain | undefined {
  return session !== undefined && isChained(session) ? session[CHAIN] : undefined;
}

function isChained(session: Session): session is Session & ChainedSession {
  return typeof session === 'object' && CHAIN in session;
}
