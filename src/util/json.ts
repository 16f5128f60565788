import { Buffer } from 'node:buffer';

/** A plain object whose values are not known yet. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

/** Whether a value is an object that is neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of an object, whatever its type says. */
export function fieldsOf(object: object): JsonObject {
  return object as JsonObject;
}

/** Whether a value holds objects or lists within each other down to more than so many levels. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((entry) => isDeeper(entry, levels - 1));
}

/** The text of a field that may be absent: absent and empty are one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The fields of an object that carry a value. */
export function entriesOf(object: JsonObject): [string, unknown][] {
  return Object.entries(object).filter(([, value]) => value !== undefined && value !== null);
}

/** JSON with sorted keys and without empty fields, so that equal values have equal text. */
export function stableJson(value: unknown): string {
  return JSON.stringify(sorted(value, entriesOf)) ?? 'null';
}

/** JSON with sorted keys in which null is a value: for JSON that a model wrote. */
export function exactJson(value: unknown): string {
  return JSON.stringify(sorted(value, Object.entries)) ?? 'null';
}

/** How many bytes a value takes as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

/** About how many bytes a value takes, without writing it: the length of its texts, and 8 for each value. */
export function roughBytes(value: unknown): number {
  let bytes = 0;
  const open: object[] = [];
  const add = (entry: unknown): void => {
    bytes += typeof entry === 'string' ? 8 + entry.length : 8;
    if (typeof entry === 'object' && entry !== null) open.push(entry);
  };
  add(value);
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (Array.isArray(one)) {
      for (const entry of one) add(entry);
      continue;
    }
    for (const key in one) {
      bytes += key.length;
      add(fieldsOf(one)[key]);
    }
  }
  return bytes;
}

function sorted(value: unknown, entries: (object: JsonObject) => [string, unknown][]): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => sorted(entry, entries));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry, entries)]),
  );
}

/** Base64 of bytes, without a copy of the bytes. */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
