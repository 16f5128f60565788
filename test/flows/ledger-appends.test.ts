import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { simulated } from '../support/simulated.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: async () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

/** A ledger in memory that notes the record types of each append, and takes as many appends as it is told to. */
function told(): { store: LedgerStore; appends: string[][]; readonly allow: (count: number) => void } {
  const store = memoryLedger();
  const appends: string[][] = [];
  let left = Number.POSITIVE_INFINITY;
  return {
    store: {
      ...store,
      append: async (sessionId, records, ...rest) => {
        if (left === 0) throw new Error('the process is dead');
        left -= 1;
        await store.append(sessionId, records, ...rest);
        appends.push(records.map(({ type }) => type));
      },
    },
    appends,
    allow: (count) => (left = count),
  };
}

describe.each(['whole', 'reference'] as const)('with the %s history', (history) => {
  test.each(['hi', 'call weather {}'])(
    'a turn appends its items and its response at once (%s)',
    async (say) => {
      const { client } = simulated();
      const { store, appends } = told();
      const session = new HybridSession({ client, ledger: store, sessionId: 'one', mirror: 'off' });
      const runner = new HybridRunner({ history, tracingDisabled: true });
      await runner.run(agent, 'hi', { session });
      appends.length = 0;
      await runner.run(agent, say, { session });
      expect(appends).toEqual([say === 'hi' ? ['items', 'response'] : ['items', 'response', 'response']]);
    },
  );

  test('a streamed turn appends its items and its response at once', async () => {
    const { client } = simulated();
    const { store, appends } = told();
    const session = new HybridSession({ client, ledger: store, sessionId: 'one', mirror: 'off' });
    const runner = new HybridRunner({ history, tracingDisabled: true });
    await (
      await runner.run(agent, 'hi', { session, stream: true })
    ).completed;
    expect(appends).toEqual([['items', 'response']]);
  });

  test('the next turn continues from a turn whose process died right after the append', async () => {
    const { client, simulator } = simulated();
    const { store, allow } = told();
    const open = (): HybridSession =>
      new HybridSession({ client, ledger: store, sessionId: 'one', mirror: 'off' });
    const runner = new HybridRunner({ history, tracingDisabled: true });
    await runner.run(agent, 'hi', { session: open() });
    allow(1);
    const last = await runner.run(agent, 'and then?', { session: open() });
    allow(Number.POSITIVE_INFINITY);
    await runner.run(agent, 'go on', { session: open() });
    const [asked] = simulator.log.filter(({ operation }) => operation === 'responses.create').slice(-1);
    expect(asked?.body?.['previous_response_id']).toBe(last.lastResponseId);
  });
});

test.each([undefined, 'user-42'])(
  'the first append of a session names its conversation, and no later one does (name: %s)',
  async (sessionId) => {
    const { client } = simulated();
    const { store, appends } = told();
    const open = (): HybridSession => new HybridSession({ client, ledger: store, sessionId: name });
    let name = sessionId;
    const first = open();
    await first.addItems([{ type: 'message', role: 'user', content: 'hi' }]);
    name ??= first.sessionId;
    await open().addItems([{ type: 'message', role: 'user', content: 'and then?' }]);
    const named = appends.filter((types) => types.includes('conversation'));
    expect(named).toEqual([['conversation', 'items', 'lease']]);
    // A conversation that has the session's name leads to it by itself.
    expect(appends.filter((types) => types.includes('alias'))).toEqual(
      sessionId === undefined ? [] : [['alias']],
    );
    const { records } = await store.read(name ?? '');
    expect(records[0]).toMatchObject({ type: 'conversation', id: first.conversationId });
  },
);

test('a response has an append of its own without the model boundary', async () => {
  const { client } = simulated();
  const { store, appends } = told();
  const session = new HybridSession({ client, ledger: store, sessionId: 'one', mirror: 'off' });
  const runner = new Runner({
    modelProvider: new OpenAIProvider({ openAIClient: client }),
    tracingDisabled: true,
  });
  await runner.run(agent, 'hi', { session });
  expect(appends).toEqual([['items'], ['response']]);
});

test('an append of the app records no response if no response ends the history', async () => {
  const { client } = simulated();
  const { store, appends } = told();
  const session = new HybridSession({ client, ledger: store, sessionId: 'one', mirror: 'off' });
  const runner = new HybridRunner({ tracingDisabled: true });
  await runner.run(agent, 'hi', { session });
  await session.addItems([{ type: 'message', role: 'user', content: 'by the way' }]);
  expect(appends).toEqual([['items', 'response'], ['items']]);
  // The answer before it is recorded once.
  await runner.run(agent, 'hi', { session });
  expect(appends.flat().filter((type) => type === 'response')).toHaveLength(2);
});

test('two equal concurrent turns record each response after its items', async () => {
  const { client, simulator } = simulated();
  const store = memoryLedger();
  const session = new HybridSession({ client, ledger: store, sessionId: 'one', mirror: 'off' });
  const runner = new HybridRunner({ tracingDisabled: true });
  await Promise.all(['hi', 'hi'].map((text) => runner.run(agent, text, { session })));
  const made = new Map(simulator.snapshot().responses.map(({ id, output }) => [id, output[0]?.id]));
  const items = new Set<string | undefined>();
  const isBehind = (await store.read('one')).records.flatMap((record) => {
    if (record.type === 'items') for (const { id } of record.items) items.add(id);
    return record.type === 'response' ? [items.has(made.get(record.id))] : [];
  });
  expect(isBehind).toEqual([true, true]);
});
