import type { LedgerStep } from './record.ts';
import type { LedgerState } from './state.ts';

/** The session has another conversation than the one it is attached to. The session sees to it; no user does. */
export class ConversationReplaced extends Error {
  override readonly name = 'ConversationReplaced';

  constructor(sessionId: string) {
    super(`Session '${sessionId}' has another conversation now`);
  }
}

/** The conversation that a session is attached to; null for none yet, undefined where it does not matter. */
export type AttachedConversation = string | null | undefined;

/** @throws ConversationReplaced for a state that has another conversation. */
export function requireAttached(
  state: LedgerState,
  sessionId: string,
  attached: AttachedConversation,
): LedgerState {
  const { conversation = null, former } = state;
  const isUnnamed = conversation === null && !former.has(attached ?? '');
  if (attached === undefined || conversation === attached || isUnnamed) return state;
  throw new ConversationReplaced(sessionId);
}

/** The first append of a session with a conversation names it. */
export function namingSteps({ conversation }: LedgerState, attached: AttachedConversation): LedgerStep[] {
  return conversation === undefined && typeof attached === 'string'
    ? [{ type: 'conversation', id: attached }]
    : [];
}

/** Names the conversation of a session whose ledger has lost the record of it. */
export function namingAgain(
  { conversation, former }: Pick<LedgerState, 'conversation' | 'former'>,
  attached: AttachedConversation,
): LedgerStep[] {
  const isKnown = typeof attached !== 'string' || conversation === attached || former.has(attached);
  return isKnown ? [] : [{ type: 'conversation', id: attached }];
}
