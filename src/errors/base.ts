import { escapeControls } from '../util/escape-controls.ts';

/** Marks an error of this package in every copy of it. */
const BRAND: unique symbol = Symbol.for('agents-hybrid-session.error');

/** The `code` of an error of this package; `switch (error.code)` narrows the error. */
export type HybridSessionErrorCode =
  | 'invalid_options'
  | 'invalid_item'
  | 'invalid_response'
  | 'compaction_failed'
  | 'conversation_not_found'
  | 'conversation_owned'
  | 'conversations_unavailable'
  | 'history_reference'
  | 'heal_failed'
  | 'history_incomplete'
  | 'history_transaction'
  | 'import_refused'
  | 'ledger_conflict'
  | 'ledger_unavailable'
  | 'ledger_unreadable'
  | 'mirror_incomplete';

/**
 * The base class of this package's errors.
 *
 * Errors of the API and of a ledger's driver pass through unchanged. Distinguish errors by `code`, not by `instanceof`: an app
 * that mixes ESM and CommonJS loads two copies of every class. Messages and fields hold IDs and counts, never content or keys.
 *
 * @example
 * ```ts
 * try {
 *   await run(agent, 'Hello', { session });
 * } catch (error) {
 *   if (!HybridSessionError.isInstance(error)) throw error;
 *   console.error(error.code, error.message);
 * }
 * ```
 */
export abstract class HybridSessionError extends Error {
  abstract readonly code: HybridSessionErrorCode;
  readonly [BRAND] = true;

  /**
   * Whether a value is an error of this class, even if another copy of the package threw it.
   *
   * @example
   * ```ts
   * if (HybridSessionError.isInstance(error)) console.error(error.code);
   * if (HistoryIncompleteError.isInstance(error)) console.error(error.missing.length);
   * ```
   */
  static isInstance<T extends HybridSessionError>(
    this: (abstract new (...args: never) => T) & { readonly name: string },
    value: unknown,
  ): value is T {
    if (!(value instanceof Error) || Reflect.get(value, BRAND) !== true) return false;
    return this.name === HybridSessionError.name || value.name === this.name;
  }

  constructor(message: string, options?: ErrorOptions) {
    // An ID comes from outside: escaped, it cannot add lines to a log or reverse its text.
    super(escapeControls(message), options);
    this.name = new.target.name;
  }
}

/** The name or code of a foreign error if it is one word; a sentence may quote content. */
export function safeToken(value: unknown): string | undefined {
  return typeof value === 'string' && /^\w{1,40}$/.test(value) ? value : undefined;
}
