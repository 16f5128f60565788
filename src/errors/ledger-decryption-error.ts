import { HybridSessionError } from './hybrid-session-error.ts';

/**
 * Why a record or head could not be decrypted: no key of that ID was given; the key's secret is another one, or what is
 * stored was changed, moved, or copied from elsewhere (these cannot be told apart); or it was stored without encryption.
 */
export type LedgerDecryptionReason = 'unknown-key' | 'not-authentic' | 'not-encrypted';

/** A record or head of an encrypted ledger cannot be read with the keys given. */
export class LedgerDecryptionError extends HybridSessionError {
  readonly code = 'ledger_decryption';
  readonly sessionId: string;
  /** The record's position, counted from 0; undefined for the head. */
  readonly position: number | undefined;
  /** The ID of the key it says it was encrypted with, where it says so. */
  readonly keyId: string | undefined;
  readonly reason: LedgerDecryptionReason;

  constructor(
    sessionId: string,
    position: number | undefined,
    keyId: string | undefined,
    reason: LedgerDecryptionReason,
    options?: ErrorOptions,
  ) {
    const where = position === undefined ? 'the head' : `record ${position}`;
    super(
      `Cannot decrypt ${where} of the ledger of '${sessionId}': ${PROBLEMS[reason](keyId ?? '')}`,
      options,
    );
    this.sessionId = sessionId;
    this.position = position;
    this.keyId = keyId;
    this.reason = reason;
  }
}

const PROBLEMS: Record<LedgerDecryptionReason, (keyId: string) => string> = {
  'unknown-key': (keyId) => `no key with ID '${keyId}' was given; add it behind the current one in 'keys'`,
  'not-authentic': (keyId) =>
    `key '${keyId}' does not open it: its secret is another one, or what is stored was changed`,
  'not-encrypted': () => 'it was stored without encryption, which only the store below can read',
};
