import type { Canonical } from './canonical-content.ts';
import { entriesOf, isObject, stableJson, textOf, type JsonObject } from './json.ts';

/** Fields that change on the way and that no model reads. */
const VOLATILE = new Set(['id', 'type', 'status', 'created_by', 'caller', 'call_id', 'execution']);

/** The SDK still reads the names that these tools had in its first versions. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  web_search: 'web_search_call',
  file_search: 'file_search_call',
  code_interpreter: 'code_interpreter_call',
  image_generation: 'image_generation_call',
};

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
  const type = FORMER_NAMES[textOf(named)] ?? textOf(named);
  const callId = textOf(data['call_id'] ?? fields['call_id'] ?? fields['callId']);
  if (type === 'computer_call_output') {
    const output = isObject(data['output']) ? data['output'] : {};
    const checks = data['acknowledged_safety_checks'];
    return [
      type,
      callId,
      textOf(output['image_url'] ?? output['file_id']),
      Array.isArray(checks) && checks.length > 0 ? stableJson(checks) : '',
    ];
  }
  const own: Record<string, unknown> = { ...data };
  for (const key of ['arguments', 'output', 'tools'] as const) {
    if (fields[key] !== undefined)
      own[key === 'output' && type === 'image_generation_call' ? 'result' : key] = fields[key];
  }
  const shown = entriesOf(own)
    .filter(([key, value]) => !VOLATILE.has(key) && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]): [string, unknown] => [key, key === 'tools' ? snakeCased(value) : value]);
  const execution = textOf(data['execution'] ?? fields['execution']);
  return [type, callId, execution, stableJson(Object.fromEntries(shown))];
}

function snakeCased(value: JsonObject): JsonObject;
function snakeCased(value: unknown): unknown;
function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => snakeCased(entry));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    entriesOf(value).map(([key, entry]) => [
      key.replaceAll(/([A-Z])/g, '_$1').toLowerCase(),
      snakeCased(entry),
    ]),
  );
}
