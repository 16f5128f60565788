import type { AgentInputItem } from '@openai/agents';
import { z } from 'zod';
import { InvalidItemError } from '../errors/session.ts';
import { copyJson, NotJsonError } from '../util/copy-json.ts';
import { isObject, textOf, type JsonObject } from '../util/json.ts';
import { parse } from '../util/parse.ts';
import { MESSAGE_ROLES, SDK_TYPES } from './item-types.ts';

/** The fields that an item of any type may have. */
const common = {
  id: z.string().optional(),
  type: z.string().min(1).optional(),
  role: z.string().optional(),
  providerData: z.looseObject({}).optional(),
};

/** A schema for values that are items of a type. */
function schemaOf(fields: z.ZodRawShape = {}): z.ZodType {
  return z.looseObject({ ...common, ...fields });
}

/**
 * The schemas of items, by type and role. They are loose on purpose: a new field or a new type of a newer SDK must not cost a
 * turn that the model has already answered.
 */
const schemas: ReadonlyMap<string, z.ZodType> = new Map([
  ...Object.entries(MESSAGE_ROLES).map(([role, { least }]) => [`message:${role}`, schemaOf(least)] as const),
  ...[...SDK_TYPES].flatMap(([type, { least }]) =>
    least === undefined ? [] : [[type, schemaOf(least)] as const],
  ),
]);
const anyItem = schemaOf();

/**
 * Copies of the given items, in the form in which they can be stored: plain JSON, bytes as data URLs as the SDK stores them.
 *
 * @throws InvalidItemError naming the first value that is not an item.
 */
export function parseAgentItems(values: unknown): AgentInputItem[] {
  return readArray(values, 'expected an array of items', (value, index) => parseAgentItem(value, index));
}

/**
 * Reads an array that may have holes, or code of its own that throws.
 *
 * @throws InvalidItemError naming the first element that is not there or cannot be read.
 */
export function readArray<T>(
  values: unknown,
  expected: string,
  read: (value: unknown, index: number) => T,
): T[] {
  const items: T[] = [];
  try {
    if (!Array.isArray(values)) throw new InvalidItemError(0, expected);
    // Not `map`: it passes over holes.
    for (let index = 0; index < values.length; index += 1) {
      if (!(index in values)) throw new InvalidItemError(index, 'it is not there: the array has a hole');
      items.push(read(values[index], index));
    }
  } catch (error) {
    // An error from the array's own code may quote anything.
    throw error instanceof InvalidItemError ? error : new InvalidItemError(items.length, 'it cannot be read');
  }
  return items;
}

function parseAgentItem(value: unknown, index: number): AgentInputItem {
  let copy: unknown;
  try {
    copy = copyJson(value);
  } catch (error) {
    throw new InvalidItemError(
      index,
      error instanceof NotJsonError ? error.message : 'it cannot be written as JSON',
    );
  }
  // Some servers write null for an ID that an item does not have.
  if (isObject(copy) && copy['id'] === null) Reflect.deleteProperty(copy, 'id');
  const problem = problemWith(copy);
  if (problem !== undefined) throw new InvalidItemError(index, problem);
  return copy as AgentInputItem;
}

/** Why a value is no item. Messages of zod are not passed on: they may quote the value. */
function problemWith(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not an object';
  const { type = 'message', role } = value;
  const key = type === 'message' ? `message:${textOf(role)}` : textOf(type);
  const schema = schemas.get(key);
  const [issue] = parse(schema ?? anyItem, value).error?.issues ?? [];
  if (issue !== undefined) {
    const [field = ''] = issue.path;
    const wanted = Object.hasOwn(common, field) ? '' : ` for a ${key}`;
    return `field '${issue.path.join('.')}' is wrong${wanted} (${issue.code})`;
  }
  // The item of an ID may belong to any user of the project, and may be another item tomorrow.
  if (isReference(value))
    return 'it only refers to an item that the API may have stored: add that item itself';
  const isMessage = schema === undefined && type === 'message';
  return isMessage ? "field 'role' must be 'user', 'assistant' or 'system'" : undefined;
}

/** Whether the API would get nothing but an ID. */
function isReference({ type, id, providerData }: JsonObject): boolean {
  const data = isObject(providerData) ? providerData : {};
  if (type === 'item_reference' || data['type'] === 'item_reference') return true;
  const hasId = id !== undefined || data['id'] !== undefined;
  return type === 'unknown' && hasId && textOf(data['type']) === '' && textOf(data['role']) === '';
}
