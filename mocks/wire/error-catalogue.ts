import { ApiError } from './api-error.ts';

const invalid = (message: string, param: string | null = null, code: string | null = null): ApiError =>
  new ApiError({ status: 400, message, param, code });

const notFound = (message: string, param: string | null = null): ApiError =>
  new ApiError({ status: 404, message, param });

/** Quotes the values a field may have, the way the API lists them: `'a', 'b' and 'c'`. */
function quoted(values: readonly string[]): string {
  const all = values.map((value) => `'${value}'`);
  const last = all.pop() ?? '';
  if (all.length === 0) return last;
  return all.length === 1 ? `${all.join()} and ${last}` : `${all.join(', ')}, and ${last}`;
}

/** The name of an item type as the API prints it in a sentence. */
function spaced(type: string): string {
  return type.replaceAll('_', ' ');
}

/** The owner of a JSON schema, as the API names it. */
type SchemaOwner = 'function' | 'response_format';

const SCHEMA_CODES: Readonly<Record<SchemaOwner, string>> = {
  function: 'invalid_function_parameters',
  response_format: 'invalid_json_schema',
};

/** Every known error of the API, by its cause; the names are the simulator's own. */
export const errors = {
  unknownUrl: (method: string, path: string): ApiError => notFound(`Invalid URL (${method} ${path})`),
  wrongMethod: (method: string, path: string, allow: string): ApiError =>
    new ApiError({
      status: 405,
      message: `Invalid method for URL (${method} ${path})`,
      code: 'method_not_supported',
      headers: { allow },
    }),
  missingApiKey: (): ApiError =>
    new ApiError({ status: 401, message: 'Missing bearer authentication in header' }),
  invalidApiKey: (): ApiError =>
    new ApiError({ status: 401, message: 'Incorrect API key provided', code: 'invalid_api_key' }),
  bodyTooLarge: (limit: number): ApiError =>
    new ApiError({
      status: 413,
      message: `Request body is too large. Expected at most ${limit} bytes.`,
      code: 'request_too_large',
    }),
  invalidJson: (): ApiError =>
    invalid(
      'Invalid body: failed to parse JSON value. Please check the value to ensure it is valid JSON. (Common errors include trailing commas, missing closing brackets, missing quotation marks, etc.)',
      null,
      'invalid_json',
    ),
  bodyNotObject: (got: string): ApiError =>
    invalid(`Invalid body: expected an object, but got ${got} instead.`, null, 'invalid_type'),

  missingParameter: (param: string): ApiError =>
    invalid(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter'),
  unknownParameter: (param: string): ApiError =>
    invalid(`Unknown parameter: '${param}'.`, param, 'unknown_parameter'),
  unsupportedParameter: (param: string): ApiError =>
    invalid(`Unsupported parameter: '${param}' is not supported with this model.`, param),
  invalidType: (param: string, expected: string, got: string): ApiError =>
    invalid(
      `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`,
      param,
      'invalid_type',
    ),
  invalidValue: (param: string, got: string, supported: readonly string[]): ApiError =>
    invalid(`Invalid value: '${got}'. Supported values are: ${quoted(supported)}.`, param, 'invalid_value'),
  wrongPrefix: (param: string, id: string, prefix: string): ApiError =>
    invalid(
      `Invalid '${param}': '${id}'. Expected an ID that begins with '${prefix}'.`,
      param,
      'invalid_value',
    ),
  wrongCharacters: (param: string, id: string): ApiError =>
    invalid(
      `Invalid '${param}': '${id}'. Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained additional characters.`,
      param,
      'invalid_value',
    ),
  invalidItem: (): ApiError => invalid('Invalid item', 'item', 'invalid_item'),
  emptyArray: (param: string): ApiError =>
    invalid(
      `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      param,
      'empty_array',
    ),
  arrayTooLong: (param: string, most: number, got: number): ApiError =>
    invalid(
      `Invalid '${param}': array too long. Expected an array with maximum length ${most}, but got an array with length ${got} instead.`,
      param,
      'array_above_max_length',
    ),
  stringTooLong: (param: string, most: number, got: number): ApiError =>
    invalid(
      `Invalid '${param}': string too long. Expected a string with maximum length ${most}, but got a string with length ${got} instead.`,
      param,
      'string_above_max_length',
    ),
  emptyString: (param: string): ApiError =>
    invalid(
      `Invalid '${param}': empty string. Expected a string with minimum length 1, but got an empty string instead.`,
      param,
      'empty_string',
    ),
  stringPattern: (param: string, pattern: string): ApiError =>
    invalid(
      `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '${pattern}'.`,
      param,
      'invalid_value',
    ),
  invalidSchema: (owner: SchemaOwner, name: string, param: string, fault: string): ApiError =>
    invalid(`Invalid schema for ${owner} '${name}': ${fault}`, param, SCHEMA_CODES[owner]),
  repeatedTool: (param: string, name: string): ApiError =>
    invalid(`Invalid '${param}': '${name}'. Tool names must be unique.`, param, 'invalid_value'),
  toolChoiceNotFound: (name: string): ApiError =>
    invalid(`Tool choice '${name}' not found in 'tools' parameter.`, 'tool_choice'),
  toolChoiceWithoutTools: (choice: string): ApiError =>
    invalid(`Tool choice '${choice}' must be specified with 'tools' parameter.`, 'tool_choice'),
  jsonNotAsked: (): ApiError =>
    invalid(
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      'input',
    ),
  windowInForeground: (window: string): ApiError =>
    invalid(
      `Completion window '${window}' requires 'background' to be true and 'stream' to be false.`,
      'background_options.completion_window',
      'unsupported_parameter',
    ),
  backgroundNotStored: (): ApiError =>
    invalid("Background mode requires 'store' to be true.", 'background', 'unsupported_parameter'),
  tooManyProperties: (param: string, most: number, got: number): ApiError =>
    invalid(
      `Invalid '${param}': too many properties. Expected an object with at most ${most} properties, but got an object with ${got} properties instead.`,
      param,
      'object_above_max_properties',
    ),
  integerTooLarge: (param: string, most: number, got: number): ApiError =>
    invalid(
      `Invalid '${param}': integer above maximum value. Expected a value <= ${most}, but got ${got} instead.`,
      param,
      'integer_above_max_value',
    ),
  integerTooSmall: (param: string, least: number, got: number): ApiError =>
    invalid(
      `Invalid '${param}': integer below minimum value. Expected a value >= ${least}, but got ${got} instead.`,
      param,
      'integer_below_min_value',
    ),
  numberTooLarge: (param: string, most: number, got: number): ApiError =>
    invalid(
      `Invalid '${param}': decimal above maximum value. Expected a value <= ${most}, but got ${got} instead.`,
      param,
      'decimal_above_max_value',
    ),
  numberTooSmall: (param: string, least: number, got: number): ApiError =>
    invalid(
      `Invalid '${param}': decimal below minimum value. Expected a value >= ${least}, but got ${got} instead.`,
      param,
      'decimal_below_min_value',
    ),

  nothingToAnswer: (): ApiError =>
    invalid(
      `One of "input" or "previous_response_id" or 'prompt' or 'conversation' must be provided.`,
      null,
      'missing_required_parameter',
    ),
  mutuallyExclusive: (): ApiError =>
    invalid(
      "Mutually exclusive parameters: ''. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.",
      null,
      'mutually_exclusive_parameters',
    ),
  conversationNotFound: (id: string): ApiError => notFound(`Conversation with id '${id}' not found.`),
  conversationLocked: (): ApiError =>
    invalid(
      'Another process is currently operating on this conversation. Please retry in a few seconds.',
      'conversation',
      'conversation_locked',
    ),
  itemAlreadyInConversation: (): ApiError =>
    invalid('Item already in conversation', 'items', 'item_already_in_conversation'),
  itemNotInConversation: (id: string): ApiError =>
    notFound(`Item with id '${id}' not found in conversation.`),
  cursorNotFound: (id: string): ApiError => notFound(`No item found with id '${id}'`, 'after'),
  itemNotFound: (id: string, param: string): ApiError => notFound(`Item with id '${id}' not found.`, param),
  itemNotRetained: (id: string, param: string): ApiError =>
    notFound(
      `Item with id '${id}' not found. Items are not persisted for Zero Data Retention organizations. Remove this item from your input and try again.`,
      param,
    ),
  itemNotStored: (id: string, param: string): ApiError =>
    notFound(
      `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
      param,
    ),

  previousResponseNotFound: (id: string): ApiError =>
    invalid(
      `Previous response with id '${id}' not found.`,
      'previous_response_id',
      'previous_response_not_found',
    ),
  previousResponseNotUsable: (): ApiError =>
    invalid(
      'Previous response cannot be used for this organization due to Zero Data Retention.',
      'previous_response_id',
      'unsupported_parameter',
    ),
  responseNotFound: (id: string): ApiError => notFound(`Response with id '${id}' not found.`),
  cannotCancelSynchronous: (): ApiError => invalid('Cannot cancel a synchronous response.'),
  streamNotReplayable: (): ApiError =>
    invalid(
      'This response cannot be streamed because it was not created with background set to true and stream set to true.',
      'stream',
    ),

  noToolCall: (callId: string, outputType = 'function_call_output'): ApiError =>
    invalid(`No tool call found for ${spaced(outputType)} with call_id ${callId}.`, 'input'),
  noToolOutput: (callId: string, callType = 'function_call'): ApiError =>
    invalid(`No tool output found for ${spaced(callType)} ${callId}.`, 'input'),
  reasoningWithoutFollower: (id: string): ApiError =>
    invalid(`Item '${id}' of type 'reasoning' was provided without its required following item.`, 'input'),
  followerWithoutReasoning: (id: string, type: string, reasoningId: string): ApiError =>
    invalid(
      `Item '${id}' of type '${type}' was provided without its required 'reasoning' item: '${reasoningId}'.`,
      'input',
    ),
  encryptedContentInvalid: (named: string): ApiError =>
    invalid(
      `The encrypted content ${named} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
      null,
      'invalid_encrypted_content',
    ),
  unsupportedContextManagement: (type: string): ApiError =>
    invalid(`Unsupported context_management type: '${type}'.`, 'context_management'),
  triggerRepeated: (): ApiError => invalid("Only one 'compaction_trigger' item may be provided.", 'input'),
  triggerNotLast: (): ApiError =>
    invalid("The 'compaction_trigger' item must be the final input item.", 'input'),
  triggerNeedsOutput: (least: number): ApiError =>
    invalid(
      `'compaction_trigger' requires 'max_output_tokens' to be at least ${least} when specified.`,
      'max_output_tokens',
    ),
  duplicateItem: (id: string): ApiError =>
    invalid(
      `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`,
      'input',
    ),
  contextLengthExceeded: (): ApiError =>
    invalid(
      'Your input exceeds the context window of this model. Please adjust your input and try again.',
      'input',
      'context_length_exceeded',
    ),

  rateLimit: (model: string, retryAfterSeconds: number): ApiError =>
    new ApiError({
      status: 429,
      message: `Rate limit reached for ${model} in organization org-simulator on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in ${retryAfterSeconds}s. Visit https://platform.openai.com/account/rate-limits to learn more.`,
      type: 'tokens',
      code: 'rate_limit_exceeded',
      headers: { 'retry-after': String(retryAfterSeconds) },
    }),
  insufficientQuota: (): ApiError =>
    new ApiError({
      status: 429,
      message:
        'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    }),
  server: (
    status = 500,
    message = 'The server had an error while processing your request. Sorry about that!',
  ): ApiError => new ApiError({ status, message, type: 'server_error', code: 'server_error' }),
} as const;
