import { describe, expect, it } from 'vitest';
import { outline } from '../../mocks/wire/outline.ts';
import { memoryLedger, type HybridSession } from '../../src/index.ts';
import { assistant, call, user } from '../support/conversation.ts';
import { simulatedClient } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { compactionWorld, gpt41 } from './support/compaction-world.ts';
import { converse, historyOf } from './support/story.ts';

useVirtualTime();

async function transcriptOf(session: HybridSession): Promise<string> {
  const { items } = await session.transcript();
  return outline(items.map(({ item }) => item));
}

/** Changes the arguments of the first call, as the SDK does before an approval. */
async function changeCall(session: HybridSession): Promise<void> {
  const found = (await session.getItems()).find((item) => item.type === 'function_call');
  if (found?.type !== 'function_call') throw new Error('There is no call');
  const { callId, name } = found;
  await session.applyHistoryMutations({
    mutations: [{ type: 'replace_function_call', callId, replacement: call(callId, name, { city: 'Oslo' }) }],
  });
}

describe('a history whose items were changed before its compaction', () => {
  it('a changed call is compacted with the turn that it belongs to', async () => {
    const { open, chained, contexts } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one call get_weather {"city":"Rome"}', 'two'], gpt41);
    await changeCall(session);
    await session.addItems([user('three')]);
    expect(await session.runCompaction({ force: true })).not.toBeNull();
    expect(await historyOf(session)).toBe('u,u,x,u');
    await session.addItems([assistant('fine')]);
    await converse(chained, session, ['four'], gpt41);
    expect(contexts().at(-1)).toBe('u,u,x,u,a,u');
  });

  it('a changed call is compacted with a shorter beginning', async () => {
    const { open, chained, contexts, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one call get_weather {"city":"Rome"}', 'two', 'three'], gpt41);
    await changeCall(session);
    simulator.fault('responses.compact', { name: 'context_length_exceeded', times: 1 });
    await session.runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,x,u,a,u,a');
    await converse(chained, session, ['four'], gpt41);
    expect(contexts().at(-1)).toBe('u,x,u,a,u,a,u');
    expect(await transcriptOf(session)).toBe('u,c,r,a,u,a,u,a,u,a');
    const { items } = await session.transcript();
    expect(items.map(({ turn }) => turn)).toEqual([0, 0, 0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it.each([
    [1, 'u,u,x,u,a,u,a'],
    [2, 'u,x,u,a,u,a,u,a'],
  ])(
    'items of another client in the middle neither hide nor double others after %i shorter beginnings',
    async (times, expected) => {
      const { open, chained, contexts, simulator, client } = compactionWorld();
      const session = open();
      await session.addItems([user('one'), assistant('fine')]);
      await session.flush();
      await client.conversations.items.create(session.conversationId ?? '', {
        items: [
          { role: 'user', content: 'foreign' },
          { role: 'assistant', content: 'taken' },
        ],
      });
      await session.addItems([user('two'), assistant('fine')]);
      await session.addItems([user('three'), assistant('fine')]);
      const other = open({ advanced: { compare: 'on-read' }, history: { compaction: { model: 'gpt-4.1' } } });
      expect(await historyOf(other)).toBe('u,a,u,a,u,a,u,a');
      simulator.fault('responses.compact', { name: 'context_length_exceeded', times });
      await other.runCompaction({ force: true });
      expect(await historyOf(other)).toBe(expected);
      await converse(chained, other, ['four'], gpt41);
      expect(contexts().at(-1)).toBe(`${expected},u`);
    },
  );
});

describe('a session that is erased during its compaction', () => {
  it('an erased history is in no compaction of the next one', async () => {
    const { open, chained, simulator, contexts } = compactionWorld();
    const other = open();
    const erasing: typeof fetch = async (input, init) => {
      const answer = await simulator.fetch(input, init);
      if (new Request(input).url.endsWith('/compact')) {
        await other.erase({ remote: true });
        await converse(chained, other, ['three', 'four'], gpt41);
      }
      return answer;
    };
    const session = open({ client: simulatedClient({ ...simulator, fetch: erasing }) });
    await converse(chained, session, ['one', 'two'], gpt41);
    expect(await session.runCompaction({ force: true })).toBeNull();
    expect(await historyOf(open())).toBe('u,a,u,a');
    await converse(chained, open(), ['five'], gpt41);
    expect(contexts().at(-1)).toBe('u,a,u,a,u');
  });

  it('a session without a name begins no conversation for its compaction', async () => {
    const { open, chained, simulator } = compactionWorld({
      history: { compaction: { atTokens: 1 } },
      ledger: memoryLedger(),
      sessionId: undefined,
    });
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    await session.erase({ remote: true });
    await session.flush();
    expect(simulator.snapshot().conversations).toEqual([]);
    await expect(session.runCompaction({ force: true })).rejects.toMatchObject({
      reason: 'nothing_to_compact',
    });
    expect(simulator.snapshot().conversations).toEqual([]);
  });
});
