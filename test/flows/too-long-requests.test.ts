import { describe, expect, it } from 'vitest';
import { outline } from '../../mocks/wire/outline.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { compactionWorld, gpt41 } from './support/compaction-world.ts';
import { converse, historyOf, requestsOf } from './support/story.ts';

useVirtualTime();

describe('a request that is too long', () => {
  const tooLong = { name: 'context_length_exceeded', times: 1 } as const;
  const options = { history: { compaction: {} } };

  it.each([false, true])(
    'a too long request is sent once more with a compaction of the history (streamed: %s)',
    async (stream) => {
      const { open, chained, simulator, contexts, sent, told } = compactionWorld(options);
      const session = open();
      await converse(chained, session, ['one', 'two'], { ...gpt41, stream });
      simulator.fault('responses.create', tooLong);
      await converse(chained, session, ['three', 'four'], { ...gpt41, stream });
      expect(contexts().slice(-2)).toEqual(['u,u,x,u', 'u,u,x,u,a,u']);
      expect(sent().slice(-2)).toEqual(['replay 4', 'chain 1']);
      expect(told.of('compacted')).toHaveLength(1);
      expect(await historyOf(session)).toBe('u,u,x,u,a,u,a');
      const { items } = await session.transcript();
      expect(outline(items.map(({ item }) => item))).toBe('u,a,u,a,u,a,u,a');
      expect(await session.verify()).toMatchObject({ verified: true, findings: [] });
    },
  );

  it.each([false, true])(
    'later requests of the same run use the compaction, too (streamed: %s)',
    async (stream) => {
      const { open, chained, simulator, contexts, sent } = compactionWorld(options);
      const session = open();
      await converse(chained, session, ['one', 'two'], { ...gpt41, stream });
      simulator.fault('responses.create', tooLong);
      const turn = 'three call get_weather {"city":"Rome"}';
      await converse(chained, session, [turn, 'four'], { ...gpt41, stream });
      expect(contexts().slice(-3)).toEqual(['u,u,x,u', 'u,u,x,u,c,r', 'u,u,x,u,c,r,a,u']);
      expect(sent().slice(-3)).toEqual(['replay 4', 'chain 1', 'chain 1']);
      expect(await historyOf(session)).toBe('u,u,x,u,c,r,a,u,a');
    },
  );

  it('a server with a small context keeps answering, and the transcript stays whole', async () => {
    const { open, chained, told } = compactionWorld(options, { contextWindow: 900 });
    const session = open();
    const turns = Array.from({ length: 20 }, (_, index) => `turn ${index}`);
    await converse(chained, session, turns, gpt41);
    expect(told.of('compacted').length).toBeGreaterThan(0);
    const { items, length } = await session.transcript();
    expect(length).toBe(40);
    expect(outline(items.map(({ item }) => item))).toBe(turns.map(() => 'u,a').join(','));
    expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
  });

  it('a question that is too long by itself fails with the error of the API, and the session stays usable', async () => {
    const { open, chained, told } = compactionWorld(options, { contextWindow: 900 });
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await expect(converse(chained, session, ['word '.repeat(5000)], gpt41)).rejects.toMatchObject({
      code: 'context_length_exceeded',
    });
    expect(told.of('compacted').length).toBeLessThan(2);
    await converse(chained, session, ['three'], gpt41);
    expect(await historyOf(session)).toMatch(/,u,a$/);
  });

  it('a session without the option passes the refusal on', async () => {
    const { open, chained, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    simulator.fault('responses.create', tooLong);
    const requests = await requestsOf(simulator, async () => {
      await expect(converse(chained, session, ['two'], gpt41)).rejects.toMatchObject({
        code: 'context_length_exceeded',
      });
    });
    expect(requests).not.toContain('responses.compact');
  });
});
