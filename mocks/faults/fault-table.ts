import type { FaultDetails, FaultedRequest, FaultTiming } from './fault.ts';
import type { FaultEffect } from './fault-effect.ts';
import { droppedItems, duplicatedItems, laggingItems, reorderedItems } from './list-faults.ts';
import type { StatusError } from './status-error.ts';
import { cutStream, slowStream } from './stream-faults.ts';
import type { Operation } from '../http/operations.ts';
import type { ModelAnswer } from '../model/answer.ts';
import type { ApiError } from '../wire/api-error.ts';
import { errors } from '../wire/error-catalogue.ts';

const ANSWERS = ['responses.create'] as const satisfies readonly Operation[];
const STREAMS = ['responses.create', 'responses.retrieve'] as const satisfies readonly Operation[];
const LISTS = [
  'conversations.items.list',
  'responses.inputItems.list',
] as const satisfies readonly Operation[];

/** Every fault that has a name. */
export const faultTable = {
  rate_limit: {
    takes: ['retryAfter', 'moment'],
    error: ({ body }, { retryAfter }) =>
      errors.rateLimit(typeof body['model'] === 'string' ? body['model'] : 'gpt-4o', retryAfter ?? 1),
  },
  insufficient_quota: { takes: ['moment'], error: () => errors.insufficientQuota() },
  server_error: { takes: ['message', 'moment'], error: (_, { message }) => errors.server(500, message) },
  bad_gateway: { takes: ['moment'], error: () => errors.server(502, 'Bad gateway') },
  overloaded: {
    takes: ['moment'],
    error: () => errors.server(503, 'The engine is currently overloaded, please try again later'),
  },
  connection_reset: { takes: ['moment'], connection: 'breaks' },
  no_answer: { takes: ['moment'], connection: 'hangs' },

  conversation_locked: { takes: ['moment'], error: () => errors.conversationLocked() },
  previous_response_not_found: {
    takes: ['id', 'moment'],
    applies: continues,
    error: ({ body }) => errors.previousResponseNotFound(String(body['previous_response_id'])),
  },
  expired_response: {
    takes: ['id', 'moment'],
    applies: (request, details) => continues(request, details) || names(request, details),
    error: expired,
  },
  zero_data_retention: { on: ANSWERS, request: (body) => ({ ...body, store: false }) },
  no_tool_output: { takes: ['id', 'moment'], error: (_, { id = 'call_unknown' }) => errors.noToolOutput(id) },
  no_tool_call: { takes: ['id', 'moment'], error: (_, { id = 'call_unknown' }) => errors.noToolCall(id) },
  duplicate_item: { takes: ['id', 'moment'], error: (_, { id = 'msg_unknown' }) => errors.duplicateItem(id) },
  context_length_exceeded: { takes: ['moment'], error: () => errors.contextLengthExceeded() },

  failed_response: { takes: ['code', 'message'], on: ANSWERS, answer: (_, details) => failed(details) },
  incomplete_response: { on: ANSWERS, answer: incomplete },
  cut_stream: { takes: ['at'], on: STREAMS, applies: streams, events: cutStream },
  slow_stream: { takes: ['every'], on: STREAMS, applies: streams, events: slowStream },

  dropped_items: { takes: ['id', 'count'], on: LISTS, listed: droppedItems },
  duplicated_items: { takes: ['id', 'count'], on: LISTS, listed: duplicatedItems },
  reordered_items: { on: LISTS, listed: reorderedItems },
  lagging_items: { takes: ['count'], on: LISTS, listed: laggingItems },
  missing_cursor: {
    on: LISTS,
    body: (body) => Object.fromEntries(Object.entries(body).filter(([key]) => key !== 'last_id')),
  },
} as const satisfies Record<string, FaultEffect>;

/** The name of a fault. */
export type FaultName = keyof typeof faultTable;

/** Whether a request may be answered by a stream. */
function streams({ operation, body }: FaultedRequest): boolean {
  return operation !== 'responses.create' || body['stream'] === true;
}

/** Whether a request continues the response that the fault is about, or any response if it is about none. */
function continues({ body }: FaultedRequest, { id }: FaultDetails): boolean {
  const { previous_response_id: previous } = body;
  return typeof previous === 'string' && (id === undefined || id === previous);
}

/** Whether a request's path names the response that the fault is about, or any response if it is about none. */
function names({ path }: FaultedRequest, { id }: FaultDetails): boolean {
  const named = /^\/responses\/(resp_[^/]+)/.exec(path)?.[1];
  return named !== undefined && (id === undefined || id === named);
}

function expired(request: FaultedRequest, details: FaultDetails): ApiError {
  if (continues(request, details))
    return errors.previousResponseNotFound(String(request.body['previous_response_id']));
  return errors.responseNotFound(request.path.split('/')[2] ?? '');
}

function failed({ code = 'server_error', message }: FaultDetails): ModelAnswer {
  return { failed: { code, message: message ?? errors.server().message } };
}

/** Half of the text, then nothing more. */
function incomplete(answer: ModelAnswer): ModelAnswer {
  const { text = '' } = answer;
  return {
    ...answer,
    text: text.slice(0, Math.ceil(text.length / 2)),
    calls: [],
    incomplete: 'max_output_tokens',
  };
}

/** A fault by its name in the table. */
export interface NamedFault extends FaultTiming, FaultDetails {
  name: FaultName;
}

/** Any error answer, spelled out. */
export interface StatusFault extends FaultTiming, StatusError, Pick<FaultDetails, 'moment'> {}

/** A fault: a name alone lasts until it is lifted. */
export type Fault = FaultName | NamedFault | StatusFault;
