import type { JsonObject } from '../wire/json.ts';

/** Items appended together: they become visible in the list at once, or not yet. */
export interface PendingAppend {
  readonly ids: readonly string[];
  readonly visibleAt: number;
  readsLeft: number;
}

/** A conversation: a list of item IDs, and the appended IDs that are not listed yet. */
export interface ConversationRecord {
  readonly id: string;
  readonly createdAt: number;
  readonly thread: string;
  metadata: JsonObject;
  ids: string[];
  pending: PendingAppend[];
  /** The response that is being made in it. */
  lockedBy: string | undefined;
}

/** A list of item IDs that shares its beginning with the context it continues. */
export interface ContextNode {
  parent: ContextNode | undefined;
  readonly ids: readonly string[];
}

/** A response that is still being made and can be looked at, or stopped, meanwhile. */
export interface RunningResponse {
  /** The finished body. */
  readonly finished: JsonObject;
  /** Moves it on by one stage: queued, in progress, finished. */
  step(): void;
  /** Stops it; nothing of it is written anywhere. */
  cancel(): void;
}

/** A stored response: its current body, and the IDs of its input and output. */
export interface ResponseRecord {
  readonly id: string;
  readonly createdAt: number;
  readonly thread: string;
  readonly model: string;
  readonly parentId: string | undefined;
  readonly conversationId: string | undefined;
  readonly ownInput: readonly string[];
  /** Everything the model saw, in order. */
  readonly context: ContextNode;
  readonly isBackground: boolean;
  /** Whether its events can be told again. */
  readonly isReplayable: boolean;
  outputIds: readonly string[];
  body: JsonObject;
  running: RunningResponse | undefined;
}
