import { HybridSessionError } from './hybrid-session-error.ts';

/**
 * Why a conversation was not healed: there is none (`mirror: 'off'`), nothing was ever written to it, it was cleared
 * meanwhile, the new conversation could not be written to its end or did not show what was written, or it was stopped.
 */
export type HealErrorReason =
  | 'no-conversation'
  | 'nothing-to-heal'
  | 'cleared'
  | 'unwritten'
  | 'unverified'
  | 'stopped';

/** What is known of a heal that ended before its end. */
export interface HealErrorFacts {
  /** The conversation that the history was being written to. */
  readonly conversationId?: string | undefined;
  /** Changes that it does not have yet. */
  readonly pending?: number | undefined;
  /** What a request failed of: its name, status and code. */
  readonly failure?: string | undefined;
  /** Whether the same may work a little later. */
  readonly isTemporary?: boolean | undefined;
  /** How long the server asked to be left alone, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** A history could not be moved to a fresh conversation; nothing is lost, and the session goes on where it is. */
export class HealError extends HybridSessionError {
  readonly code = 'heal_failed';
  readonly sessionId: string;
  readonly reason: HealErrorReason;
  readonly conversationId: string | undefined;
  readonly pending: number | undefined;
  readonly failure: string | undefined;
  readonly isTemporary: boolean;
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
  'no-conversation': () =>
    "with mirror: 'off' it has no conversation; there is no list that could lose anything",
  'nothing-to-heal': () => 'it has no conversation yet; add items first, or give a conversationId',
  cleared: () => 'it was cleared',
  unwritten: ({ conversationId, pending, failure }) =>
    `${pending ?? 0} change(s) are not in conversation '${conversationId ?? ''}' yet` +
    `${failure === undefined ? '' : `, ${failure}`}; nothing is lost, call heal() again to go on from there`,
  unverified: ({ conversationId }) =>
    `the list of conversation '${conversationId ?? ''}' does not show what was written to it; nothing is lost and ` +
    'nothing was moved, call heal() again: it looks again, and begins another conversation if that one stays so',
  stopped: ({ conversationId, pending }) =>
    `it was stopped${conversationId === undefined ? '' : ` with ${pending ?? 0} change(s) left for conversation '${conversationId}'`}; ` +
    'nothing is lost, call heal() again to go on from there',
};
