import { describe, expect, test } from 'vitest';
import { PinnedContent } from '../../src/history/pinned-content.ts';
import { user } from '../support/conversation.ts';

const mine = {};
const theirs = {};

/** Releases what the owner does not need. @returns the keys of what went. */
function released(pinned: PinnedContent, owner: object, ...needed: string[]): string[] {
  const gone: string[] = [];
  pinned.release(
    owner,
    () => new Set(needed),
    (key) => gone.push(key),
  );
  return gone;
}

describe('pinned content', () => {
  test('pinned content is available until its release, which reports it', () => {
    const pinned = new PinnedContent();
    const settle = pinned.pin(mine, 'a', user('a'));
    expect(pinned.get('a')).toEqual(user('a'));
    expect(pinned.get('b')).toBeUndefined();
    settle();
    const gone: unknown[] = [];
    pinned.release(
      mine,
      () => new Set(),
      (key, item) => gone.push([key, item]),
    );
    expect(gone).toEqual([['a', user('a')]]);
    expect(pinned.get('a')).toBeUndefined();
    expect(released(pinned, mine)).toEqual([]);
  });

  test('pinned content stays until the ledger has its item', () => {
    const pinned = new PinnedContent();
    const settle = pinned.pin(mine, 'a', user('a'));
    expect(released(pinned, mine)).toEqual([]);
    expect(pinned.get('a')).toEqual(user('a'));
    settle();
    expect(released(pinned, mine)).toEqual(['a']);
  });

  test('pinned content stays as long as its owner needs it', () => {
    const pinned = new PinnedContent();
    for (const key of ['a', 'b']) pinned.pin(mine, key, user(key))();
    expect(released(pinned, mine, 'a')).toEqual(['b']);
    expect(pinned.get('a')).toEqual(user('a'));
    expect(released(pinned, mine)).toEqual(['a']);
  });

  test('a release keeps the pinned content of other owners', () => {
    const pinned = new PinnedContent();
    pinned.pin(mine, 'a', user('a'))();
    pinned.pin(theirs, 'a', user('a'))();
    expect(released(pinned, mine)).toEqual(['a']);
    expect(pinned.get('a')).toEqual(user('a'));
    expect(released(pinned, mine)).toEqual([]);
    expect(released(pinned, theirs)).toEqual(['a']);
    expect(pinned.get('a')).toBeUndefined();
  });

  test('content that was pinned twice is released for each settled pin', () => {
    const pinned = new PinnedContent();
    pinned.pin(mine, 'a', user('a'))();
    const settle = pinned.pin(mine, 'a', user('a'));
    expect(released(pinned, mine)).toEqual(['a']);
    expect(pinned.get('a')).toEqual(user('a'));
    settle();
    expect(released(pinned, mine)).toEqual(['a']);
  });

  test('a release without pinned content does not compute the needed keys', () => {
    const pinned = new PinnedContent();
    expect(() =>
      pinned.release(
        mine,
        () => {
          throw new Error('asked');
        },
        () => undefined,
      ),
    ).not.toThrow();
  });
});

test('a release after the last one does not compute the needed keys', () => {
  const pinned = new PinnedContent();
  pinned.pin(mine, 'a', user('a'))();
  expect(released(pinned, mine)).toEqual(['a']);
  let asked = 0;
  pinned.release(
    mine,
    () => {
      asked += 1;
      return new Set();
    },
    () => undefined,
  );
  expect(asked).toBe(0);
});
