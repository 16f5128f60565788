import { describe, expect, it } from 'vitest';
import { outline } from '../../mocks/wire/outline.ts';
import { HybridRunner } from '../../src/index.ts';
import { assistant, texts, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { compactionWorld, gpt41 } from './support/compaction-world.ts';
import { converse, historyOf } from './support/story.ts';

useVirtualTime();

describe('history: { window }', () => {
  it.each(['chained', 'stock'] as const)('a model sees the newest turns alone (%s runner)', async (name) => {
    const made = compactionWorld({ history: { window: { turns: 2 } } });
    const session = made.open();
    const turns = ['one', 'two call get_weather {"city":"Rome"}', 'three', 'four'];
    await converse(made[name], session, turns, gpt41);
    expect(made.contexts().at(-1)).toBe('u,c,r,a,u,a,u');
    expect(await historyOf(session)).toBe('u,a,u,a');
    expect(await historyOf(made.open())).toBe('u,a,u,a');
    expect((await session.transcript()).length).toBe(10);
    expect(await session.verify()).toMatchObject({ verified: true, length: 10, findings: [] });
  });

  it('a slack lets most turns continue from a response', async () => {
    const { open, chained, sent } = compactionWorld({ history: { window: { turns: 2, slack: 2 } } });
    await converse(chained, open(), ['1', '2', '3', '4', '5', '6', '7', '8', '9'], gpt41);
    expect(sent()).toEqual([
      'replay 1',
      'chain 1',
      'chain 1',
      'chain 1',
      'chain 1',
      'replay 5',
      'chain 1',
      'chain 1',
      'replay 5',
    ]);
  });

  it.each(['chained', 'reference', 'stock'] as const)(
    'a window that is set on a conversation that no longer fits the model helps at once (%s runner)',
    async (name) => {
      const { open, chained, stock, client, contexts } = compactionWorld({}, { contextWindow: 150 });
      const runners = {
        chained,
        stock,
        reference: new HybridRunner({ tracingDisabled: true, history: 'reference' }),
      };
      const session = open();
      for (let turn = 0; turn < 20; turn += 1)
        await session.addItems([user(`question ${turn} ${'x'.repeat(30)}`), assistant('yes')]);
      await expect(converse(runners[name], session, ['too long'], gpt41)).rejects.toMatchObject({
        code: 'context_length_exceeded',
      });
      const helped = open({ history: { window: { turns: 2 } }, client });
      await converse(runners[name], helped, ['again'], gpt41);
      expect(contexts().at(-1)).toBe('u,a,u,a,u');
      expect((await helped.transcript()).length).toBe(42);
    },
  );

  it('an undo into the turns before the window shows a model the turns before', async () => {
    const { open, chained } = compactionWorld({ history: { window: { turns: 1 } } });
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    expect(await historyOf(session)).toBe('u,a');
    for (let pops = 0; pops < 3; pops += 1) await session.popItem();
    expect(texts(await session.getItems())).toEqual(['one']);
  });
});

describe('getTurnItems()', () => {
  it('the newest turns are whole, and a compaction stays before what follows it', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    const tool = 'two call get_weather {"city":"Rome"}';
    await converse(chained, session, ['one', tool, 'three'], gpt41);
    expect(outline(await session.getTurnItems(1))).toBe('u,a');
    expect(outline(await session.getTurnItems(2))).toBe('u,c,r,a,u,a');
    expect(outline(await session.getTurnItems(9))).toBe('u,a,u,c,r,a,u,a');
    expect(await session.getTurnItems(0)).toEqual([]);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['four', 'five'], gpt41);
    expect(outline(await session.getTurnItems(1))).toBe('u,u,u,x,u,a,u,a');
  });
});
