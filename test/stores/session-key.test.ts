import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { canBeginKey, sessionIdOf, sessionKey } from '../../src/stores/shared/session-key.ts';

it.each(['user-42', 'ü', '\u{1F600}', 'a'.repeat(512), 'ü'.repeat(256), ' ', '-~'])(
  'a name that every engine can hold is its own key: %j',
  (name) => {
    expect(sessionKey(name)).toBe(name);
    expect(sessionIdOf(sessionKey(name))).toBe(name);
    expect(canBeginKey(name)).toBe(true);
  },
);

it.each(['', '~', '~user', 'a\0b', '\uD800', 'a\uDC00', 'a'.repeat(513), 'ü'.repeat(257)])(
  'the key of another name is its hash: %j',
  (name) => {
    const hash = createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('base64url');
    expect(sessionKey(name)).toBe(`~${hash}`);
    expect(sessionIdOf(sessionKey(name))).toBeUndefined();
  },
);

it('halves of two surrogate pairs have two keys, and begin no key', () => {
  expect(sessionKey('\uD800')).not.toBe(sessionKey('\uD801'));
  expect(['\uD800', 'a\0'].map((prefix) => canBeginKey(prefix))).toEqual([false, false]);
});
