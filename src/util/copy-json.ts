import { base64Of } from './json.ts';

/** A value holds something that JSON cannot. The message quotes nothing of the value. */
export class NotJsonError extends TypeError {}

/** Recursion through deeper values overflows the stack: JSON could be written and then not be read again. */
export const MAX_DEPTH = 500;

/**
 * A copy as JSON would make it, except that bytes become data URLs, of the media type beside them.
 *
 * @throws NotJsonError for functions, symbols, big integers, cycles, and values nested too deeply; any error of a `toJSON`.
 */
export function copyJson(value: unknown, mediaType?: string, ancestors: readonly unknown[] = []): unknown {
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
  const path = [...ancestors, value];
  if (Array.isArray(value)) {
    // A hole, too, is null in JSON.
    return Array.from(value, (entry: unknown) =>
      entry === undefined ? null : copyJson(entry, mediaType, path),
    );
  }
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return copyJson(value.toJSON(), mediaType, path);
  const own = 'mediaType' in value ? value.mediaType : undefined;
  const beside = typeof own === 'string' && own !== '' ? own : mediaType;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => [key, copyJson(entry, beside, path)]),
  );
}

function dataUrl(bytes: Uint8Array, mediaType = 'text/plain'): string {
  return `data:${mediaType};base64,${base64Of(bytes)}`;
}
