import { errors } from '../wire/error-catalogue.ts';
import { isJsonObject, type JsonObject } from '../wire/json-object.ts';
import { jsonTypeName } from '../wire/json-type-name.ts';
import { parseItem, type ParsedItem } from '../wire/parse-item.ts';

/** A request for a response, checked: what can be known of it without looking at stored state. */
export interface ResponseRequest {
  readonly model: string;
  readonly input: readonly ParsedItem[];
  readonly previousResponseId: string | undefined;
  readonly conversationId: string | undefined;
  readonly store: boolean;
  readonly stream: boolean;
  readonly background: boolean;
  readonly obfuscation: boolean;
  readonly include: readonly string[];
  /** The body as it was sent. */
  readonly sent: JsonObject;
}

const KEYS = new Set([
  'background',
  'context_management',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'model',
  'moderation',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
]);

/**
 * Checks a request body in the API's own order: model, input, unknown keys, then field by field.
 * @throws ApiError in the API's words.
 */
export function parseResponseRequest(sent: JsonObject): ResponseRequest {
  const { model, input, previous_response_id: previous, conversation, prompt } = sent;
  const hasState = isGiven(previous) || isGiven(conversation) || isGiven(prompt);
  if (!isGiven(model) && !isGiven(prompt)) throw errors.missingParameter('model');
  if (!isGiven(input) && !hasState) throw errors.missingParameter('input');
  for (const key of Object.keys(sent)) if (!KEYS.has(key)) throw errors.unknownParameter(key);
  const streamOptions = isJsonObject(sent['stream_options']) ? sent['stream_options'] : {};
  const parsed: ResponseRequest = {
    model: optionalString(model, 'model') ?? 'gpt-4.1',
    input: parseInput(input),
    previousResponseId: optionalString(previous, 'previous_response_id'),
    conversationId: conversationIdOf(conversation),
    store: optionalBoolean(sent['store'], 'store') ?? true,
    stream: optionalBoolean(sent['stream'], 'stream') ?? false,
    background: optionalBoolean(sent['background'], 'background') ?? false,
    obfuscation: streamOptions['include_obfuscation'] !== false,
    include: Array.isArray(sent['include']) ? sent['include'].map(String) : [],
    sent,
  };
  if (parsed.input.length === 0 && !hasState) throw errors.nothingToAnswer();
  return parsed;
}

/** Reads `input`: a string is one user message, a list is checked item by item. */
export function parseInput(input: unknown): ParsedItem[] {
  if (!isGiven(input) || input === '') return [];
  if (typeof input === 'string') return [parseItem({ role: 'user', content: input }, 'input[0]')];
  if (!Array.isArray(input)) {
    throw errors.invalidType('input', 'one of a string or array of input items', jsonTypeName(input));
  }
  return input.map((item: unknown, index) => parseItem(item, `input[${index}]`));
}

/** Reads `conversation`, which may be an ID or an object with one. */
export function conversationIdOf(value: unknown): string | undefined {
  if (!isGiven(value)) return undefined;
  if (typeof value === 'string') return value;
  if (isJsonObject(value)) {
    if (typeof value['id'] === 'string') return value['id'];
    throw errors.missingParameter('conversation.id');
  }
  throw errors.invalidType('conversation', 'one of a string or object', jsonTypeName(value));
}

/** Reads an optional string field. */
export function optionalString(value: unknown, param: string): string | undefined {
  if (!isGiven(value)) return undefined;
  if (typeof value !== 'string') throw errors.invalidType(param, 'a string', jsonTypeName(value));
  return value;
}

function optionalBoolean(value: unknown, param: string): boolean | undefined {
  if (!isGiven(value)) return undefined;
  if (typeof value !== 'boolean') throw errors.invalidType(param, 'a boolean', jsonTypeName(value));
  return value;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
