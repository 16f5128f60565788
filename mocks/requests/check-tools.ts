import { fields, flag, listOf, oneOf, required, shortText, text, type Check } from './checks.ts';
import { parametersFault, strictSchemaFault } from './schema-fault.ts';
import { errors } from '../wire/error-catalogue.ts';
import { textOf } from '../wire/item.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

const NAME_PATTERN = '^[a-zA-Z0-9_-]+$';

const nameOf =
  (most: number): Check =>
  (value, param) => {
    shortText(most)(value, param);
    if (value === '') throw errors.emptyString(param);
    if (!new RegExp(NAME_PATTERN).test(String(value))) throw errors.stringPattern(param, NAME_PATTERN);
  };

const toolName = nameOf(128);
const formatName = nameOf(64);

const functionTool: Check = (value, param) => {
  required(['name'], fields({ name: toolName, strict: flag, parameters: fields({}) }))(value, param);
  if (!isJsonObject(value) || !isJsonObject(value['parameters'])) return;
  const fault = parametersFault(value['parameters'], value['strict'] === true);
  if (fault !== undefined) {
    throw errors.invalidSchema('function', String(value['name']), `${param}.parameters`, fault);
  }
};

/** The types of tools. */
export const TOOL_TYPES = [
  'function',
  'file_search',
  'computer',
  'computer_use_preview',
  'web_search',
  'web_search_2025_08_26',
  'web_search_preview',
  'web_search_preview_2025_03_11',
  'mcp',
  'code_interpreter',
  'programmatic_tool_calling',
  'image_generation',
  'local_shell',
  'shell',
  'custom',
  'namespace',
  'tool_search',
  'apply_patch',
] as const;

const tool: Check = (value, param) => {
  required(['type'], fields({ type: oneOf(...TOOL_TYPES) }))(value, param);
  if (!isJsonObject(value)) return;
  if (value['type'] === 'function') functionTool(value, param);
  if (value['type'] === 'custom') required(['name'], fields({ name: text }))(value, param);
  if (value['type'] === 'namespace') required(['name', 'tools'], fields({ name: text, tools }))(value, param);
};

/** The tools of a request; those of a namespace, too. No two have the same name, unless one of them is loaded later. */
export const tools: Check = (value, param) => {
  listOf(tool)(value, param);
  const names = new Set<string>();
  for (const [index, each] of objectsIn(value).entries()) {
    if (typeof each['name'] !== 'string') continue;
    const known = `${each['defer_loading'] === true} ${each['name']}`;
    if (names.has(known)) throw errors.repeatedTool(`${param}[${index}].name`, each['name']);
    names.add(known);
  }
};

/** The format of the answer's text. */
export const textFormat: Check = (value, param) => {
  required(['type'], fields({ type: oneOf('text', 'json_schema', 'json_object') }))(value, param);
  if (!isJsonObject(value) || value['type'] !== 'json_schema') return;
  required(['name', 'schema'], fields({ name: formatName, strict: flag, schema: fields({}) }))(value, param);
  if (value['strict'] !== true || !isJsonObject(value['schema'])) return;
  const fault = strictSchemaFault(value['schema']);
  if (fault !== undefined) {
    throw errors.invalidSchema('response_format', String(value['name']), `${param}.schema`, fault);
  }
};

/**
 * Refuses a free form of JSON for which no message asks; the instructions are no message.
 * @throws ApiError in the API's words.
 */
export function checkJsonAsked({ text: settings, prompt }: JsonObject, context: readonly object[]): void {
  const format = isJsonObject(settings) ? settings['format'] : undefined;
  const isFree = isJsonObject(format) && format['type'] === 'json_object' && !isJsonObject(prompt);
  if (isFree && !context.some((item) => /json/i.test(textOf(item)))) throw errors.jsonNotAsked();
}

/** How the model chooses a tool. */
export const toolChoice: Check = (value, param) => {
  if (typeof value === 'string') oneOf('none', 'auto', 'required')(value, param);
  else required(['type'])(value, param);
  if (!isJsonObject(value)) return;
  if (value['type'] === 'function' || value['type'] === 'custom')
    required(['name'], fields({ name: text }))(value, param);
};

/**
 * Refuses a choice of a tool that the model does not have. Items of the context bring tools of their own, and so may a
 * prompt.
 * @throws ApiError in the API's words.
 */
export function checkToolChoice(sent: JsonObject, context: readonly JsonObject[]): void {
  const { tool_choice: choice, prompt } = sent;
  if (isJsonObject(prompt)) return;
  const offered = [sent, ...context].flatMap(toolsOf);
  if (choice === 'required' && offered.length === 0) throw errors.toolChoiceWithoutTools(choice);
  if (!isJsonObject(choice)) return;
  if (choice['type'] === 'allowed_tools') {
    const missing = objectsIn(choice['tools']).find((each) => !isOffered(each, offered));
    if (missing) throw errors.toolChoiceNotFound(String(missing['name'] ?? missing['type']));
  } else if (!isOffered(choice, offered)) throw errors.toolChoiceNotFound(String(choice['type']));
}

/** The tools that a request or an item brings, with those of each namespace. */
function toolsOf(owner: JsonObject): JsonObject[] {
  return objectsIn(owner['tools']).flatMap((each) => [each, ...toolsOf(each)]);
}

function isOffered(choice: JsonObject, offered: readonly JsonObject[]): boolean {
  const key = choice['type'] === 'mcp' ? 'server_label' : 'name';
  return offered.some(
    (each) =>
      kindOf(each['type']) === kindOf(choice['type']) && (!(key in choice) || each[key] === choice[key]),
  );
}

/** The kind of a tool, without the version: the versions of a hosted tool stand for each other. */
function kindOf(type: unknown): string {
  return String(type).replace(/(?:_use)?(?:_preview)?(?:_\d{4}_\d{2}_\d{2})?$/, '');
}

function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
