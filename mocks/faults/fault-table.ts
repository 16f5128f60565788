import type { FaultEffect } from './fault-effect.ts';
import { cutStream, slowStream } from './stream-faults.ts';
import { droppedItems, duplicatedItems, laggingItems, reorderedItems } from './list-faults.ts';
import { errors } from '../wire/error-catalogue.ts';

/** Every fault that has a name. */
export const faultTable = {
  rate_limit: {
    error: ({ body }, { retryAfter }) =>
      errors.rateLimit(typeof body['model'] === 'string' ? body['model'] : 'gpt-4o', retryAfter ?? 1),
  },
  insufficient_quota: { error: () => errors.insufficientQuota() },
  server_error: { error: () => errors.server() },
  bad_gateway: { error: () => errors.server(502, 'Bad gateway') },
  overloaded: {
    error: () => errors.server(503, 'The engine is currently overloaded, please try again later'),
  },
  connection_reset: { breaks: true },
  conversation_locked: { error: () => errors.conversationLocked() },
  previous_response_not_found: {
    error: ({ body }) => {
      const { previous_response_id: id } = body;
      return typeof id === 'string' ? errors.previousResponseNotFound(id) : undefined;
    },
  },
  response_not_found: {
    error: ({ path }) => errors.responseNotFound(path.split('/')[2] ?? ''),
  },
  zero_data_retention: { request: (body) => ({ ...body, store: false }) },
  no_tool_output: { error: (_, { id }) => errors.noToolOutput(id ?? 'call_unknown') },
  no_tool_call: { error: (_, { id }) => errors.noToolCall(id ?? 'call_unknown') },
  context_length_exceeded: { error: () => errors.contextLengthExceeded() },
  dropped_items: { listed: droppedItems },
  duplicated_items: { listed: duplicatedItems },
  reordered_items: { listed: reorderedItems },
  lagging_items: { listed: laggingItems },
  missing_cursor: {
    body: (body) => Object.fromEntries(Object.entries(body).filter(([key]) => key !== 'last_id')),
  },
  cut_stream: { events: cutStream },
  slow_stream: { events: slowStream },
} as const satisfies Record<string, FaultEffect>;

/** The name of a fault. */
export type FaultName = keyof typeof faultTable;
