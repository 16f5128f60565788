import { base64Of } from './base64.ts';

/** A value holds something that JSON cannot; unlike what the value's own code may throw, its message quotes nothing. */
export class NotJsonError extends TypeError {}

/** What is nested deeper could be written and then not be read again: every walk through it ends the stack. */
export const DEEPEST = 500;

/**
 * A copy as JSON would make it, except that bytes become data URLs, of the media type that stands beside them.
 *
 * @throws NotJsonError for what JSON cannot hold: functions, symbols, big integers, cycles, what is nested too
 * deeply; and what `toJSON` throws.
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
  if (ancestors.length >= DEEPEST) throw new NotJsonError(`it is nested deeper than ${DEEPEST} levels`);
  const path = [...ancestors, value];
  if (Array.isArray(value)) {
    return value.map((entry: unknown) => (entry === undefined ? null : copyJson(entry, mediaType, path)));
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
