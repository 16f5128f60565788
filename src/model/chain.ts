import type OpenAI from 'openai';
import type { AnchoredHistory } from './anchor.ts';
import type { PlanReason } from './plan.ts';

/** A response that a request may continue from. */
export interface Parent {
  readonly id: string;
  /** When it was recorded, in milliseconds since the epoch. */
  readonly time: number;
  readonly store: boolean;
  /**
   * `since`: when the oldest response was made that this one goes back to, unless that is itself; `bytes`: what its context
   * takes as JSON, where that is known.
   */
  readonly context?: { readonly since?: number | undefined; readonly bytes?: number | undefined } | undefined;
}

/** A response and the context it ends. */
export interface Answer extends Parent {
  readonly model: string | undefined;
  readonly parent: string | undefined;
  /** Length, digest and bytes of the context: what the request showed the model, and what the model answered. */
  readonly context: {
    readonly length: number;
    readonly digest: string;
    readonly bytes?: number | undefined;
    readonly since?: number | undefined;
    /** The IDs of the calls it ends with that the client has to answer; absent when there are none. */
    readonly open?: readonly string[];
  };
  /** Earlier answers of the same turn that this one's context begins with: they are recorded together. */
  readonly lineage: readonly string[];
}

/** What was decided about one request, for people: numbers and reasons, no content. */
export interface PlannedRequest {
  readonly plan: 'chain' | 'replay';
  readonly reason: PlanReason;
  readonly parentId: string | undefined;
  /** Items that are sent. */
  readonly sent: number;
  /** Items in the context that the model sees. */
  readonly context: number;
  /** What the items that were not sent take as JSON, in bytes; 0 for a replay, or where it is not known. */
  readonly savedBytes: number;
  /** Where only the mode is against chaining: what mode `chain` would have made of the same request. */
  readonly would: WouldBe | undefined;
}

/** What would have been decided in mode `chain`, which has the whole history to go by where the list has lost something. */
export interface WouldBe {
  readonly plan: 'chain' | 'replay';
  readonly reason: PlanReason;
  /** Items that would have been sent. */
  readonly sent: number;
  readonly savedBytes: number;
}

/** What a session knows about responses at the moment of a request. */
export interface ChainView {
  /** Whether the session is in mode `chain`. */
  readonly enabled: boolean;
  /** Whether any response with a known context is recorded. */
  readonly empty: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds for which a response can be continued. */
  readonly responseTtl: number;
  /** The responses that end this context, newest first. */
  candidates(digest: string): readonly Parent[];
  /** The IDs of those among them that are not in the ledger yet. */
  unrecorded(digest: string): readonly string[];
  /** Whether the server refused to continue from this response. */
  isRefused(id: string): boolean;
}

/** Where a session keeps its chain. Registered globally: an app may hold two copies of this package. */
export const CHAIN: unique symbol = Symbol.for('agents-hybrid-session.chain');

/** A session whose runs can be chained. */
export interface ChainedSession {
  readonly [CHAIN]: Chain;
}

/** All that the model boundary knows of a session. */
export interface Chain {
  /** The session's own client, if it was given one. */
  readonly client: OpenAI | undefined;
  /** The session's history, as far as it need not be read. */
  readonly history: AnchoredHistory;
  /**
   * What is known now.
   *
   * @param depth whether every recorded response has to be known, or those at the tip of the history will do.
   */
  view(depth: 'whole' | 'tip'): Promise<ChainView>;
  /** A request was answered completely. */
  answered(answer: Answer): void;
  /** The server refused to continue from this response. */
  refused(id: string, why: string): void;
  /** A request is about to be decided about. @returns who wants to know the decision. */
  planning(): (planned: PlannedRequest) => void;
}
