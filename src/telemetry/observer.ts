import type { HybridSessionEvent } from './events.ts';

/**
 * An operation of a session.
 *
 * - `read`: the session reads the history for the runner.
 * - `restore`: a child of a read or of `verify()`; the session gathers items from their sources.
 * - `append`: the session appends, replaces or changes items in the ledger and in the conversation.
 * - `plan`: the session decides whether a request to the model is chained or replayed.
 */
export type OperationName = 'read' | 'restore' | 'append' | 'plan';

/** Attributes of an operation: IDs, counts and reasons, never content. */
export type OperationFacts = Readonly<Record<string, string | number | boolean>>;

/**
 * An operation in progress, as an observer sees it.
 *
 * @example
 * ```ts
 * const operation: ObservedOperation = {
 *   begin: () => operation,
 *   end: (facts, failure) => console.log(facts, failure ?? 'ok'),
 * };
 * ```
 */
export interface ObservedOperation {
  /** A child operation begins. @returns its observer. */
  begin(name: OperationName): ObservedOperation;
  /**
   * The operation ended.
   *
   * @param failure the error's code, status or name as one word; undefined if the operation succeeded.
   */
  end(facts: OperationFacts, failure: string | undefined): void;
}

/**
 * Observes sessions. An exception that it throws is ignored, so that observing never costs a turn.
 *
 * @example
 * ```ts
 * const observer: SessionObserver = { event: (event) => console.log(event.type) };
 * new HybridSession({ observers: [observer] });
 * ```
 */
export interface SessionObserver {
  /** An operation begins. @returns its observer, or undefined to ignore it. */
  begin?(name: OperationName): ObservedOperation | undefined;
  /** The session emitted an event. */
  event?(event: HybridSessionEvent): void;
}
