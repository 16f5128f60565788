import type { JsonObject } from '../wire/json-object.ts';

/** Items appended together: they become visible in the list at once, or not yet. */
export interface PendingAppend {
  readonly ids: readonly string[];
  readonly visibleAt: number;
  readsLeft: number;
}

/** A conversation: a list of item IDs, and what was appended but is not to be seen yet. */
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
  /** What it will be. */
  readonly finished: JsonObject;
  /** Moves it on by one stage: queued, in progress, finished. */
  step(): void;
  /** Stops it; nothing of it is written anywhere. */
  cancel(): void;
}

/** A stored response: its body as it stands, and the IDs of what went in and came out. */
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
