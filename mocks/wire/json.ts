/** A JSON object whose fields have not been looked at yet. */
export type JsonObject = Record<string, unknown>;

/** Tells a JSON object from every other JSON value; arrays and `null` are not objects. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names the type of a JSON value the way the API's errors do: `a string`, `an object`, `null`. */
export function jsonTypeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number';
  return `a ${typeof value}`;
}

/** Looks a name up in a table; inherited names (`constructor`, ...) are not found. */
export function ownEntry<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
