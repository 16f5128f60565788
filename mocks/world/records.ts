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
  lockedBy: string | undefined;
}

/** A list of item IDs that shares its beginning with the context it continues. */
export interface ContextNode {
  parent: ContextNode | undefined;
  readonly ids: readonly string[];
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
  outputIds: readonly string[];
  body: JsonObject;
}
