import { HybridSessionError } from './hybrid-session-error.ts';

/** An item that the ledger knows and no source could give back. */
export interface MissingItem {
  /** Position in the history, counted from 0. */
  readonly index: number;
  /** The item's type, such as `message:assistant` or `function_call`. */
  readonly kind: string;
  /** The ID it had in the conversation, if it ever was there. */
  readonly id?: string;
}

/** The history cannot be proven complete, and `onIncomplete` is `'throw'`. */
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
