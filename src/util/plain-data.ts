/**
 * Whether a value is plain data at every depth: objects and lists with visible fields only, text, numbers, and bytes.
 *
 * No code of the value runs, except a proxy's.
 */
export function isPlainData(value: unknown): boolean {
  try {
    requirePlain(value, new Set());
    // A proxy looks like its target; `structuredClone` refuses it.
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function requirePlain(value: unknown, ancestors: Set<object>): void {
  if (typeof value !== 'object' || value === null) {
    // Other values that JSON lacks are for the caller to refuse.
    if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
      throw new TypeError(typeof value);
    return;
  }
  if (ancestors.has(value)) throw new TypeError('cycle');
  ancestors.add(value);
  if (value instanceof Uint8Array) requireIndexes(value, value.length);
  else if (Array.isArray(value)) {
    const { length } = value;
    requireIndexes(value, length, 'length');
    for (let index = 0; index < length; index += 1) requirePlain(fieldOf(value, String(index)), ancestors);
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) throw new TypeError('prototype');
    for (const key of Reflect.ownKeys(value)) requirePlain(fieldOf(value, key), ancestors);
  }
  ancestors.delete(value);
}

/** Requires every element, and no other key. */
function requireIndexes(value: object, length: number, ...others: readonly string[]): void {
  const keys = Reflect.ownKeys(value);
  if (keys.length !== length + others.length) throw new TypeError('elements');
  for (let index = 0; index < length; index += 1)
    if (keys[index] !== String(index)) throw new TypeError('elements');
}

function fieldOf(value: object, key: string | symbol): unknown {
  const field = Object.getOwnPropertyDescriptor(value, key);
  if (typeof key !== 'string' || field?.enumerable !== true || !('value' in field))
    throw new TypeError('field');
  return field.value;
}
