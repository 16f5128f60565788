import { HybridSessionError } from './base.ts';

/**
 * The conversation does not exist or belongs to another account, and the ledger does not know it.
 *
 * @example
 * ```ts
 * if (ConversationNotFoundError.isInstance(error)) console.error(`no conversation '${error.conversationId}'`);
 * ```
 */
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

/**
 * A session cannot use a conversation: another session owns it, or the session has another conversation.
 *
 * @example
 * ```ts
 * if (ConversationOwnedError.isInstance(error)) console.error(`'${error.conversationId}' is in use`);
 * ```
 */
export class ConversationOwnedError extends HybridSessionError {
  readonly code = 'conversation_owned';
  readonly conversationId: string;
  readonly sessionId: string;

  constructor(conversationId: string, sessionId: string, problem = 'another session owns it') {
    super(`Cannot use conversation '${conversationId}' for session '${sessionId}': ${problem}`);
    this.conversationId = conversationId;
    this.sessionId = sessionId;
  }
}

/**
 * The server has no Conversations endpoint, so no conversation can mirror the history.
 *
 * @example
 * ```ts
 * if (ConversationsUnavailableError.isInstance(error)) {
 *   session = new HybridSession({ sessionId, ledger, mirror: 'off' });
 * }
 * ```
 */
export class ConversationsUnavailableError extends HybridSessionError {
  readonly code = 'conversations_unavailable';
  /** The HTTP status of its response. */
  readonly status: number;

  constructor(status: number, options?: ErrorOptions) {
    super(
      `Cannot use conversations: the server has no /conversations (${status}); ` +
        "use mirror: 'off' with a sessionId and a ledger that outlives the process",
      options,
    );
    this.status = status;
  }
}

/**
 * The reason for which a heal ended early.
 *
 * - `no_conversation`: with `mirror: 'off'` the session has no conversation.
 * - `nothing_to_heal`: the session has written nothing to a conversation yet.
 * - `unread`: the metadata of the old conversation could not be read.
 * - `unwritten`: some items could not be written to the new conversation.
 * - `unverified`: the new conversation does not list all written items.
 * - `stopped`: the signal was aborted.
 */
export type HealErrorReason =
  | 'no_conversation'
  | 'nothing_to_heal'
  | 'unread'
  | 'unwritten'
  | 'unverified'
  | 'stopped';

/** Facts about a heal that ended early. */
export interface HealErrorFacts {
  /** The new conversation. */
  readonly conversationId?: string | undefined;
  /** The number of changes that the new conversation lacks. */
  readonly pending?: number | undefined;
  /** The name, status and code of the failed request's error. */
  readonly failure?: string | undefined;
  /** Whether a retry may succeed. */
  readonly isTemporary?: boolean | undefined;
  /** The server's `Retry-After`, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/**
 * A heal ended early; nothing is lost.
 *
 * @example
 * ```ts
 * import { setTimeout } from 'node:timers/promises';
 *
 * try {
 *   await session.heal();
 * } catch (error) {
 *   if (!HealError.isInstance(error) || !error.isTemporary) throw error;
 *   await setTimeout(error.retryAfter ?? 1000);
 *   await session.heal();
 * }
 * ```
 */
export class HealError extends HybridSessionError {
  readonly code = 'heal_failed';
  readonly sessionId: string;
  readonly reason: HealErrorReason;
  /** The new conversation. */
  readonly conversationId: string | undefined;
  /** The number of changes that the new conversation lacks. */
  readonly pending: number | undefined;
  /** The name, status and code of the failed request's error. */
  readonly failure: string | undefined;
  /** Whether a retry may succeed. */
  readonly isTemporary: boolean;
  /** The server's `Retry-After`, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(
    sessionId: string,
    reason: HealErrorReason,
    facts: HealErrorFacts = {},
    options?: ErrorOptions,
  ) {
    super(
      `Cannot heal ${sessionId === '' ? 'the session' : `'${sessionId}'`}: ${PROBLEMS[reason](facts)}`,
      options,
    );
    this.sessionId = sessionId;
    this.reason = reason;
    this.conversationId = facts.conversationId;
    this.pending = facts.pending;
    this.failure = facts.failure;
    this.isTemporary = facts.isTemporary === true;
    this.retryAfter = facts.retryAfter;
  }
}

const PROBLEMS: Record<HealErrorReason, (facts: HealErrorFacts) => string> = {
  no_conversation: () =>
    "with mirror: 'off' it has no conversation; there is no list that could lose anything",
  nothing_to_heal: () => 'it has no conversation yet; add items first, or give a conversationId',
  unread: ({ failure }) =>
    `the metadata of its conversation could not be read${failure === undefined ? '' : `, ${failure}`}; ` +
    'nothing was written, call heal() again',
  unwritten: ({ conversationId, pending, failure }) =>
    `${pending ?? 0} change(s) are not in conversation '${conversationId ?? ''}' yet` +
    `${failure === undefined ? '' : `, ${failure}`}; nothing is lost, call heal() again to go on from there`,
  unverified: ({ conversationId }) =>
    `the list of conversation '${conversationId ?? ''}' does not show all written items; nothing is lost, ` +
    'call heal() again: a retry re-checks and, if needed, starts another conversation',
  stopped: ({ conversationId, pending }) =>
    `it was stopped${conversationId === undefined ? '' : ` with ${pending ?? 0} change(s) left for conversation '${conversationId}'`}; ` +
    'nothing is lost, call heal() again to go on from there',
};

/**
 * A run with `history: 'reference'` cannot read its history. Nothing is lost: `getItems()` returns the items of the session.
 *
 * @example
 * ```ts
 * if (HistoryReferenceError.isInstance(error) && error.reason === 'gone') {
 *   await runner.run(agent, 'Hello', { session });
 * }
 * ```
 */
export class HistoryReferenceError extends HybridSessionError {
  readonly code = 'history_reference';
  /** The session of the history. */
  readonly sessionId: string;
  /** `no_session`: the run was resumed without its session. `gone`: the history was cleared or rewritten since. */
  readonly reason: 'no_session' | 'gone';

  constructor(sessionId: string, reason: 'no_session' | 'gone', options?: ErrorOptions) {
    const why =
      reason === 'no_session'
        ? 'the run has another session, or none; pass that session, to a HybridRunner'
        : 'it was cleared or rewritten since the run began; begin a new run';
    super(`Cannot show the model the history of session '${sessionId}': ${why}`, options);
    this.sessionId = sessionId;
    this.reason = reason;
  }
}

/** An item of the ledger that no source holds. */
export interface MissingItem {
  /** The position in the history, counted from 0. */
  readonly index: number;
  /** The item's type, such as `message:assistant` or `function_call`. */
  readonly kind: string;
  /** The ID in the conversation; undefined for an item that was never written to it. */
  readonly id?: string;
}

/**
 * The history is incomplete, and `onIncomplete` is `'throw'`.
 *
 * @example
 * ```ts
 * if (HistoryIncompleteError.isInstance(error)) {
 *   for (const { index, kind } of error.missing) console.error(`item ${index} (${kind}) is lost`);
 * }
 * ```
 */
export class HistoryIncompleteError extends HybridSessionError {
  readonly code = 'history_incomplete';
  readonly sessionId: string;
  readonly missing: readonly MissingItem[];

  constructor(sessionId: string, missing: readonly MissingItem[], options?: ErrorOptions) {
    const named = missing
      .slice(0, 5)
      .map(({ index, kind, id }) => `#${index} ${kind}${id === undefined ? '' : ` '${id}'`}`)
      .join(', ');
    super(
      `Cannot serve the whole history of '${sessionId}': ${missing.length} item(s) are in the ledger but neither in the ` +
        `list nor in any response: ${named}${missing.length > 5 ? ', ...' : ''}; ` +
        "set onIncomplete: 'warn' to serve the rest",
      options,
    );
    this.sessionId = sessionId;
    this.missing = missing;
  }
}

/**
 * A history transaction was refused; the history is unchanged.
 *
 * @example
 * ```ts
 * if (HistoryTransactionError.isInstance(error) && error.reason === 'suffix_changed') {
 *   items = await session.getItems();
 * }
 * ```
 */
export class HistoryTransactionError extends HybridSessionError {
  readonly code = 'history_transaction';
  readonly operationId: string;
  /**
   * - `invalid`: an argument is wrong.
   * - `operation_reused`: another transaction has the same ID.
   * - `suffix_changed`: the history does not end with the expected suffix.
   */
  readonly reason: 'invalid' | 'operation_reused' | 'suffix_changed';

  constructor(
    operationId: string,
    reason: 'invalid' | 'operation_reused' | 'suffix_changed',
    problem: string,
  ) {
    super(`Cannot apply history transaction '${operationId}': ${problem}`);
    this.operationId = operationId;
    this.reason = reason;
  }
}

/**
 * An import was refused, because the session already has items; nothing was stored.
 *
 * @example
 * ```ts
 * if (ImportRefusedError.isInstance(error)) console.error(`'${error.sessionId}' already has items`);
 * ```
 */
export class ImportRefusedError extends HybridSessionError {
  readonly code = 'import_refused';
  readonly sessionId: string;
  readonly reason: 'not_empty';

  constructor(sessionId: string, reason: 'not_empty', problem: string) {
    super(`Cannot import into '${sessionId}': ${problem}`);
    this.sessionId = sessionId;
    this.reason = reason;
  }
}

/**
 * A value is not an item of the SDK; the call stored nothing.
 *
 * @example
 * ```ts
 * if (InvalidItemError.isInstance(error)) console.error(`item ${error.index}: ${error.problem}`);
 * ```
 */
export class InvalidItemError extends HybridSessionError {
  readonly code = 'invalid_item';
  /** The position among the items of the call, counted from 0. */
  readonly index: number;
  /** The line of a JSON Lines file, counted from 1; undefined without a file. */
  readonly line: number | undefined;
  /** The problem, such as "field 'callId' is wrong for a function_call (invalid_type)". */
  readonly problem: string;

  constructor(
    index: number,
    problem: string,
    options: ErrorOptions & { readonly line?: number | undefined } = {},
  ) {
    const { line } = options;
    super(
      line === undefined ? `Cannot store item ${index}: ${problem}` : `Cannot read line ${line}: ${problem}`,
      options,
    );
    this.index = index;
    this.line = line;
    this.problem = problem;
  }
}

/**
 * The API returned an unexpected response.
 *
 * @example
 * ```ts
 * if (InvalidResponseError.isInstance(error)) console.error(`${error.operation} failed at the gateway?`);
 * ```
 */
export class InvalidResponseError extends HybridSessionError {
  readonly code = 'invalid_response';
  /** The operation of the API, such as `conversations.create`. */
  readonly operation: string;

  constructor(operation: string, problem: string, options?: ErrorOptions) {
    super(`Cannot use the response to ${operation}: ${problem}`, options);
    this.operation = operation;
  }
}

/**
 * `flush()` could not bring the conversation up to date. The ledger holds every item, and a later write tries again. `cause` names
 * the last failure.
 *
 * @example
 * ```ts
 * try {
 *   await session.flush();
 * } catch (error) {
 *   if (!MirrorIncompleteError.isInstance(error)) throw error;
 *   console.warn(`${error.pending} changes are pending`);
 * }
 * ```
 */
export class MirrorIncompleteError extends HybridSessionError {
  readonly code = 'mirror_incomplete';
  readonly conversationId: string;
  /** The number of items to write plus items to remove. */
  readonly pending: number;

  constructor(conversationId: string, pending: number, options?: ErrorOptions) {
    super(
      `Cannot bring conversation '${conversationId}' up to date: ${pending} change(s) are still pending; ` +
        'nothing is lost, call flush() again, or heal() if the conversation was deleted',
      options,
    );
    this.conversationId = conversationId;
    this.pending = pending;
  }
}
