import type { MissingItem } from '../errors/history-incomplete-error.ts';
import type { Finding } from '../history/finding.ts';
import type { Mode } from '../rollout/mode.ts';
import type { SourceCounts } from '../telemetry/session-event.ts';

/** What `verify()` found out. */
export interface HistoryReport {
  readonly sessionId: string;
  readonly conversationId: string | undefined;
  readonly mode: Mode;
  /**
   * Whether the history is proven complete: every item the ledger knows was found, and the digest of what was found is
   * the ledger's. Never true for a session with `unproven` items.
   */
  readonly verified: boolean;
  /** Items adopted from a list of which the ledger knew nothing: what that list had lost before cannot be known. */
  readonly unproven: number;
  /** Items in the history. */
  readonly length: number;
  /** Items in the conversation's list; undefined without a conversation. */
  readonly listed: number | undefined;
  readonly findings: readonly Finding[];
  /** How many items each source gave. */
  readonly sources: SourceCounts;
  readonly missing: readonly MissingItem[];
  /** Changes the conversation does not have yet. */
  readonly pending: number;
  /** The newest response recorded. */
  readonly responseId: string | undefined;
}
