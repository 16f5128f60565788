import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { RunState, tool } from '@openai/agents';
import { outline } from '../../mocks/wire/outline.ts';
import { HybridRunner, type HybridSession } from '../../src/index.ts';
import { isObject } from '../../src/util/json.ts';
import { assistant, call, result, user } from '../support/conversation.ts';
import { simulatedClient } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { compactedByServer, compactionWorld, gpt41, LONG } from './support/compaction-world.ts';
import { assistantAgent, converse, historyOf } from './support/story.ts';

useVirtualTime();

const tooLong = { name: 'context_length_exceeded', times: 1 } as const;
const options = { history: { compaction: {} } };
const TWO_CALLS = 'three call get_weather {"city":"Rome"} then call get_weather {"city":"Oslo"}';

/** A tool whose result is too long for the server's threshold. */
const readPage = tool({
  name: 'read_page',
  description: 'Reads a page',
  parameters: z.object({}),
  execute: () => LONG,
});

async function transcriptOf(session: HybridSession): Promise<string> {
  const { items } = await session.transcript();
  return outline(items.map(({ item }) => item));
}

describe('a run with a compaction', () => {
  it.each([false, true])(
    'a compaction that keeps the whole history is sent once in later turns (streamed: %s)',
    async (stream) => {
      const { open, chained, simulator, contexts } = compactionWorld(options);
      const session = open();
      await converse(chained, session, ['one', 'two'], { stream });
      simulator.fault('responses.create', tooLong);
      await converse(chained, session, ['three call get_weather {"city":"Rome"}', 'four'], { stream });
      await session.addItems([user('five'), assistant('fine')]);
      await converse(chained, session, ['six'], { stream });
      expect(contexts().slice(-4)).toEqual([
        'u,a,u,a,x,u',
        'u,a,u,a,x,u,c,r',
        'u,a,u,a,x,u,c,r,a,u',
        'u,a,u,a,x,u,c,r,a,u,a,u,a,u',
      ]);
    },
  );

  it.each([
    ['whole', false],
    ['whole', true],
    ['reference', false],
    ['reference', true],
  ] as const)(
    'a run that was too long in its tool loop sends the compaction from then on (history: %s, streamed: %s)',
    async (history, stream) => {
      const { open, simulator, contexts, sent } = compactionWorld(options);
      const runner = new HybridRunner({
        tracingDisabled: true,
        ...(history === 'reference' ? { history } : {}),
      });
      const session = open();
      await converse(runner, session, ['one', 'two'], { ...gpt41, stream });
      simulator.fault('responses.create', { ...tooLong, skip: 1 });
      await converse(runner, session, [TWO_CALLS, 'four'], { ...gpt41, stream });
      expect(contexts().slice(-3)).toEqual(['u,u,x,u,c,r', 'u,u,x,u,c,r,c,r', 'u,u,x,u,c,r,c,r,a,u']);
      expect(sent().slice(-3)).toEqual(['replay 6', 'chain 1', 'chain 1']);
      expect(await transcriptOf(session)).toBe('u,a,u,a,u,c,r,c,r,a,u,a');
      expect(await historyOf(session)).toBe('u,u,x,u,c,r,c,r,a,u,a');
    },
  );

  it.each([false, true])(
    'a run that was too long twice sends the second compaction from then on (streamed: %s)',
    async (stream) => {
      const { open, chained, simulator, contexts, told } = compactionWorld(options);
      const session = open();
      await converse(chained, session, ['one', 'two', 'three'], { ...gpt41, stream });
      simulator.fault('responses.create', { ...tooLong, times: 2 });
      simulator.fault('responses.compact', tooLong);
      await converse(chained, session, [TWO_CALLS, 'four'], { ...gpt41, stream });
      expect(told.of('compacted')).toHaveLength(2);
      const view = 'u,u,u,x';
      expect(contexts().slice(-4)).toEqual([
        `${view},u`,
        `${view},u,c,r`,
        `${view},u,c,r,c,r`,
        `${view},u,c,r,c,r,a,u`,
      ]);
      expect(await historyOf(session)).toBe(`${view},u,c,r,c,r,a,u,a`);
      expect(await transcriptOf(session)).toBe('u,a,u,a,u,a,u,c,r,c,r,a,u,a');
    },
  );

  it.each([
    ['gpt-4.1', 'u,u', 'u,u,u'],
    ['gpt-5.4', 'u,a,u,a', 'u,a,u,a,u,a'],
  ])(
    'a later run of %s that is too long sends its own compaction from then on',
    async (model, kept, more) => {
      const { open, chained, simulator, contexts } = compactionWorld(options);
      const session = open();
      const agent = assistantAgent(model);
      await converse(chained, session, ['one', 'two'], { agent });
      for (const turn of ['three', 'four']) {
        simulator.fault('responses.create', tooLong);
        await converse(chained, session, [`${turn} call get_weather {"city":"Rome"}`], { agent });
      }
      expect(contexts().slice(-5)).toEqual([
        `${kept},x,u`,
        `${kept},x,u,c,r`,
        '',
        `${more},x,u`,
        `${more},x,u,c,r`,
      ]);
      expect(await historyOf(session)).toBe(`${more},x,u,c,r,a`);
    },
  );

  it('a run that is too long uses the compaction that another process made meanwhile', async () => {
    const { open, chained, simulator, contexts, told, during } = compactionWorld(options);
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    const compacted = during(
      ({ operation }) => operation === 'responses.create',
      () => open().runCompaction({ force: true }),
    );
    simulator.fault('responses.create', { ...tooLong, skip: 1 });
    await converse(chained, session, [TWO_CALLS, 'four'], gpt41);
    await compacted;
    expect(told.of('compacted')).toHaveLength(1);
    expect(contexts().slice(-3)).toEqual(['u,u,x,u,c,r', 'u,u,x,u,c,r,c,r', 'u,u,x,u,c,r,c,r,a,u']);
    expect(await transcriptOf(session)).toBe('u,a,u,a,u,c,r,c,r,a,u,a');
    expect(await session.verify()).toMatchObject({ verified: true, findings: [] });
  });
});

describe('a run that waits for an approval', () => {
  const weather = tool({
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: z.object({ city: z.string() }),
    needsApproval: true,
    execute: ({ city }) => `sunny in ${city}`,
  });
  const agent = gpt41.agent.clone({ tools: [weather] });

  /** Runs until the approval, and gives it to a state that another process reads. */
  async function approved(
    runner: HybridRunner,
    session: HybridSession,
  ): Promise<RunState<unknown, typeof agent>> {
    await converse(runner, session, ['one', 'two'], gpt41);
    const waiting = await runner.run(agent, 'three call get_weather {"city":"Rome"}', { session });
    const state = await RunState.fromString(agent, waiting.state.toString());
    for (const interruption of state.getInterruptions()) state.approve(interruption);
    return state;
  }

  it('a turn that waits stays behind a compaction, and goes on with it', async () => {
    const { open, chained, contexts } = compactionWorld();
    const session = open();
    const state = await approved(chained, session);
    await open().runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,u,x,u,c');
    await chained.run(agent, state, { session });
    await converse(chained, session, ['four'], gpt41);
    expect(contexts().slice(-2)).toEqual(['u,u,x,u,c,r', 'u,u,x,u,c,r,a,u']);
    expect(await transcriptOf(session)).toBe('u,a,u,a,u,c,r,a,u,a');
  });

  it('a turn that is too long after its approval is sent with a compaction of the turns before', async () => {
    const { open, chained, simulator, contexts, told } = compactionWorld(options);
    const state = await approved(chained, open());
    simulator.fault('responses.create', tooLong);
    const session = open();
    await chained.run(agent, state, { session });
    await converse(chained, session, ['four'], gpt41);
    expect(contexts().slice(-2)).toEqual(['u,u,x,u,c,r', 'u,u,x,u,c,r,a,u']);
    expect(told.of('compaction_failed')).toEqual([]);
    expect(await transcriptOf(session)).toBe('u,a,u,a,u,c,r,a,u,a');
  });

  it('a turn that ended without an answer stays behind a compaction', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    const made = call('call_1', 'get_weather', {});
    await session.addItems([user('two'), made, result('call_1', 'get_weather', 'sunny')]);
    await session.addItems([user('three')]);
    await session.runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,x,u,c,r,u');
  });
});

describe('the input of a turn that the server compacts', () => {
  it.each([true, false])(
    'the input stays if the ledger keeps no content and the server no response (conversation: %s)',
    async (isUp) => {
      const { open, chained, simulator, told } = compactionWorld({ keepContent: false });
      const session = open();
      const { modelSettings } = compactedByServer.agent;
      const agent = compactedByServer.agent.clone({ modelSettings: { ...modelSettings, store: false } });
      await converse(chained, session, ['one'], { agent });
      const lift = isUp ? undefined : simulator.fault('conversations.items.create', { status: 500 });
      await converse(chained, session, [LONG], { agent });
      lift?.();
      await converse(chained, session, ['three'], { agent });
      expect(await transcriptOf(session)).toBe('u,a,u,x,a,u,a');
      expect(told.of('incomplete')).toEqual([]);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
    },
  );

  it.each([false, true])(
    'the input stays if the model calls a tool behind its compaction (streamed: %s)',
    async (stream) => {
      const { open, chained, contexts, told } = compactionWorld();
      const session = open();
      const turns = ['one', `call get_weather {"city":"Rome"} ${LONG}`, 'three'];
      await converse(chained, session, turns, { ...compactedByServer, stream });
      expect(await transcriptOf(session)).toBe('u,a,u,x,c,r,a,u,a');
      expect(await historyOf(session)).toBe('x,c,r,a,u,a');
      expect(contexts().at(-1)).toBe('x,c,r,a,u');
      expect(told.of('input_unsaved')).toEqual([]);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
    },
  );

  it.each([false, true])(
    'the input stays if each response of the turn begins with a compaction (streamed: %s)',
    async (stream) => {
      const { open, chained, contexts, told } = compactionWorld();
      const session = open();
      const agent = compactedByServer.agent.clone({ tools: [readPage] });
      const turns = ['one', `call read_page {} ${LONG}`, 'three'];
      await converse(chained, session, turns, { agent, stream });
      expect(await transcriptOf(session)).toBe('u,a,u,x,c,r,x,a,u,a');
      expect(await historyOf(session)).toMatch(/^x,/);
      expect(contexts().at(-1)).toBe('x,a,u');
      expect(told.of('input_unsaved')).toEqual([]);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
    },
  );

  it('an answer before the compaction of its response stays', async () => {
    const { open, chained, simulator } = compactionWorld();
    const swapped: typeof fetch = async (input, init) => {
      const answer = await simulator.fetch(input, init);
      if (!new Request(input).url.endsWith('/responses')) return answer;
      const body: unknown = await answer.json();
      const output = isObject(body) && Array.isArray(body['output']) ? body['output'] : [];
      return Response.json({ ...Object(body), output: output.toReversed() });
    };
    const client = simulatedClient({ ...simulator, fetch: swapped });
    const session = open({ client });
    await converse(chained, session, ['one', LONG], compactedByServer);
    expect(await transcriptOf(session)).toBe('u,a,u,a,x');
    expect(await historyOf(session)).toBe('x');
    await session.popItem();
    expect(await historyOf(session)).toBe('u,a,u,a');
  });

  it('the input stays, and a model sees all items, if another process takes a turn meanwhile', async () => {
    const { open, chained, told, during, contexts } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], compactedByServer);
    const meanwhile = during(
      ({ operation }) => operation === 'responses.create',
      () => open().addItems([user('meanwhile'), assistant('fine')]),
    );
    await converse(chained, session, [LONG], compactedByServer);
    await meanwhile;
    expect(await transcriptOf(session)).toBe('u,a,u,a,u,x,a');
    expect(told.of('input_unsaved')).toEqual([]);
    expect(await historyOf(session)).toBe('u,a,u,a,u,a');
    await converse(chained, open(), ['three', 'four']);
    expect(contexts().slice(-2)).toEqual(['u,a,u,a,u,a,u', 'u,a,u,a,u,a,u,a,u']);
    await session.popItem();
    await session.popItem();
    await session.popItem();
    await session.popItem();
    await session.popItem();
    expect(await historyOf(session)).toBe('u,a,u,a,u');
    expect(await transcriptOf(session)).toBe('u,a,u,a,u,x');
    await session.popItem();
    expect(await historyOf(session)).toBe('u,a,u,a,u');
  });

  it('the input of a first turn stays if another process takes one meanwhile', async () => {
    const { open, chained, told, during } = compactionWorld();
    const session = open();
    const meanwhile = during(
      ({ operation }) => operation === 'responses.create',
      () => open().addItems([user('meanwhile'), assistant('fine')]),
    );
    await converse(chained, session, [LONG], compactedByServer);
    await meanwhile;
    expect(await transcriptOf(session)).toBe('u,a,u,x,a');
    expect(told.of('input_unsaved')).toEqual([]);
    expect(await historyOf(session)).toBe('u,a,u,a');
  });
});
