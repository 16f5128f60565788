import { HybridSessionError } from './hybrid-session-error.ts';

/** The conversation does not exist (or belongs to another account) and the ledger does not know it either. */
export class ConversationNotFoundError extends HybridSessionError {
  readonly code = 'conversation_not_found';
  readonly conversationId: string;

  constructor(conversationId: string, options?: ErrorOptions) {
    super(
      `Cannot attach to conversation '${conversationId}': it does not exist for this client; ` +
        'check the ID and the account, or leave out conversationId to start a new one',
      options,
    );
    this.conversationId = conversationId;
  }
}
