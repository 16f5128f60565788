import { base64Of, fieldsOf } from './json.ts';

/** A value holds something that JSON cannot. The message quotes nothing of the value. */
export class NotJsonError extends TypeError {}

/** Recursion through deeper values overflows the stack: JSON could be written and then not be read again. */
export const MAX_DEPTH = 500;

/**
 * A copy as JSON would make it, except that bytes become data URLs, of the media type beside them.
 *
 * @throws NotJsonError for functions, symbols, big integers, cycles, and values nested too deeply; any error of a `toJSON`.
 */
export function copyJson(value: unknown, mediaType?: string): unknown {
  return copy(value, mediaType, []);
}

/** @param ancestors the objects around the value, outermost first. */
function copy(value: unknown, mediaType: string | undefined, ancestors: object[]): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  // JSON knows no negative zero.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null;
  if (typeof value !== 'object') throw new NotJsonError(`it holds a value of type ${typeof value}`);
  if (ancestors.includes(value)) throw new NotJsonError('it refers to itself');
  if (value instanceof ArrayBuffer) return dataUrl(new Uint8Array(value), mediaType);
  if (ArrayBuffer.isView(value)) {
    return dataUrl(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), mediaType);
  }
  if (ancestors.length >= MAX_DEPTH) throw new NotJsonError(`it is nested deeper than ${MAX_DEPTH} levels`);
  ancestors.push(value);
  const copied = copyObject(value, mediaType, ancestors);
  ancestors.pop();
  return copied;
}

function copyObject(value: object, mediaType: string | undefined, ancestors: object[]): unknown {
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    // A hole, too, is null in JSON.
    for (const entry of value) list.push(entry === undefined ? null : copy(entry, mediaType, ancestors));
    return list;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return copy(value.toJSON(), mediaType, ancestors);
  const own = 'mediaType' in value ? value.mediaType : undefined;
  const beside = typeof own === 'string' && own !== '' ? own : mediaType;
  const object: Record<string, unknown> = {};
  const fields = fieldsOf(value);
  for (const key of Object.keys(value)) {
    const entry = fields[key];
    if (entry !== undefined) setField(object, key, copy(entry, beside, ancestors));
  }
  return object;
}

/** Sets a field of its own, whatever its name is. */
function setField(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function dataUrl(bytes: Uint8Array, mediaType = 'text/plain'): string {
  return `data:${mediaType};base64,${base64Of(bytes)}`;
}
