import { HybridSessionError } from './hybrid-session-error.ts';

/** `flush()` could not bring the conversation up to date; the ledger holds every item, and a later write tries again. */
export class MirrorIncompleteError extends HybridSessionError {
  readonly code = 'mirror_incomplete';
  readonly conversationId: string;
  /** Items that are in the ledger and not yet in the conversation, plus removals not yet carried out. */
  readonly pending: number;

  constructor(conversationId: string, pending: number, options?: ErrorOptions) {
    super(
      `Cannot bring conversation '${conversationId}' up to date: ${pending} change(s) are still pending; ` +
        'nothing is lost, call flush() again',
      options,
    );
    this.conversationId = conversationId;
    this.pending = pending;
  }
}
