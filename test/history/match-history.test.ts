import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ListedItem } from '../../src/conversation/items.ts';
import { matchHistory, type IsProven } from '../../src/history/match-history.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../../src/items/digest.ts';
import { assistant, call, result, user } from '../support/conversation.ts';

/** Messages of a list, or of a context with IDs of its own. */
function told(texts: string, where = 'msg'): ListedItem[] {
  return texts.split('').map((text, at) => ({ id: `${where}_${at}${text}`, item: user(text) }));
}

/** Knows the digest of these items. */
function proofOf(items: readonly ListedItem[]): IsProven {
  const digest = items.reduce((context, { item }) => extendDigest(context, itemDigest(item)), EMPTY_DIGEST);
  return (other) => other === digest;
}

/** The same, where capital letters are equal answers. */
function said(texts: string, where: string): ListedItem[] {
  return told(texts, where).map((one, at) => {
    const isAnswer = texts.charAt(at) !== texts.charAt(at).toLowerCase();
    return isAnswer ? { ...one, item: assistant('Done.') } : one;
  });
}

const textsOf = (items: readonly ListedItem[] | undefined): string | undefined =>
  items
    ?.map(({ item }) => ('content' in item && typeof item.content === 'string' ? item.content : '?'))
    .join('');

const thought = (id: string): ListedItem => {
  const item: AgentInputItem = { type: 'reasoning', id, content: [] };
  return { id, item };
};

describe('the history of a digest is found', () => {
  test.each([
    ['in a list that is whole', 'abcd', ''],
    ['in a context that is whole', 'ac', 'abcd'],
    ['in a list that lost answers, with the context that the newest response answered', 'acd', 'abc'],
    ['in a list that lost its end', 'ab', 'bcd'],
    ['where neither has all', 'abd', 'acd'],
    ['where what the context has more has left since', 'acd', 'xabyz'],
    ['where both have what the other one has not, and the context has more', 'bd', 'axbcy'],
  ])('matchHistory finds a history %s', (_where, list, context) => {
    const proof = proofOf(told('abcd'));
    expect(textsOf(matchHistory(proof, told(list), told(context, 'ctx')))).toBe('abcd');
  });

  test('matchHistory finds a history that has continued since', () => {
    expect(textsOf(matchHistory(proofOf(told('ab')), told('abcd'), []))).toBe('ab');
  });

  test('matchHistory returns items under their IDs in the list', () => {
    const found = matchHistory(proofOf(told('abc')), told('ac'), told('abc', 'ctx'));
    expect(found?.map(({ id }) => id)).toEqual(['msg_0a', 'ctx_1b', 'msg_1c']);
  });

  test.each([
    ['in another order', 'acb', 'msg_0a,msg_2b,msg_1c'],
    ['that lacks an item and repeats an equal one of another writer', 'acxb', 'msg_0a,ctx_1b,msg_1c'],
  ])('matchHistory returns items under their IDs in a list %s', (_how, list, ids) => {
    const found = matchHistory(proofOf(told('abc')), told(list), told('abc', 'ctx'));
    expect(found?.map(({ id }) => id).join()).toBe(ids);
  });

  test.each(['', 'abc'])(
    'matchHistory finds a history in a list whose pages overlap, with the context "%s"',
    (context) => {
      const [first, second, third] = told('abc');
      const list = context === '' ? [first, second, second, third] : [first, third, third];
      const shown = list.filter((one) => one !== undefined);
      const found = matchHistory(proofOf(told('abc')), shown, told(context, 'ctx'));
      expect(textsOf(found)).toBe('abc');
      expect(new Set(found?.map(({ id }) => id)).size).toBe(3);
    },
  );

  test.each([
    ['an equal answer to the question of another writer', 'uA', 'ufA', 'msg_0u,ctx_1A'],
    ['a turn behind the one of another writer', 'uAvB', 'ufvB', 'msg_0u,ctx_1A,msg_2v,msg_3B'],
  ])('matchHistory tells apart the turns of a list with %s', (_what, history, list, ids) => {
    const context = said(history, 'ctx');
    const found = matchHistory(proofOf(context), said(list, 'msg'), context);
    expect(found?.map(({ id }) => id).join()).toBe(ids);
  });

  test('matchHistory gives no two items the ID of one that a list repeats', () => {
    const [first, second] = told('ab');
    const list = [first, second, second].filter((one) => one !== undefined);
    const found = matchHistory(proofOf(told('bab')), list, told('bab', 'ctx'));
    expect(found?.map(({ id }) => id)).toEqual(['ctx_0b', 'msg_0a', 'msg_1b']);
  });

  test('matchHistory returns the reasoning of the history', () => {
    const list = [...told('a'), thought('rs_1'), ...told('b')];
    expect(matchHistory(proofOf(list), list, [])).toEqual(list);
  });

  test('matchHistory finds an empty history', () => {
    expect(matchHistory(proofOf([]), told('ab'), [])).toEqual([]);
  });
});

test('matchHistory ends a long search', () => {
  const texts = 'abcdefghijklmnopqrstuvwxyz';
  expect(matchHistory(proofOf(told('zy')), told(''), told(texts, 'ctx'))).toBeUndefined();
});

test('matchHistory searches a context longer than the stack', () => {
  const context = Array.from({ length: 15_000 }, (_, at) => ({ id: `ctx_${at}`, item: user(String(at)) }));
  expect(matchHistory(proofOf(told('ab')), told(''), context)).toBeUndefined();
  const wanted = context.slice(-3);
  expect(matchHistory(proofOf(wanted), wanted.slice(0, 1), context)).toEqual(wanted);
});

test('matchHistory returns no history with another digest', () => {
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });
  fc.assert(
    fc.property(texts, texts, texts, (history, list, context) => {
      const found = textsOf(matchHistory(proofOf(told(history)), told(list), told(context, 'ctx')));
      expect([undefined, history]).toContain(found);
    }),
    { seed: 20261129, numRuns: 500 },
  );
});

test('matchHistory finds items that only the list or only the context has lost', () => {
  const texts = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { minLength: 1 });
  fc.assert(
    fc.property(texts, fc.nat(), (history, lost) => {
      const whole = history.join('');
      const list = told(history.toSpliced(lost % history.length, 1).join(''));
      expect(textsOf(matchHistory(proofOf(told(whole)), list, told(whole, 'ctx')))).toBe(whole);
      expect(textsOf(matchHistory(proofOf(told(whole)), told(whole), list))).toBe(whole);
    }),
  );
});

test('matchHistory finds the first history for several digests', () => {
  const [first, second] = [proofOf(told('ab')), proofOf(told('abc'))];
  const found = matchHistory((digest) => first(digest) || second(digest), told('abc'), []);
  expect(textsOf(found)).toBe('ab');
});

test('matchHistory finds no history without a digest', () => {
  expect(matchHistory(() => false, told('ab'), told('b', 'ctx'))).toBeUndefined();
});

test('matchHistory returns all reasoning after the last item', () => {
  const list = [...told('a'), thought('rs_1'), thought('rs_2'), ...told('b')];
  expect(matchHistory(proofOf(told('a')), list, [])?.map(({ id }) => id)).toEqual(['msg_0a', 'rs_1', 'rs_2']);
});

test('matchHistory distinguishes reasoning by its ID', () => {
  const list = [...told('a'), thought('rs_1')];
  const context = [...told('a', 'ctx'), thought('rs_2'), { id: 'ctx_b', item: user('b') }];
  const found = matchHistory(proofOf(told('ab')), list, context);
  expect(textsOf(found)).toBe('a?b');
  expect(found?.map(({ id }) => id)).toEqual(['msg_0a', 'rs_2', 'ctx_b']);
});

const shown = (items: readonly AgentInputItem[], where: string): ListedItem[] =>
  items.map((item, index) => ({ id: `${where}_${index}`, item }));

const turn = (id: string, args: object, output: string): AgentInputItem[] => [
  user('weather?'),
  call(id, 'get_weather', args),
  result(id, 'get_weather', output),
  assistant('Fine.'),
];

describe('a list that shows calls in another form', () => {
  const own = turn('call_1', { city: 'Oslo' }, 'sunny');
  const altered = turn('call_1', { city: 'Oslo', unit: null }, 'sunny ');

  test('matchHistory takes a call from the context, under its ID in the list', () => {
    const context = shown(own, 'ctx');
    const found = matchHistory(proofOf(context), shown(altered, 'msg'), context);
    expect(found).toEqual(shown(own, 'msg'));
  });

  test('matchHistory takes a text that the list shows trimmed from the context, under its ID in the list', () => {
    const context = shown([user('hi\r\nyou '), assistant('hello', 'a')], 'ctx');
    const list = shown([user('hi\nyou'), assistant('hello', 'a')], 'msg');
    const found = matchHistory(proofOf(context), list, context);
    expect(found).toEqual(context.map(({ item }, index) => ({ id: `msg_${index}`, item })));
  });

  test('matchHistory finds a history whose answer the list has lost as well', () => {
    const context = shown(own, 'ctx');
    const found = matchHistory(proofOf(context), shown(altered.slice(0, 3), 'msg'), context);
    expect(found?.map(({ id }) => id)).toEqual(['msg_0', 'msg_1', 'msg_2', 'ctx_3']);
    expect(found?.map(({ item }) => item)).toEqual(own);
  });

  test('matchHistory leaves a call to another writer if a list has its call ID twice', () => {
    const context = shown(own, 'ctx');
    const list = shown([...altered, ...own], 'msg');
    const found = matchHistory(proofOf(context), list, context);
    expect(found?.map(({ item }) => item)).toEqual(own);
    expect(found?.map(({ id }) => id)).not.toContain('msg_1');
  });
});
