import { expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/ledger/digest.ts';
import type { Chain } from '../../src/model/chain.ts';
import { noHistory } from './known-chain.ts';
import { noteServed, servedBy } from '../../src/model/served-histories.ts';

function chain(): Chain {
  return {
    client: undefined,
    history: noHistory,
    view: () => Promise.reject(new Error('Nobody looks')),
    answered: () => undefined,
    refused: () => undefined,
    planning: () => () => undefined,
  };
}

test('finds the session whose history a request begins with', () => {
  const one = chain();
  noteServed(one, 'one 2');
  expect(servedBy([EMPTY_DIGEST, 'one 1', 'one 2', 'one 3'])).toBe(one);
  expect(servedBy([EMPTY_DIGEST, 'one 1'])).toBeUndefined();
});

test('takes the longest history when several are beginnings of the request', () => {
  const [short, long] = [chain(), chain()];
  noteServed(short, 'length 1');
  noteServed(long, 'length 2');
  expect(servedBy([EMPTY_DIGEST, 'length 1', 'length 2', 'length 3'])).toBe(long);
  expect(servedBy([EMPTY_DIGEST, 'length 1', 'other'])).toBe(short);
});

test('chooses nobody where two sessions have served the same', () => {
  const [one, other] = [chain(), chain()];
  noteServed(one, 'same');
  noteServed(other, 'same');
  expect(servedBy([EMPTY_DIGEST, 'same'])).toBeUndefined();
  noteServed(other, 'no longer the same');
  expect(servedBy([EMPTY_DIGEST, 'same'])).toBe(one);
});

test('goes by what a session served last', () => {
  const one = chain();
  noteServed(one, 'before');
  noteServed(one, 'after');
  expect(servedBy([EMPTY_DIGEST, 'before'])).toBeUndefined();
  expect(servedBy([EMPTY_DIGEST, 'after'])).toBe(one);
  noteServed(one, 'before');
  expect(servedBy([EMPTY_DIGEST, 'before'])).toBe(one);
});

test('knows nobody by an empty history: every request begins with that', () => {
  const one = chain();
  noteServed(one, EMPTY_DIGEST);
  expect(servedBy([EMPTY_DIGEST, 'anything'])).toBeUndefined();
});

test('takes a request with the history of the run around it for no other session', () => {
  const [outer, inner] = [chain(), chain()];
  noteServed(outer, 'outer 2');
  noteServed(inner, 'outer 1');
  const contexts = [EMPTY_DIGEST, 'outer 1', 'outer 2'];
  expect(servedBy(contexts)).toBe(outer);
  expect(servedBy(contexts, [outer])).toBeUndefined();
  expect(servedBy(contexts.slice(0, 2), [outer])).toBe(inner);
  expect(servedBy(contexts, [outer, inner])).toBeUndefined();
});
