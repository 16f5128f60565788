import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ListedItem } from '../../src/history/listed-item.ts';
import { matchBase, type HistoryProof } from '../../src/history/match-base.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../../src/ledger/digest.ts';
import { user } from '../support/conversation.ts';

/** Messages of a list, or of a context with IDs of its own. */
function told(texts: string, where = 'msg'): ListedItem[] {
  return texts.split('').map((text, at) => ({ id: `${where}_${at}${text}`, item: user(text) }));
}

function proofOf(items: readonly ListedItem[]): HistoryProof {
  const digest = items.reduce((context, { item }) => extendDigest(context, itemDigest(item)), EMPTY_DIGEST);
  return { length: items.length, digest };
}

const textsOf = (items: readonly ListedItem[] | undefined): string | undefined =>
  items
    ?.map(({ item }) => ('content' in item && typeof item.content === 'string' ? item.content : '?'))
    .join('');

const thought = (id: string): ListedItem => {
  const item: AgentInputItem = { type: 'reasoning', id, content: [] };
  return { id, item };
};

describe('the history that a head describes is found', () => {
  test.each([
    ['in a list that is whole', 'abcd', ''],
    ['in a context that is whole', 'ac', 'abcd'],
    ['in a list that lost answers, with the context that the newest response answered', 'acd', 'abc'],
    ['in a list that lost its end', 'ab', 'bcd'],
    ['where neither has all', 'abd', 'acd'],
    ['where what the context has more has left since', 'acd', 'xabyz'],
    ['where both have what the other one has not, and the context has more', 'bd', 'axbcy'],
  ])('%s', (_where, list, context) => {
    const proof = proofOf(told('abcd'));
    expect(textsOf(matchBase(proof, told(list), told(context, 'ctx')))).toBe('abcd');
  });

  test('at the beginning of what has gone on since', () => {
    expect(textsOf(matchBase(proofOf(told('ab')), told('abcd'), []))).toBe('ab');
  });

  test('under the IDs of the list, where that has them', () => {
    const found = matchBase(proofOf(told('abc')), told('ac'), told('abc', 'ctx'));
    expect(found?.map(({ id }) => id)).toEqual(['msg_0a', 'ctx_1b', 'msg_1c']);
  });

  test('with the reasoning that belongs to it', () => {
    const list = [...told('a'), thought('rs_1'), ...told('b')];
    expect(matchBase(proofOf(list), list, [])).toEqual(list);
  });

  test('empty where nothing was said', () => {
    expect(matchBase({ length: 0, digest: EMPTY_DIGEST }, told('ab'), [])).toEqual([]);
  });
});

test('a search that would take too long is given up', () => {
  const texts = 'abcdefghijklmnopqrstuvwxyz';
  const began = performance.now();
  expect(matchBase(proofOf(told('zy')), told(''), told(texts, 'ctx'))).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(5000);
});

test('a context that is longer than a stack is deep can be searched', () => {
  const context = Array.from({ length: 15_000 }, (_, at) => ({ id: `ctx_${at}`, item: user(String(at)) }));
  expect(matchBase(proofOf(told('ab')), told(''), context)).toBeUndefined();
  const wanted = context.slice(-3);
  expect(matchBase(proofOf(wanted), wanted.slice(0, 1), context)).toEqual(wanted);
});

test('no other history is taken for it', () => {
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });
  fc.assert(
    fc.property(texts, texts, texts, (history, list, context) => {
      const found = textsOf(matchBase(proofOf(told(history)), told(list), told(context, 'ctx')));
      expect([undefined, history]).toContain(found);
    }),
    { numRuns: 500 },
  );
});

test('what only one of the two has lost is found again, wherever it stood', () => {
  const texts = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { minLength: 1 });
  fc.assert(
    fc.property(texts, fc.nat(), (history, lost) => {
      const whole = history.join('');
      const list = told(history.toSpliced(lost % history.length, 1).join(''));
      expect(textsOf(matchBase(proofOf(told(whole)), list, told(whole, 'ctx')))).toBe(whole);
      expect(textsOf(matchBase(proofOf(told(whole)), told(whole), list))).toBe(whole);
    }),
  );
});

test('a head without items is matched by nothing but nothing, whatever the list holds', () => {
  expect(matchBase({ length: 0, digest: EMPTY_DIGEST }, told('ab'), [])).toEqual([]);
  expect(matchBase({ length: 2, digest: EMPTY_DIGEST }, told('ab'), [])).toBeUndefined();
  const proof = proofOf(told('ab'));
  expect(textsOf(matchBase({ ...proof, length: 0 }, told('ab'), []))).toBe('ab');
});

test('reasoning behind the last item belongs to it, all of it', () => {
  const list = [...told('a'), thought('rs_1'), thought('rs_2'), ...told('b')];
  expect(matchBase(proofOf(told('a')), list, [])?.map(({ id }) => id)).toEqual(['msg_0a', 'rs_1', 'rs_2']);
});

test('reasoning is told apart by its ID', () => {
  const list = [...told('a'), thought('rs_1')];
  const context = [...told('a', 'ctx'), thought('rs_2'), { id: 'ctx_b', item: user('b') }];
  const found = matchBase(proofOf(told('ab')), list, context);
  expect(textsOf(found)).toBe('a?b');
  expect(found?.map(({ id }) => id)).toEqual(['msg_0a', 'rs_2', 'ctx_b']);
});
