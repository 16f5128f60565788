import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { outline } from '../../mocks/wire/outline.ts';
import { HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { newestTurns } from '../../src/session/read-items.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { historyOf, recorder } from '../flows/support/story.ts';
import { assistant, call, result, texts, user } from '../support/conversation.ts';

const COMPACTION = { type: 'compaction', id: 'cmp_1', encrypted_content: 'short' } as const;

function opened(options: HybridSessionOptions = {}) {
  const store = memoryLedger();
  const told = recorder();
  const session = new HybridSession({
    mirror: 'off',
    sessionId: 'user-42',
    ledger: store,
    onEvent: told.onEvent,
    ...options,
  });
  const ledger = new Ledger({ store: elsewhere(store), sessionId: 'user-42' });
  let count = 0;
  /** A turn of these items, which ends with a response. */
  const turn = async (...items: readonly AgentInputItem[]): Promise<void> => {
    await session.addItems([...items]);
    await session.runCompaction({ responseId: `resp_${(count += 1)}` });
  };
  const say = (text: string): Promise<void> => turn(user(text), assistant(`re ${text}`));
  const seen = async (): Promise<string[]> => texts(await session.getItems());
  return { ...told, session, store, ledger, turn, say, seen };
}

describe('the window of a history', () => {
  it('the window moves at every turn', async () => {
    const { say, seen } = opened({ history: { window: { turns: 2 } } });
    for (const text of ['1', '2']) await say(text);
    expect(await seen()).toEqual(['1', 're 1', '2', 're 2']);
    await say('3');
    expect(await seen()).toEqual(['2', 're 2', '3', 're 3']);
    await say('4');
    expect(await seen()).toEqual(['3', 're 3', '4', 're 4']);
  });

  it('the window moves when its slack is used up', async () => {
    const { say, seen } = opened({ history: { window: { turns: 1, slack: 2 } } });
    const lengths: number[] = [];
    for (const text of ['1', '2', '3', '4', '5', '6', '7']) {
      await say(text);
      lengths.push((await seen()).length / 2);
    }
    expect(lengths).toEqual([1, 2, 3, 1, 2, 3, 1]);
  });

  it('a history without turns, and one without a window, stay whole', async () => {
    const bare = opened({ history: { window: { turns: 1 } } });
    await bare.turn(assistant('1'), assistant('2'));
    expect(await bare.seen()).toEqual(['1', '2']);
    const whole = opened();
    for (const text of ['1', '2', '3']) await whole.say(text);
    expect(await whole.seen()).toHaveLength(6);
  });

  it('a compaction among the items, or before them, holds the window', async () => {
    const among = opened({ history: { window: { turns: 1 } } });
    await among.turn(COMPACTION, assistant('1'));
    for (const text of ['2', '3']) await among.say(text);
    expect(await historyOf(among.session)).toBe('x,a,u,a,u,a');
    const before = opened({ history: { window: { turns: 1 } } });
    await before.say('1');
    await before.ledger.append((state) => [
      { type: 'view', from: state.nextSeq, items: [ledgerItem(COMPACTION, true)] },
    ]);
    await before.session.getItems();
    for (const text of ['2', '3']) await before.say(text);
    expect(await historyOf(before.session)).toBe('x,u,a,u,a');
  });
});

describe('the newest turns', () => {
  const items = [
    user('one'),
    assistant('1'),
    user('two'),
    user('more'),
    call('c1', 'f', {}),
    result('c1', 'f', 'ok'),
    assistant('2'),
  ];

  it.each([
    [1, 'u,u,c,r,a'],
    [2, 'u,a,u,u,c,r,a'],
    [3, 'u,a,u,u,c,r,a'],
    [0, ''],
    [-1, ''],
    [Number.NaN, ''],
  ])('the newest %d turns are whole', (turns, expected) => {
    expect(outline(newestTurns(items, turns))).toBe(expected);
  });

  it('a compaction before the turns stays, and one among them or behind them is no reason for more', () => {
    expect(newestTurns([COMPACTION, ...items], 1)).toHaveLength(8);
    expect(newestTurns([...items, COMPACTION], 1)).toHaveLength(6);
    expect(newestTurns(items, 2)).not.toBe(items);
  });
});

describe('a page of the transcript', () => {
  it('each item has its turn, its response and the time of that', async () => {
    const { session, say } = opened();
    await say('one');
    await say('two');
    await session.addItems([user('three')]);
    const { items, next, length } = await session.transcript();
    expect([next, length]).toEqual([undefined, 5]);
    expect(items.map(({ index, turn, responseId, seen }) => [index, turn, responseId, seen])).toEqual([
      [0, 0, 'resp_1', true],
      [1, 0, 'resp_1', true],
      [2, 1, 'resp_2', true],
      [3, 1, 'resp_2', true],
      [4, 2, undefined, true],
    ]);
    expect(items.map(({ time }) => typeof time)).toEqual([
      'number',
      'number',
      'number',
      'number',
      'undefined',
    ]);
    expect(texts(items.map(({ item }) => item))).toEqual(['one', 're one', 'two', 're two', 'three']);
  });

  it('the last of several responses with no item between them ended the turn', async () => {
    const { session, ledger, say } = opened();
    await say('one');
    await ledger.append(() => [{ type: 'response', id: 'resp_b', store: true }]);
    await say('two');
    const { items } = await session.transcript();
    expect(items.map(({ turn, responseId }) => [turn, responseId])).toEqual([
      [0, 'resp_b'],
      [0, 'resp_b'],
      [1, 'resp_2'],
      [1, 'resp_2'],
    ]);
  });

  it('the pages follow each other', async () => {
    const { session, say } = opened();
    for (const text of ['one', 'two']) await say(text);
    const pages = [
      await session.transcript({ limit: 2 }),
      await session.transcript({ from: 2, limit: 2 }),
      await session.transcript({ from: 4, limit: 2 }),
      await session.transcript({ from: 9 }),
    ];
    expect(pages.map(({ items, next, length }) => [items.map(({ index }) => index), next, length])).toEqual([
      [[0, 1], 2, 4],
      [[2, 3], undefined, 4],
      [[], undefined, 4],
      [[], undefined, 4],
    ]);
  });

  it('a page has a hundred items by itself', async () => {
    const { session } = opened();
    await session.addItems(Array.from({ length: 101 }, (_, index) => user(`${index}`)));
    const { items, next } = await session.transcript();
    expect([items.length, next]).toEqual([100, 100]);
  });

  it('a page has what another process has appended, and gives copies', async () => {
    const { session, ledger, say } = opened();
    await say('one');
    await ledger.read({ fresh: true });
    await ledger.append(() => [{ type: 'items', items: [ledgerItem(user('two'), true)] }]);
    const { items } = await session.transcript();
    expect(items).toHaveLength(3);
    Object.assign(items[0]?.item ?? {}, { content: 'changed' });
    expect(texts([(await session.transcript()).items[0]?.item])).toEqual(['one']);
  });

  it('an item before a compaction is not seen', async () => {
    const { session, ledger, say } = opened();
    await say('one');
    await ledger.append((state) => [
      { type: 'view', from: state.nextSeq, left: [1], items: [ledgerItem(COMPACTION, true)] },
    ]);
    const { items } = await session.transcript();
    expect(items.map(({ seen }) => seen)).toEqual([false, true]);
  });

  it.each([
    ['from', { from: -1 }, 0],
    ['from', { from: 0.5 }, 0],
    ['limit', { limit: 0 }, 1],
    ['limit', { limit: Number.POSITIVE_INFINITY }, 1],
  ] as const)('a wrong %s is refused: %o', async (option, options, least) => {
    await expect(opened().session.transcript(options)).rejects.toMatchObject({
      code: 'invalid_options',
      option,
      message: expect.stringContaining(`must be a whole number of at least ${least}`),
    });
  });

  it('a missing item leaves its place', async () => {
    const { session, ledger } = opened({ onIncomplete: 'warn' });
    await ledger.append(() => [
      { type: 'items', items: [ledgerItem(user('one'), false), ledgerItem(user('two'), true)] },
    ]);
    const { items, length } = await session.transcript();
    expect(items.map(({ index }) => index)).toEqual([1]);
    expect(length).toBe(2);
  });
});
