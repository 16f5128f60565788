import { describe, expect, test } from 'vitest';
import { boundedMap } from '../../src/util/bounded-map.ts';

describe('a bounded map', () => {
  test('a bounded map forgets the entry that was used least recently', () => {
    const map = boundedMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([...map.keys()].toSorted()).toEqual(['a', 'c']);
  });

  test('a value that replaces another takes its place', () => {
    const map = boundedMap<number>(2);
    map.set('a', 1);
    map.set('a', 2);
    map.set('b', 3);
    expect([map.get('a'), map.get('b')]).toEqual([2, 3]);
  });
});
