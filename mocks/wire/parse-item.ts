import { errors } from './error-catalogue.ts';
import { filledFields, itemFields, type ItemFields } from './item-fields.ts';
import { isJsonObject, type JsonObject, jsonTypeName, ownEntry } from './json.ts';
import { checkSummary, parseContent } from './parse-content.ts';

/** An item of a request, checked and brought into the stored form, but without an ID of its own yet. */
export interface ParsedItem {
  /** The ID the client sent. A stored item of that ID takes the place of this one. */
  readonly id: string | undefined;
  /** Whether only the ID was sent, with no content to fall back on. */
  readonly isReference: boolean;
  readonly type: string;
  readonly fields: JsonObject;
}

const ROLES = ['user', 'assistant', 'system', 'developer'] as const;
const STATUSES = ['in_progress', 'completed', 'incomplete'] as const;
const PLAIN_TYPES = ['message', 'function_call', 'function_call_output', 'reasoning'] as const;
const MAX_CALL_ID_LENGTH = 64;
const MAX_NAME_LENGTH = 128;
const PHASES = ['commentary', 'final_answer'] as const;

/**
 * Checks one item of `input` or `items`.
 * @param path where it stands in the request, such as `input[0]`.
 * @throws ApiError in the API's words.
 */
export function parseItem(value: unknown, path: string): ParsedItem {
  if (!isJsonObject(value)) throw errors.invalidType(path, 'an input item', jsonTypeName(value));
  const type = typeOf(value, path);
  if (type === 'item_reference') return reference(value, path);
  const spec = ownEntry(itemFields, type);
  if (!spec) throw errors.invalidValue(`${path}.type`, type, [...Object.keys(itemFields), 'item_reference']);
  checkKeys(value, type, spec, path);
  if (type === 'reasoning') checkSummary(value['summary'], `${path}.summary`);
  const id = parseId(value['id'], `${path}.id`, spec.prefix);
  const fields = type === 'message' ? messageFields(value, path) : otherFields(value, spec, path);
  if (type === 'reasoning' && id === undefined && typeof fields['encrypted_content'] !== 'string') {
    throw errors.invalidItem();
  }
  return { id, isReference: false, type, fields };
}

function typeOf(value: JsonObject, path: string): string {
  const { type } = value;
  if (typeof type === 'string') return type;
  if (type !== undefined && type !== null)
    throw errors.invalidType(`${path}.type`, 'a string', jsonTypeName(type));
  if (typeof value['role'] === 'string') return 'message';
  if (typeof value['id'] === 'string' && Object.keys(value).every((key) => key === 'id' || key === 'type')) {
    return 'item_reference';
  }
  throw errors.missingParameter(`${path}.type`);
}

function reference(value: JsonObject, path: string): ParsedItem {
  const { id } = value;
  if (typeof id !== 'string') throw errors.missingParameter(`${path}.id`);
  return { id, isReference: true, type: 'item_reference', fields: {} };
}

function checkKeys(value: JsonObject, type: string, spec: ItemFields, path: string): void {
  for (const key of Object.keys(value)) {
    const known = key === 'type' || spec.required.includes(key) || spec.optional.includes(key);
    if (!known) throw errors.unknownParameter(`${path}.${key}`);
  }
  const isUserPhase = type === 'message' && value['role'] !== 'assistant' && 'phase' in value;
  if (isUserPhase) throw errors.unknownParameter(`${path}.phase`);
  for (const key of spec.required) {
    if (value[key] === undefined) throw errors.missingParameter(`${path}.${key}`);
  }
}

function parseId(id: unknown, path: string, prefix: string): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id !== 'string') throw errors.invalidType(path, 'a string', jsonTypeName(id));
  if (!id.startsWith(prefix)) throw errors.wrongPrefix(path, id, prefix);
  return id;
}

function messageFields(value: JsonObject, path: string): JsonObject {
  const { role, phase } = value;
  const known = ROLES.find((each) => each === role);
  if (!known) throw errors.invalidValue(`${path}.role`, printed(role), ROLES);
  if (phase !== undefined && phase !== null && !PHASES.some((each) => each === phase)) {
    throw errors.invalidValue(`${path}.phase`, printed(phase), PHASES);
  }
  const content = parseContent(value['content'], known, `${path}.content`);
  return {
    status: statusOf(value, path),
    role: known,
    content,
    ...(typeof phase === 'string' ? { phase } : {}),
  };
}

function otherFields(value: JsonObject, spec: ItemFields, path: string): JsonObject {
  const fields: JsonObject = { ...ownEntry(filledFields, typeOf(value, path)) };
  for (const [key, field] of Object.entries(value)) {
    if (key !== 'id' && key !== 'type' && field !== null) fields[key] = field;
  }
  for (const key of ['call_id', 'name', 'arguments']) {
    const isFree = key === 'arguments' && value['type'] === 'tool_search_call';
    const mustBeText = !isFree && spec.required.includes(key) && typeof value[key] !== 'string';
    if (mustBeText) throw errors.invalidType(`${path}.${key}`, 'a string', jsonTypeName(value[key]));
  }
  checkLength(fields['call_id'], `${path}.call_id`, MAX_CALL_ID_LENGTH);
  if (value['type'] === 'function_call') checkLength(fields['name'], `${path}.name`, MAX_NAME_LENGTH);
  const hasStatus = spec.optional.includes('status') || spec.required.includes('status');
  return hasStatus ? { ...fields, status: statusOf(value, path) } : fields;
}

function checkLength(value: unknown, path: string, most: number): void {
  if (value === '') throw errors.emptyString(path);
  if (typeof value === 'string' && value.length > most) throw errors.stringTooLong(path, most, value.length);
}

/** The status of an item; tools that run at the API have statuses of their own, which are taken as they are. */
function statusOf(value: JsonObject, path: string): string {
  const { status, type = 'message' } = value;
  if (status === undefined || status === null) return 'completed';
  const isPlain = PLAIN_TYPES.some((each) => each === type);
  const isKnown = typeof status === 'string' && (!isPlain || STATUSES.some((each) => each === status));
  if (!isKnown) throw errors.invalidValue(`${path}.status`, printed(status), STATUSES);
  return status;
}

/** A value as an error quotes it: a string as it is, anything else as JSON. */
function printed(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
