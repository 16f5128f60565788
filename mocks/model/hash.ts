/** Two 32-bit numbers: enough to tell contexts apart, not to keep secrets. */
export type Hash = readonly [number, number];

/** The hash of a text: FNV-1a and a multiplicative hash beside it. */
export function hashOf(text: string): Hash {
  let first = 0x811c9dc5;
  let second = 0x1b873593;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second + code, 0x85ebca6b) ^ (second >>> 13);
  }
  return [first, second];
}

/** The hash of a sequence, given that of its beginning and that of its next part. */
export function extended(beginning: Hash, next: Hash): Hash {
  return [
    Math.imul(beginning[0] ^ next[0], 0x01000193) + next[1],
    (Math.imul(beginning[1] + next[1], 0x85ebca6b) ^ (beginning[1] >>> 13)) + next[0],
  ];
}

/** A hash as one number, to be the key of a set. */
export function keyOf(hash: Hash): number {
  return (hash[0] >>> 0) * 0x20_0000 + (hash[1] >>> 11);
}
