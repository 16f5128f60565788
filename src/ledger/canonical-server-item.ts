import { callerOf } from './canonical-caller.ts';
import { canonicalMessage, canonicalOutput, type Canonical } from './canonical-content.ts';
import { entriesOf, exactJson, isObject, stableJson, textOf, type JsonObject } from './json.ts';

/** Fields that change on the way and that no model reads. */
const VOLATILE = new Set(['id', 'type', 'status', 'created_by', 'caller', 'call_id', 'execution', 'model']);

/** Fields that the API shows only to those who `include` them: the same item has them here and lacks them there. */
const ON_REQUEST: ReadonlyMap<string, string> = new Map([
  ['file_search_call', 'results'],
  ['web_search_call', 'results'],
  ['code_interpreter_call', 'outputs'],
]);

/** The SDK still reads the names that these tools had in its first versions. */
const FORMER_NAMES: ReadonlyMap<string, string> = new Map([
  ['web_search', 'web_search_call'],
  ['file_search', 'file_search_call'],
  ['code_interpreter', 'code_interpreter_call'],
  ['image_generation', 'image_generation_call'],
]);

/** How the SDK renames the fields of a tool that a search found; the schemas inside stay as they are. */
const TOOL_FIELDS: ReadonlyMap<string, string> = new Map([
  ['functionName', 'function_name'],
  ['deferLoading', 'defer_loading'],
  ['allowedCallers', 'allowed_callers'],
  ['outputSchema', 'output_schema'],
]);

/**
 * The canonical form of items that the server makes or that the SDK passes through as they are: hosted tool calls, MCP,
 * tool search, custom tools, and types the SDK does not know.
 *
 * Compared by the API's own type and field names: the same item is a `hosted_tool_call` when it comes from a model and
 * `unknown` when some SDK versions read it from a list.
 */
export function canonicalServerItem(fields: JsonObject): Canonical {
  const data = isObject(fields['providerData']) ? snakeCased(fields['providerData']) : {};
  const named =
    fields['type'] === 'hosted_tool_call'
      ? (data['type'] ?? fields['name'])
      : (data['type'] ?? fields['type']);
  const type = FORMER_NAMES.get(textOf(named)) ?? textOf(named);
  const callId = textOf(data['call_id'] ?? fields['call_id'] ?? fields['callId']);
  switch (type) {
    case 'message':
      return canonicalMessage(data['role'], data['phase'], data['content']);
    case 'function_call_output':
      return [type, callId, canonicalOutput(data['output']), callerOf(data)];
    case 'computer_call_output':
      return computerOutput(callId, data);
    case 'item_reference':
      // It is read by what it refers to.
      return [type, textOf(data['id'] ?? fields['id'])];
    default:
  }
  const { arguments: args, ...own } = ownFields(type, fields, data);
  const execution = textOf(data['execution'] ?? fields['execution']);
  return [type, callId, execution, args === undefined ? '' : exactJson(args), stableJson(own)];
}

function computerOutput(callId: string, data: JsonObject): Canonical {
  const output = isObject(data['output']) ? data['output'] : {};
  const checks = data['acknowledged_safety_checks'];
  return [
    'computer_call_output',
    callId,
    textOf(output['image_url'] ?? output['file_id']),
    Array.isArray(checks) && checks.length > 0 ? stableJson(checks) : '',
  ];
}

function ownFields(type: string, fields: JsonObject, data: JsonObject): JsonObject {
  const own: Record<string, unknown> = { ...data };
  for (const key of ['arguments', 'output', 'tools'] as const) {
    if (fields[key] !== undefined)
      own[key === 'output' && type === 'image_generation_call' ? 'result' : key] = fields[key];
  }
  // An earlier version of the SDK called the outputs of a code interpreter its results.
  if (type === 'code_interpreter_call') own['results'] = undefined;
  if (type === 'web_search_call' && isObject(own['action'])) {
    own['action'] = { ...own['action'], sources: undefined };
  }
  if (Array.isArray(own['output'])) own['output'] = canonicalOutput(own['output']);
  if (type === 'tool_search_output') own['tools'] = searchedTools(own['tools']);
  return Object.fromEntries(
    entriesOf(own).filter(
      ([key, value]) => !VOLATILE.has(key) && key !== ON_REQUEST.get(type) && !isEmpty(value),
    ),
  );
}

/** The API fills in what was not given. */
function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0);
}

/** As the SDK writes provider data: names down to the first list, whose entries it leaves alone, without `__proto__`. */
function snakeCased(value: JsonObject): JsonObject {
  return Object.fromEntries(
    entriesOf(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, entry]) => [
        key.replaceAll(/([A-Z])/g, '_$1').toLowerCase(),
        isObject(entry) ? snakeCased(entry) : entry,
      ]),
  );
}

function searchedTools(tools: unknown): unknown {
  if (!Array.isArray(tools)) return tools;
  return tools.map((tool: unknown) => {
    if (!isObject(tool)) return tool;
    const named = entriesOf(tool).map(([key, value]): [string, unknown] => [
      TOOL_FIELDS.get(key) ?? key,
      key === 'tools' ? searchedTools(value) : value,
    ]);
    return Object.fromEntries(named);
  });
}
