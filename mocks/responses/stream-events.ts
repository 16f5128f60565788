import { errors } from '../wire/error-catalogue.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** One event of a response stream, numbered from 0. */
export interface StreamEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly [field: string]: unknown;
}

/** The types of events that a stream may have. */
export const STREAM_EVENTS = [
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.output_item.added',
  'response.content_part.added',
  'response.output_text.delta',
  'response.output_text.done',
  'response.refusal.delta',
  'response.refusal.done',
  'response.content_part.done',
  'response.function_call_arguments.delta',
  'response.function_call_arguments.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_text.delta',
  'response.reasoning_summary_text.done',
  'response.reasoning_summary_part.done',
  'response.output_item.done',
  'response.compaction.compacting',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'error',
] as const;

/** How the events of a response are told. */
export interface StreamOptions {
  /** Whether deltas carry padding that hides their length. */
  readonly obfuscation: boolean;
}

type Unnumbered = JsonObject & { readonly type: string };

/** The events that tell a finished response from its beginning, in the API's order. */
export function streamEvents(body: JsonObject, options: StreamOptions): StreamEvent[] {
  return Array.from(unnumbered(body, options), (event, index) => ({
    ...event,
    sequence_number: index,
  }));
}

function* unnumbered(body: JsonObject, options: StreamOptions): Generator<Unnumbered> {
  const begun = { ...body, status: 'in_progress', output: [], usage: null, completed_at: null, error: null };
  const response = { ...begun, incomplete_details: null, service_tier: 'auto' };
  yield {
    type: 'response.created',
    response: body['background'] === true ? { ...response, status: 'queued' } : response,
  };
  if (body['background'] === true)
    yield { type: 'response.queued', response: { ...response, status: 'queued' } };
  yield { type: 'response.in_progress', response };
  const output: unknown[] = Array.isArray(body['output']) ? body['output'] : [];
  const compacts = body['status'] === 'completed' && output.every(isCompaction);
  for (const [index, item] of output.entries())
    if (isJsonObject(item)) yield* itemEvents(item, index, options, compacts);
  if (body['status'] === 'failed') yield { type: 'error', error: streamError(body['error']) };
  yield { type: `response.${String(body['status'])}`, response: body };
}

function streamError(error: unknown): JsonObject {
  const { code, message } = isJsonObject(error) ? error : {};
  const tooLong = errors.contextLengthExceeded();
  if (code === tooLong.code) return { type: tooLong.type, code, message, param: tooLong.param };
  return { type: code ?? 'server_error', code: code ?? 'server_error', message: message ?? '', param: null };
}

function isCompaction(item: unknown): boolean {
  return isJsonObject(item) && item['type'] === 'compaction';
}

/** @param compacts whether the response holds only a compaction: it answers a trigger. */
function* itemEvents(
  item: JsonObject,
  index: number,
  options: StreamOptions,
  compacts: boolean,
): Generator<Unnumbered> {
  const at = { output_index: index };
  const id = item['id'];
  if (item['type'] === 'message') {
    yield {
      type: 'response.output_item.added',
      ...at,
      item: { ...item, status: 'in_progress', content: [] },
    };
    const parts: unknown[] = Array.isArray(item['content']) ? item['content'] : [];
    for (const [part, content] of parts.entries()) {
      if (isJsonObject(content))
        yield* partEvents(content, { item_id: id, ...at, content_index: part }, options);
    }
  } else if (item['type'] === 'function_call') {
    yield {
      type: 'response.output_item.added',
      ...at,
      item: { ...item, status: 'in_progress', arguments: '' },
    };
    yield* argumentEvents(item, { item_id: id, ...at }, options);
  } else if (item['type'] === 'reasoning') {
    yield { type: 'response.output_item.added', ...at, item: { ...item, summary: [] } };
    yield* summaryEvents(item, { item_id: id, ...at }, options);
  } else {
    yield { type: 'response.output_item.added', ...at, item };
    if (compacts) yield { type: 'response.compaction.compacting', item_id: id, ...at };
  }
  yield { type: 'response.output_item.done', ...at, item };
}

function* partEvents(part: JsonObject, at: JsonObject, options: StreamOptions): Generator<Unnumbered> {
  if (part['type'] === 'refusal') {
    const refusal = String(part['refusal']);
    yield { type: 'response.content_part.added', ...at, part: { ...part, refusal: '' } };
    for (const delta of pieces(refusal))
      yield { type: 'response.refusal.delta', ...at, delta, ...padding(delta, options) };
    yield { type: 'response.refusal.done', ...at, refusal };
  } else {
    const text = String(part['text']);
    yield { type: 'response.content_part.added', ...at, part: { ...part, text: '' } };
    const known: unknown[] = Array.isArray(part['logprobs']) ? part['logprobs'] : [];
    const logprobs = known.filter(isJsonObject).map(withoutBytes);
    const deltas =
      logprobs.length > 0
        ? logprobs.map((each): [string, JsonObject[]] => [String(each['token']), [each]])
        : pieces(text).map((delta): [string, JsonObject[]] => [delta, []]);
    for (const [delta, own] of deltas) {
      yield { type: 'response.output_text.delta', ...at, delta, logprobs: own, ...padding(delta, options) };
    }
    yield { type: 'response.output_text.done', ...at, text, logprobs };
  }
  yield { type: 'response.content_part.done', ...at, part };
}

/** The probability of a token as an event has it. */
function withoutBytes({ token, logprob, top_logprobs: top }: JsonObject): JsonObject {
  const others: unknown[] = Array.isArray(top) ? top : [];
  return {
    token,
    logprob,
    top_logprobs: others
      .filter(isJsonObject)
      .map((each) => ({ token: each['token'], logprob: each['logprob'] })),
  };
}

function* argumentEvents(item: JsonObject, at: JsonObject, options: StreamOptions): Generator<Unnumbered> {
  const text = String(item['arguments']);
  for (const delta of pieces(text)) {
    yield { type: 'response.function_call_arguments.delta', ...at, delta, ...padding(delta, options) };
  }
  yield { type: 'response.function_call_arguments.done', ...at, arguments: text, name: item['name'] };
}

function* summaryEvents(item: JsonObject, at: JsonObject, options: StreamOptions): Generator<Unnumbered> {
  const parts: unknown[] = Array.isArray(item['summary']) ? item['summary'] : [];
  for (const [index, part] of parts.entries()) {
    const text = isJsonObject(part) ? String(part['text']) : '';
    const where = { ...at, summary_index: index };
    yield {
      type: 'response.reasoning_summary_part.added',
      ...where,
      part: { type: 'summary_text', text: '' },
    };
    for (const delta of pieces(text)) {
      yield { type: 'response.reasoning_summary_text.delta', ...where, delta, ...padding(delta, options) };
    }
    yield { type: 'response.reasoning_summary_text.done', ...where, text };
    yield { type: 'response.reasoning_summary_part.done', ...where, part };
  }
}

/** Cuts a text where a model would: after each word, and long words in pieces. */
function pieces(text: string): string[] {
  return text.match(/\s*\S{1,16}\s*|\s+/g) ?? (text === '' ? [] : [text]);
}

/** Padding that fills every delta up to a multiple of 16 characters. */
function padding(delta: string, options: StreamOptions): JsonObject {
  if (!options.obfuscation) return {};
  const length = 16 - (delta.length % 16);
  return { obfuscation: 'abcdefghijklmnopqrstuvwxyz'.slice(0, length) };
}
