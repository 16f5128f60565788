import { textFormat, toolChoice, tools } from './check-tools.ts';
import {
  anything,
  checkKeys,
  decimal,
  fields,
  flag,
  integer,
  listOf,
  oneOf,
  required,
  shortText,
  text,
  type Check,
} from './checks.ts';
import { errors } from '../wire/error-catalogue.ts';
import { includable } from '../wire/include.ts';
import { isJsonObject, type JsonObject, jsonTypeName } from '../wire/json.ts';
import { parseMetadata } from '../wire/parse-metadata.ts';

const instructions: Check = (value, param) => {
  if (typeof value !== 'string' && !Array.isArray(value)) {
    throw errors.invalidType(param, 'one of a string or array of input items', jsonTypeName(value));
  }
};

const compaction: Check = (value, param) => {
  const known = { type: text, compact_threshold: integer(1000) };
  required(['type'], fields(known))(value, param);
  if (isJsonObject(value)) checkKeys(value, Object.keys(known), `${param}.`);
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

const backgroundOptions = fields({
  completion_window: oneOf('soonest', '2h', '8h'),
  continuation_id: text,
});

const image = fields({ context_compression: oneOf('auto', 'enabled', 'disabled') });

const shared: Readonly<Record<string, Check>> = {
  input: anything,
  instructions,
  model: text,
  previous_response_id: text,
};

const answering: Readonly<Record<string, Check>> = {
  ...shared,
  conversation: anything,
  parallel_tool_calls: flag,
  reasoning,
  text: fields({ format: textFormat, verbosity: oneOf('low', 'medium', 'high') }),
  tool_choice: toolChoice,
  tools,
  truncation: oneOf('auto', 'disabled'),
};

const caching: Readonly<Record<string, Check>> = {
  prompt_cache_key: text,
  prompt_cache_options: fields({ mode: oneOf('implicit', 'explicit'), ttl: oneOf('30m', '12h') }),
  prompt_cache_retention: oneOf('in_memory', '24h'),
  service_tier: oneOf('auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast'),
};

/** The fields of each kind of request, and the rule for each. */
export const requestFields = {
  'responses.create': {
    ...answering,
    ...caching,
    access_programs: fields({ cyber: oneOf('standard', 'daybreak_blue', 'daybreak_red') }),
    background: flag,
    background_options: backgroundOptions,
    // Not in the schema: Codex sends it to the API.
    client_metadata: fields({}),
    context_management: contextManagement,
    image,
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
  'responses.compact': { ...shared, ...caching, image },
  'responses.inputTokens.count': { ...answering, personality: text },
} as const satisfies Record<string, Readonly<Record<string, Check>>>;

/**
 * Refuses unknown fields first, then checks each field in the order in which the client sent them.
 * @throws ApiError in the API's words.
 */
export function checkFields(sent: JsonObject, kind: keyof typeof requestFields): void {
  const checks: Readonly<Record<string, Check>> = requestFields[kind];
  checkKeys(sent, Object.keys(checks));
  for (const [key, value] of Object.entries(sent)) if (value !== null) checks[key]?.(value, key);
  if (sent['background'] === true && sent['store'] === false) throw errors.backgroundNotStored();
  checkWindow(sent);
}

/** Refuses a window for a response that is not made in the background. */
function checkWindow({ background, background_options: options, stream }: JsonObject): void {
  const window = isJsonObject(options) ? options['completion_window'] : undefined;
  const isLong = typeof window === 'string' && window !== 'soonest';
  if (isLong && (background !== true || stream === true)) throw errors.windowInForeground(window);
}
