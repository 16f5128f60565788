/** Every `code` an error of this package can carry, so that `switch (error.code)` narrows. */
export type HybridSessionErrorCode =
  | 'invalid_options'
  | 'invalid_item'
  | 'invalid_response'
  | 'conversation_not_found'
  | 'history_anchor'
  | 'heal_failed'
  | 'history_incomplete'
  | 'history_transaction'
  | 'import_refused'
  | 'invalid_line'
  | 'ledger_conflict'
  | 'ledger_decryption'
  | 'ledger_record'
  | 'ledger_unavailable'
  | 'mirror_incomplete';

/**
 * The base of every error this package throws on its own account.
 *
 * Errors of the API and of a ledger's driver pass through untouched. Tell errors apart by `code`, not by
 * `instanceof`: an app that mixes ESM and CommonJS holds two copies of every class. Messages and fields name
 * IDs and counts, never content and never a key.
 */
export abstract class HybridSessionError extends Error {
  abstract readonly code: HybridSessionErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    // An ID is text from outside: in a log it stays on its line, and in its direction.
    super(
      message.replaceAll(
        /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu,
        (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
      ),
      options,
    );
    this.name = new.target.name;
  }
}
