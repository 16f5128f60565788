import { errors } from '../wire/error-catalogue.ts';
import { includable } from '../wire/include.ts';
import { isJsonObject, type JsonObject, jsonTypeName } from '../wire/json.ts';
import { parseMetadata } from '../wire/parse-metadata.ts';

/** Checks one field of a request; `value` is neither missing nor null. */
type Check = (value: unknown, param: string) => void;

const text: Check = (value, param) => {
  if (typeof value !== 'string') throw errors.invalidType(param, 'a string', jsonTypeName(value));
};

const flag: Check = (value, param) => {
  if (typeof value !== 'boolean') throw errors.invalidType(param, 'a boolean', jsonTypeName(value));
};

const shortText =
  (most: number): Check =>
  (value, param) => {
    text(value, param);
    if (typeof value === 'string' && value.length > most)
      throw errors.stringTooLong(param, most, value.length);
  };

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, param) => {
    text(value, param);
    if (typeof value === 'string' && !allowed.includes(value))
      throw errors.invalidValue(param, value, allowed);
  };

const integer =
  (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  (value, param) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw errors.invalidType(param, 'an integer', jsonTypeName(value));
    }
    if (value < least) throw errors.integerTooSmall(param, least, value);
    if (value > most) throw errors.integerTooLarge(param, most, value);
  };

const decimal =
  (least: number, most: number): Check =>
  (value, param) => {
    if (typeof value !== 'number') throw errors.invalidType(param, 'a decimal', jsonTypeName(value));
    if (value < least) throw errors.numberTooSmall(param, least, value);
    if (value > most) throw errors.numberTooLarge(param, most, value);
  };

const listOf =
  (check: Check): Check =>
  (value, param) => {
    if (!Array.isArray(value)) throw errors.invalidType(param, 'an array', jsonTypeName(value));
    for (const [index, each] of value.entries()) check(each, `${param}[${index}]`);
  };

const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value, param) => {
    if (!isJsonObject(value)) throw errors.invalidType(param, 'an object', jsonTypeName(value));
    for (const [key, each] of Object.entries(value)) {
      if (each !== null && Object.hasOwn(checks, key)) checks[key]?.(each, `${param}.${key}`);
    }
  };

const required =
  (keys: readonly string[], check: Check = fields({})): Check =>
  (value, param) => {
    check(value, param);
    for (const key of keys) {
      if (isJsonObject(value) && value[key] === undefined) throw errors.missingParameter(`${param}.${key}`);
    }
  };

const tool: Check = (value, param) => {
  required(['type'])(value, param);
  if (isJsonObject(value) && value['type'] === 'function') {
    required(['name'], fields({ name: text, strict: flag, parameters: fields({}) }))(value, param);
  }
};

const format: Check = (value, param) => {
  required(['type'], fields({ type: oneOf('text', 'json_schema', 'json_object') }))(value, param);
  if (isJsonObject(value) && value['type'] === 'json_schema') required(['name', 'schema'])(value, param);
};

const toolChoice: Check = (value, param) => {
  if (typeof value === 'string') oneOf('none', 'auto', 'required')(value, param);
  else required(['type'])(value, param);
};

const instructions: Check = (value, param) => {
  if (typeof value !== 'string' && !Array.isArray(value)) {
    throw errors.invalidType(param, 'one of a string or array of input items', jsonTypeName(value));
  }
};

const compaction: Check = (value, param) => {
  const known = { type: text, compact_threshold: integer(1000) };
  required(['type'], fields(known))(value, param);
  if (!isJsonObject(value)) return;
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(known, key)) throw errors.unknownParameter(`${param}.${key}`);
  }
};

const contextManagement: Check = (value, param) => {
  if (!Array.isArray(value)) throw errors.invalidType(param, 'an array of objects', jsonTypeName(value));
  if (value.length === 0) throw errors.emptyArray(param);
  listOf(compaction)(value, param);
  for (const { type } of value) {
    if (type !== 'compaction') throw errors.unsupportedContextManagement(String(type));
  }
};

const included = oneOf(...includable);

const reasoning = fields({
  effort: oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
  summary: oneOf('auto', 'concise', 'detailed'),
  context: oneOf('auto', 'current_turn', 'all_turns'),
});

const shared: Readonly<Record<string, Check>> = {
  input: () => undefined,
  instructions,
  model: text,
  previous_response_id: text,
};

const answering: Readonly<Record<string, Check>> = {
  ...shared,
  conversation: () => undefined,
  parallel_tool_calls: flag,
  reasoning,
  text: fields({ format, verbosity: oneOf('low', 'medium', 'high') }),
  tool_choice: toolChoice,
  tools: listOf(tool),
  truncation: oneOf('auto', 'disabled'),
};

const caching: Readonly<Record<string, Check>> = {
  prompt_cache_key: text,
  prompt_cache_options: fields({}),
  prompt_cache_retention: oneOf('in_memory', '24h'),
  service_tier: oneOf('auto', 'default', 'fast', 'flex', 'priority'),
};

/** The fields of each kind of request, and the rule for each. */
export const requestFields = {
  'responses.create': {
    ...answering,
    ...caching,
    background: flag,
    context_management: contextManagement,
    include: listOf(included),
    max_output_tokens: integer(16),
    max_tool_calls: integer(1),
    metadata: parseMetadata,
    moderation: fields({}),
    prompt: required(['id']),
    safety_identifier: shortText(64),
    store: flag,
    stream: flag,
    stream_options: fields({ include_obfuscation: flag }),
    temperature: decimal(0, 2),
    top_logprobs: integer(0, 20),
    top_p: decimal(0, 1),
    user: text,
  },
  'responses.compact': { ...shared, ...caching },
  'responses.inputTokens.count': { ...answering, personality: text },
} as const satisfies Record<string, Readonly<Record<string, Check>>>;

/**
 * Refuses unknown fields first, then checks each field in the order in which the client sent them.
 * @throws ApiError in the API's words.
 */
export function checkFields(sent: JsonObject, kind: keyof typeof requestFields): void {
  const checks: Readonly<Record<string, Check>> = requestFields[kind];
  for (const key of Object.keys(sent)) if (!Object.hasOwn(checks, key)) throw errors.unknownParameter(key);
  for (const [key, value] of Object.entries(sent)) if (value !== null) checks[key]?.(value, key);
}
