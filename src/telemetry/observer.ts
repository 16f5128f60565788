import type { HybridSessionEvent } from './session-event.ts';

/**
 * What a session does that takes time.
 *
 * - `read`: the history is read for the runner.
 * - `restore`: a part of a read or of `verify()`: items are brought together from their sources.
 * - `append`: items are appended, replaced or changed, in the ledger and in the conversation.
 * - `plan`: it is decided whether a request to the model is chained or replayed.
 */
export type OperationName = 'read' | 'restore' | 'append' | 'plan';

/** What is known of an operation: IDs, counts and reasons, never content. */
export type OperationFacts = Readonly<Record<string, string | number | boolean>>;

/** An operation that somebody watches. */
export interface ObservedOperation {
  /** A part of the operation begins. */
  begin(name: OperationName): ObservedOperation;
  /**
   * The operation is over.
   *
   * @param failure why it failed, as a word such as an error's code.
   */
  end(facts: OperationFacts, failure: string | undefined): void;
}

/** Watches sessions. What it throws is ignored, so that watching never costs a turn. */
export interface SessionObserver {
  /** An operation begins. @returns undefined when nobody wants to know of it. */
  begin?(name: OperationName): ObservedOperation | undefined;
  /** The session noticed something. */
  event?(event: HybridSessionEvent): void;
}
