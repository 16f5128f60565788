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

let told = 0;

/** Names of histories that no other session has served. */
function fresh(): (name: string) => string {
  told += 1;
  const story = told;
  return (name) => `${name} of story ${story}`;
}

test('finds the session whose history a request begins with', () => {
  const of = fresh();
  const one = chain();
  noteServed(one, of('one 2'));
  expect(servedBy([EMPTY_DIGEST, of('one 1'), of('one 2'), of('one 3')])).toBe(one);
  expect(servedBy([EMPTY_DIGEST, of('one 1')])).toBeUndefined();
});

test('takes the longest history when several are beginnings of the request', () => {
  const of = fresh();
  const [short, long] = [chain(), chain()];
  noteServed(short, of('length 1'));
  noteServed(long, of('length 2'));
  expect(servedBy([EMPTY_DIGEST, of('length 1'), of('length 2'), of('length 3')])).toBe(long);
  expect(servedBy([EMPTY_DIGEST, of('length 1'), of('other')])).toBe(short);
});

test('chooses nobody where two sessions have served the same', () => {
  const of = fresh();
  const [one, other] = [chain(), chain()];
  noteServed(one, of('same'));
  noteServed(other, of('same'));
  expect(servedBy([EMPTY_DIGEST, of('same')])).toBeUndefined();
  noteServed(other, of('no longer the same'));
  expect(servedBy([EMPTY_DIGEST, of('same')])).toBe(one);
});

test('goes by what a session served last', () => {
  const of = fresh();
  const one = chain();
  noteServed(one, of('before'));
  noteServed(one, of('after'));
  expect(servedBy([EMPTY_DIGEST, of('before')])).toBeUndefined();
  expect(servedBy([EMPTY_DIGEST, of('after')])).toBe(one);
  noteServed(one, of('before'));
  expect(servedBy([EMPTY_DIGEST, of('before')])).toBe(one);
});

test('knows nobody by an empty history: every request begins with that', () => {
  const one = chain();
  noteServed(one, EMPTY_DIGEST);
  expect(servedBy([EMPTY_DIGEST, 'anything'])).toBeUndefined();
});

test('takes a request with the history of the run around it for no other session', () => {
  const of = fresh();
  const [outer, inner] = [chain(), chain()];
  noteServed(outer, of('outer 2'));
  noteServed(inner, of('outer 1'));
  const contexts = [EMPTY_DIGEST, of('outer 1'), of('outer 2')];
  expect(servedBy(contexts)).toBe(outer);
  expect(servedBy(contexts, [outer])).toBeUndefined();
  expect(servedBy(contexts.slice(0, 2), [outer])).toBe(inner);
  expect(servedBy(contexts, [outer, inner])).toBeUndefined();
});
