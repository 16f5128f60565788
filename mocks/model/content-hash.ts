const hashes = new WeakMap<object, string>();

/** A short hash of what a model reads of a value: its JSON without IDs. Remembered for frozen items. */
export function contentHash(value: unknown): string {
  if (typeof value !== 'object' || value === null) return hashOf(JSON.stringify(value) ?? '');
  const known = hashes.get(value);
  if (known !== undefined) return known;
  const hash = hashOf(JSON.stringify(value, (key, inner: unknown) => (key === 'id' ? undefined : inner)));
  if (Object.isFrozen(value)) hashes.set(value, hash);
  return hash;
}

/** Two 32-bit FNV-1a runs with different starts: enough to tell contexts apart, not to keep secrets. */
function hashOf(text: string): string {
  let first = 0x811c9dc5;
  let second = 0x1b873593;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ code, 0x85ebca6b);
  }
  return (first >>> 0).toString(16) + (second >>> 0).toString(16).padStart(8, '0');
}
