import { parametersFault } from './schema-fault.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** The parameters of a function as a response shows them, and whether its arguments fit exactly. */
export interface ShownParameters {
  readonly parameters: unknown;
  readonly strict: boolean;
}

/**
 * Makes parameters strict where the client leaves that to the API: no object has other properties, and each property is
 * required. Parameters that cannot become strict stay as they are.
 */
export function shownParameters(parameters: unknown, strict: unknown): ShownParameters {
  if (!isJsonObject(parameters) || typeof strict === 'boolean')
    return { parameters: parameters ?? null, strict: strict !== false };
  const closed = closedSchema(parameters);
  const isPossible = isJsonObject(closed) && parametersFault(closed, true) === undefined;
  return isPossible ? { parameters: closed, strict: true } : { parameters, strict: false };
}

/** A schema in which no object has other properties, and each property is required. */
function closedSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closedSchema);
  if (!isJsonObject(schema)) return schema;
  const parts = Object.entries(schema).map(([key, value]): [string, unknown] => [
    key,
    isJsonObject(value) && NAMED_PARTS.has(key) ? closedParts(value) : closedSchema(value),
  ]);
  const closed: JsonObject = Object.fromEntries(parts);
  if (schema['type'] !== 'object') return closed;
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  return { additionalProperties: false, ...closed, required: Object.keys(properties) };
}

/** The keywords with schemas by name. */
const NAMED_PARTS = new Set(['properties', '$defs', 'definitions']);

function closedParts(parts: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, closedSchema(part)]));
}
