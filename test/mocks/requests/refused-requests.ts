import { TOOL_TYPES } from '../../../mocks/requests/check-tools.ts';

/** A request that the API refuses, and its error. The page about the simulator lists each. */
export interface RefusedRequest {
  /** The cause of the refusal, as the page names it. */
  readonly cause: string;
  readonly body: object;
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
}

const MODEL = 'gpt-4.1';
const hi = { model: MODEL, input: 'hi' };
const text = { type: 'string' };

/** A strict object with these properties. */
const closed = (properties: object, rest: object = {}): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...rest,
});

const formatted = (schema: object): object => ({
  ...hi,
  text: { format: { type: 'json_schema', name: 'answer', strict: true, schema } },
});

const tool = (name: string, parameters: object = closed({}), strict = true): object => ({
  type: 'function',
  name,
  parameters,
  strict,
});

const withTools = (...tools: object[]): object => ({ ...hi, tools });

/** A schema with so many objects in each other. */
function nested(levels: number): object {
  return levels === 0 ? text : closed({ in: nested(levels - 1) });
}

const schemaCase = (cause: string, schema: object, fault: string): RefusedRequest => ({
  cause,
  body: formatted(schema),
  message: `Invalid schema for response_format 'answer': ${fault}`,
  code: 'invalid_json_schema',
  param: 'text.format.schema',
});

const functionCase = (
  cause: string,
  parameters: object,
  fault: string,
  isStrict: boolean,
): RefusedRequest => ({
  cause,
  body: withTools(tool('f', parameters, isStrict)),
  message: `Invalid schema for function 'f': ${fault}`,
  code: 'invalid_function_parameters',
  param: 'tools[0].parameters',
});

/** Schemas that a format or a function may not have. */
const schemas: readonly RefusedRequest[] = [
  schemaCase(
    'a strict object without `additionalProperties: false`',
    { type: 'object', properties: {} },
    "In context=(), 'additionalProperties' is required to be supplied and to be false.",
  ),
  schemaCase(
    'one within it',
    closed({ list: { type: 'array', items: { type: ['object', 'null'], properties: {} } } }),
    "In context=('properties', 'list', 'items', 'type', '0'), 'additionalProperties' is required to be supplied and to be false.",
  ),
  schemaCase(
    'an optional property',
    closed({ city: text, unit: text }, { required: ['city'] }),
    "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'unit'.",
  ),
  schemaCase(
    'a required property that does not exist',
    closed({ city: text }, { required: ['city', 'unit'] }),
    "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Extra required key 'unit' supplied.",
  ),
  schemaCase(
    'an object without `properties`, such as a record',
    closed({ rates: { type: 'object', additionalProperties: text } }),
    "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Extra required key 'rates' supplied.",
  ),
  schemaCase(
    'a type that does not exist, strict or not',
    closed({ count: { type: 'int' } }),
    "'int' is not valid under any of the given schemas.",
  ),
  schemaCase(
    'an array at the top',
    { type: 'array', items: text },
    `schema must be a JSON Schema of 'type: "object"', got 'type: "array"'.`,
  ),
  schemaCase(
    '`anyOf` at the top',
    { anyOf: [closed({ a: text }), closed({ b: text })] },
    `schema must be a JSON Schema of 'type: "object"', got 'type: "None"'.`,
  ),
  schemaCase(
    '`anyOf` at the top of an object',
    closed({}, { anyOf: [closed({ a: text })] }),
    "In context=(), 'anyOf' is not permitted.",
  ),
  schemaCase(
    'a keyword of no strict schema, such as `oneOf`, `allOf`, `not`, `uniqueItems`',
    closed({ when: { oneOf: [text] } }),
    "In context=('properties', 'when'), 'oneOf' is not permitted.",
  ),
  schemaCase(
    'a property without a type',
    closed({ any: { description: 'anything' } }),
    "In context=('properties', 'any'), schema must have a 'type' key.",
  ),
  schemaCase(
    'a format other than the nine',
    closed({ url: { type: 'string', format: 'uri' } }),
    "In context=('properties', 'url'), 'uri' is not a valid format.",
  ),
  schemaCase(
    'an array without items',
    closed({ list: { type: 'array' } }),
    "In context=('properties', 'list'), array schema missing items.",
  ),
  schemaCase(
    'a keyword beside `$ref`',
    closed({ mode: { $ref: '#/$defs/mode', description: 'the mode' } }, { $defs: { mode: text } }),
    "context=('properties', 'mode'), $ref cannot have keywords {'description'}.",
  ),
  schemaCase(
    'a reference to a part that is no definition',
    closed({ a: text, b: { $ref: '#/properties/a' } }),
    "In context=('properties', 'b'), reference can only point to definitions defined at the top level of the schema.",
  ),
  schemaCase('more than ten levels', nested(13), '12 levels of nesting exceeds limit of 10.'),
  schemaCase(
    'more than 5000 properties',
    closed(Object.fromEntries(Array.from({ length: 5001 }, (_, index) => [`p${index}`, text]))),
    '5001 parameters exceeds limit of 5000.',
  ),
  functionCase(
    'parameters of a strict function, by the same rules',
    { type: 'object', properties: {} },
    "In context=(), 'additionalProperties' is required to be supplied and to be false.",
    true,
  ),
  functionCase(
    'parameters that are no object, strict or not',
    { anyOf: [text] },
    `schema must be a JSON Schema of 'type: "object"', got 'type: "None"'.`,
    false,
  ),
  functionCase(
    'parameters with a choice at the top, strict or not',
    { type: 'object', oneOf: [{ required: ['a'] }] },
    "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'const'/'not' at the top level.",
    false,
  ),
  functionCase(
    'parameters with an array without items, strict or not',
    { type: 'object', properties: { list: { type: 'array' } } },
    "In context=('properties', 'list'), array schema missing items.",
    false,
  ),
];

const nameCase = (cause: string, name: string, rest: string, code: string): RefusedRequest => ({
  cause,
  body: withTools(tool(name)),
  message: `Invalid 'tools[0].name': ${rest}`,
  code,
  param: 'tools[0].name',
});

const choiceCase = (cause: string, body: object, message: string): RefusedRequest => ({
  cause,
  body: { ...hi, ...body },
  message,
  code: null,
  param: 'tool_choice',
});

/** Tools that a request may not have, and choices of tools that it does not have. */
const tools: readonly RefusedRequest[] = [
  nameCase(
    'a character in the name of a function other than letters, digits, `_`, `-`',
    'look.up',
    "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
    'invalid_value',
  ),
  nameCase(
    'a name of more than 128 characters',
    'a'.repeat(129),
    'string too long. Expected a string with maximum length 128, but got a string with length 129 instead.',
    'string_above_max_length',
  ),
  nameCase(
    'an empty name',
    '',
    'empty string. Expected a string with minimum length 1, but got an empty string instead.',
    'empty_string',
  ),
  {
    cause: 'two tools with one name',
    body: withTools(tool('f'), tool('g'), { type: 'custom', name: 'f' }),
    message: "Invalid 'tools[2].name': 'f'. Tool names must be unique.",
    code: 'invalid_value',
    param: 'tools[2].name',
  },
  {
    cause: 'a tool of a type that does not exist',
    body: withTools({ type: 'functon', name: 'f' }),
    message: `Invalid value: 'functon'. Supported values are: ${TOOL_TYPES.slice(0, -1)
      .map((type) => `'${type}', `)
      .join('')}and '${TOOL_TYPES.at(-1)}'.`,
    code: 'invalid_value',
    param: 'tools[0].type',
  },
  {
    cause: 'a function in the form of Chat Completions',
    body: withTools({ type: 'function', function: { name: 'f', parameters: closed({}) } }),
    message: "Missing required parameter: 'tools[0].name'.",
    code: 'missing_required_parameter',
    param: 'tools[0].name',
  },
  {
    cause: '`tool_choice` in the form of Chat Completions',
    body: { ...withTools(tool('f')), tool_choice: { type: 'function', function: { name: 'f' } } },
    message: "Missing required parameter: 'tool_choice.name'.",
    code: 'missing_required_parameter',
    param: 'tool_choice.name',
  },
  choiceCase(
    '`tool_choice` of a function that the request does not have',
    { tools: [tool('f')], tool_choice: { type: 'function', name: 'g' } },
    "Tool choice 'function' not found in 'tools' parameter.",
  ),
  choiceCase(
    '`tool_choice` of a hosted tool that the request does not have',
    { tools: [tool('f')], tool_choice: { type: 'image_generation' } },
    "Tool choice 'image_generation' not found in 'tools' parameter.",
  ),
  choiceCase(
    '`allowed_tools` with a tool that the request does not have',
    {
      tools: [tool('f')],
      tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'g' }] },
    },
    "Tool choice 'g' not found in 'tools' parameter.",
  ),
  choiceCase(
    '`tool_choice: required` without tools',
    { tool_choice: 'required' },
    "Tool choice 'required' must be specified with 'tools' parameter.",
  ),
];

/** Fields that do not go together. */
const fields: readonly RefusedRequest[] = [
  {
    cause: '`background: true` with `store: false`',
    body: { ...hi, background: true, store: false },
    message: "Background mode requires 'store' to be true.",
    code: 'unsupported_parameter',
    param: 'background',
  },
  {
    cause: '`background_options.completion_window` of `2h` or `8h` without `background: true`',
    body: { ...hi, background_options: { completion_window: '2h' } },
    message: "Completion window '2h' requires 'background' to be true and 'stream' to be false.",
    code: 'unsupported_parameter',
    param: 'background_options.completion_window',
  },
  {
    cause: '`json_object` without the word "json" in a message',
    body: { ...hi, instructions: 'Answer in JSON', text: { format: { type: 'json_object' } } },
    message:
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
    code: null,
    param: 'input',
  },
];

const CALL_ID = 'call_1';

/** A call of each tool that the client runs, and its output. */
export const TOOL_PAIRS: readonly (readonly [call: object, output: object])[] = [
  [
    { type: 'function_call', name: 'f', arguments: '{}' },
    { type: 'function_call_output', output: 'done' },
  ],
  [
    { type: 'custom_tool_call', name: 'f', input: '' },
    { type: 'custom_tool_call_output', output: 'done' },
  ],
  [
    { type: 'shell_call', action: { commands: ['ls'] }, environment: { type: 'local' } },
    { type: 'shell_call_output', output: [] },
  ],
  [
    { type: 'local_shell_call', id: 'lsh_1', action: { type: 'exec', command: ['ls'], env: {} } },
    { type: 'local_shell_call_output', output: 'done' },
  ],
  [
    { type: 'apply_patch_call', status: 'completed', operation: { type: 'delete_file', path: 'a' } },
    { type: 'apply_patch_call_output', status: 'completed' },
  ],
  [
    { type: 'computer_call', id: 'cu_1', action: { type: 'wait' }, pending_safety_checks: [] },
    { type: 'computer_call_output', output: { type: 'computer_screenshot', file_id: 'file_1' } },
  ],
  [
    { type: 'tool_search_call', execution: 'client', arguments: { query: 'weather' } },
    { type: 'tool_search_output', execution: 'client', tools: [] },
  ],
].map(([call = {}, output = {}]) => [
  { ...call, call_id: CALL_ID },
  { ...output, call_id: CALL_ID },
]);

const typeOf = (item: object): string => ('type' in item ? String(item.type) : '');

const pairCase = (item: object, missing: 'output' | 'call'): RefusedRequest => {
  const words = typeOf(item).replaceAll('_', ' ');
  return {
    cause: `a \`${typeOf(item)}\` without its ${missing}`,
    body: { model: MODEL, input: [{ role: 'user', content: 'hi' }, item] },
    message:
      missing === 'output'
        ? `No tool output found for ${words} ${CALL_ID}.`
        : `No tool call found for ${words} with call_id ${CALL_ID}.`,
    code: null,
    param: 'input',
  };
};

/** Items that the API does not take as they are. */
const items: readonly RefusedRequest[] = [
  ...TOOL_PAIRS.flatMap(([call, output]) => [pairCase(call, 'output'), pairCase(output, 'call')]),
  {
    cause: 'a `call_id` of more than 64 characters',
    body: { model: MODEL, input: [{ ...TOOL_PAIRS[0]?.[1], call_id: 'c'.repeat(65) }] },
    message:
      "Invalid 'input[0].call_id': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
    code: 'string_above_max_length',
    param: 'input[0].call_id',
  },
  {
    cause: 'an empty `call_id`',
    body: { model: MODEL, input: [{ ...TOOL_PAIRS[0]?.[1], call_id: '' }] },
    message:
      "Invalid 'input[0].call_id': empty string. Expected a string with minimum length 1, but got an empty string instead.",
    code: 'empty_string',
    param: 'input[0].call_id',
  },
  {
    cause: 'a `function_call` with a name of more than 128 characters',
    body: { model: MODEL, input: [{ ...TOOL_PAIRS[0]?.[0], name: 'f'.repeat(129) }] },
    message:
      "Invalid 'input[0].name': string too long. Expected a string with maximum length 128, but got a string with length 129 instead.",
    code: 'string_above_max_length',
    param: 'input[0].name',
  },
];

/** Every request of the page, in its order. */
export const refusedRequests: readonly RefusedRequest[] = [...schemas, ...tools, ...fields, ...items];
