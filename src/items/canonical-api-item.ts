import { callerOf, canonicalMessage, canonicalOutput, type Canonical } from './canonical-content.ts';
import { entriesOf, exactJson, isObject, stableJson, textOf, type JsonObject } from '../util/json.ts';

// The canonical forms of items that the SDK passes through as the API made them, by the API's own type and field names: hosted
// tool calls, MCP, tool search, custom tools, and types that the SDK does not know.

/** An item that the SDK wraps: its provider data holds the API's fields. */
export interface ApiItemFields {
  /** The API's type. */
  readonly type: string;
  readonly callId: string;
  /** The provider data in the API's names. */
  readonly data: JsonObject;
  /** The SDK's own fields. */
  readonly fields: JsonObject;
}

/** Fields that change on the way and that no model reads. */
const VOLATILE = new Set(['id', 'type', 'status', 'created_by', 'caller', 'call_id', 'execution', 'model']);

/** How the SDK renames the fields of a tool that a search found; the schemas inside stay as they are. */
const TOOL_FIELDS: ReadonlyMap<string, string> = new Map([
  ['functionName', 'function_name'],
  ['deferLoading', 'defer_loading'],
  ['allowedCallers', 'allowed_callers'],
  ['outputSchema', 'output_schema'],
]);

/** Reads an item that the SDK wraps. The SDK may have written the names of provider data in its own case. */
export function apiItemFields(fields: JsonObject): ApiItemFields {
  const data = isObject(fields['providerData']) ? snakeCased(fields['providerData']) : {};
  const name = fields['type'] === 'hosted_tool_call' ? fields['name'] : fields['type'];
  return {
    type: textOf(data['type'] ?? name),
    callId: textOf(data['call_id'] ?? fields['call_id'] ?? fields['callId']),
    data,
    fields,
  };
}

/** All fields: the form of a type that needs no rule of its own. */
export function allFields(item: ApiItemFields): Canonical {
  return withFields(item, {});
}

export function message({ data }: ApiItemFields): Canonical {
  return canonicalMessage(data['role'], data['phase'], data['content']);
}

export function functionOutput({ type, callId, data }: ApiItemFields): Canonical {
  return [type, callId, canonicalOutput(data['output']), callerOf(data)];
}

export function computerOutput({ type, callId, data }: ApiItemFields): Canonical {
  const output = isObject(data['output']) ? data['output'] : {};
  const checks = data['acknowledged_safety_checks'];
  return [
    type,
    callId,
    textOf(output['image_url'] ?? output['file_id']),
    Array.isArray(checks) && checks.length > 0 ? stableJson(checks) : '',
  ];
}

/** A model reads the item that the ID refers to. */
export function itemReference({ type, data, fields }: ApiItemFields): Canonical {
  return [type, textOf(data['id'] ?? fields['id'])];
}

/** Without the results, which the API shows only on request. */
export function fileSearch(item: ApiItemFields): Canonical {
  return withFields(item, { results: undefined });
}

/** Without the results and the sources, which the API shows only on request. */
export function webSearch(item: ApiItemFields): Canonical {
  const { action } = item.data;
  const searched = isObject(action) ? { action: { ...action, sources: undefined } } : {};
  return withFields(item, { results: undefined, ...searched });
}

/** Without the outputs, which the API shows only on request, and which an earlier version of the SDK called results. */
export function codeInterpreter(item: ApiItemFields): Canonical {
  return withFields(item, { outputs: undefined, results: undefined });
}

/** The SDK keeps the image as the item's output. */
export function imageGeneration(item: ApiItemFields): Canonical {
  const { output: result } = item.fields;
  return withFields(item, result === undefined ? {} : { result, output: item.data['output'] });
}

export function toolSearchOutput(item: ApiItemFields): Canonical {
  const { tools = item.data['tools'] } = item.fields;
  return withFields(item, { tools: searchedTools(tools) });
}

function withFields({ type, callId, data, fields }: ApiItemFields, changed: JsonObject): Canonical {
  const own: Record<string, unknown> = { ...data };
  for (const key of ['arguments', 'output', 'tools']) if (fields[key] !== undefined) own[key] = fields[key];
  Object.assign(own, changed);
  if (Array.isArray(own['output'])) own['output'] = canonicalOutput(own['output']);
  const read = entriesOf(own).filter(([key, value]) => !VOLATILE.has(key) && !isEmpty(value));
  const { arguments: args, ...others }: JsonObject = Object.fromEntries(read);
  const execution = textOf(data['execution'] ?? fields['execution']);
  return [type, callId, execution, args === undefined ? '' : exactJson(args), stableJson(others)];
}

/** The API fills in fields that were not given. */
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
