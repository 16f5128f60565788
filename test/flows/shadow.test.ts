import {
  Agent,
  OpenAIChatCompletionsModel,
  OpenAIConversationsSession,
  OpenAIProvider,
  Usage,
  type Model,
  type Session,
} from '@openai/agents';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  chainedProvider,
  HybridRunner,
  HybridSession,
  memoryLedger,
  mergeStats,
  statsCollector,
  type HybridSessionOptions,
  type Mode,
} from '../../src/index.ts';
import type { SimulatorCore } from '../../mocks/simulator.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { chatClient } from '../runner/chat-client.ts';
import { assistant } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { assistantAgent, converse, listedIds, recorder, TURNS } from './support/story.ts';

const POLICIES = ['none', 'id-replay', 'every-turn'] as const;

/** Every request and its answer. */
function wire(simulator: SimulatorCore): unknown[] {
  return simulator.log.map(({ method, path, status, body }) => ({ method, path, status, body }));
}

/** A session of the SDK's in a world of its own, with the same seed. */
async function stock(
  unlink: (typeof POLICIES)[number],
  stream: boolean,
): Promise<{ world: Simulated; served: unknown; answers: string[] }> {
  const world = simulated({ unlink });
  const session: Session = new OpenAIConversationsSession({ client: world.client });
  const answers = await converse(simulatedRunner(world.client), session, TURNS, { stream });
  return { world, answers, served: await session.getItems() };
}

describe.each(WAYS)('shadow, %s', (_way, stream) => {
  test.each(POLICIES)(
    'shadow serves and sends the same as the stock session, byte for byte (%s)',
    async (unlink) => {
      const theirs = await stock(unlink, stream);
      const { client, simulator } = simulated({ unlink });
      const session = new HybridSession({ client, rollout: 'shadow' });
      const answers = await converse(simulatedRunner(client), session, TURNS, { stream });
      const served = await session.getItems();
      expect(answers).toEqual(theirs.answers);
      expect(JSON.stringify(served)).toBe(JSON.stringify(theirs.served));
      expect(wire(simulator)).toEqual(wire(theirs.world.simulator));
    },
  );

  test('shadow sends the same with HybridRunner', async () => {
    const theirs = await stock('every-turn', stream);
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const session = new HybridSession({ client, rollout: 'shadow' });
    await converse(new HybridRunner({ tracingDisabled: true }), session, TURNS, { stream });
    await session.getItems();
    expect(wire(simulator)).toEqual(wire(theirs.world.simulator));
  });

  test('shadow reports for each turn the lost items and whether it could have been chained', async () => {
    const { client } = simulated({ unlink: 'every-turn' });
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, rollout: 'shadow', onEvent });
    await converse(simulatedRunner(client), session, TURNS, { stream });
    expect(
      of('turn').map(({ lost, newlyLost, plans, chain }) => [
        lost,
        newlyLost,
        plans.length,
        chain.reason,
        chain.basis,
      ]),
    ).toEqual([
      [0, 0, 0, 'no_parent', 'forecast'],
      [0, 0, 0, 'extends', 'forecast'],
      [1, 1, 0, 'extends', 'forecast'],
      // The third answer was given without the first one in sight.
      [2, 1, 0, 'diverged', 'forecast'],
    ]);
    expect(of('turn').map(({ chain }) => chain.savedBytes > 0)).toEqual([false, true, true, false]);
  });

  test('shadow knows the model and the reason of each request at the model boundary', async () => {
    const { client } = simulated({ unlink: 'none' });
    const { onEvent, of, plans, observer } = recorder();
    const session = new HybridSession({ client, rollout: 'shadow', onEvent, observers: [observer] });
    const modelProvider = chainedProvider(new OpenAIProvider({ openAIClient: client }));
    await converse(new HybridRunner({ modelProvider, tracingDisabled: true }), session, TURNS, { stream });
    expect(
      of('turn').map(({ model, plans, chain }) => [
        model,
        plans.length,
        plans.filter(({ plan }) => plan === 'chain').length,
        chain,
      ]),
    ).toEqual([
      ['gpt-5.4', 1, 0, { possible: false, reason: 'no_parent', basis: 'request', savedBytes: 0 }],
      ...[1, 2, 3].map(() => [
        'gpt-5.4',
        1,
        0,
        { possible: true, reason: 'extends', basis: 'request', savedBytes: expect.any(Number) as unknown },
      ]),
    ]);
    expect(
      plans.map(({ reason, shadowPlan }) => `${reason} ${shadowPlan?.reason} ${shadowPlan?.sent}`),
    ).toEqual(['mode no_parent 1', 'mode extends 1', 'mode extends 1', 'mode extends 1']);
  });
});

/** Of each turn: its losses, and the plan of mode `chain`. */
async function told(wrapped: boolean, restarts: boolean): Promise<unknown[]> {
  const { client } = simulated({ unlink: 'every-turn' });
  const { onEvent, of } = recorder();
  const ledger = memoryLedger();
  const open = (conversationId?: string): HybridSession =>
    new HybridSession({ client, ledger, conversationId, rollout: 'shadow', onEvent });
  let session = open();
  const ours = new HybridRunner({ tracingDisabled: true });
  for (const text of TURNS) {
    await converse(wrapped ? ours : simulatedRunner(client), session, [text]);
    if (restarts) session = open(await session.getSessionId());
  }
  return of('turn').map(({ lost, newlyLost, chain: { reason, savedBytes } }) => [
    lost,
    newlyLost,
    reason,
    savedBytes > 0,
  ]);
}

/** The plan of the fourth turn, in this mode after three in shadow. */
async function planned(last: 'shadow' | 'chain') {
  const { client } = simulated({ unlink: 'every-turn' });
  const { observer, plans } = recorder();
  let rollout: Mode = 'shadow';
  const session = new HybridSession({ client, rollout: () => rollout, observers: [observer] });
  const runner = new HybridRunner({ tracingDisabled: true });
  await converse(runner, session, TURNS.slice(0, 3));
  rollout = last;
  await converse(runner, session, TURNS.slice(3));
  return plans.at(-1);
}

describe('the plan of a turn after a loss', () => {
  const [first, second, third] = [
    [0, 0, 'no_parent', false],
    [0, 0, 'extends', true],
    [1, 1, 'extends', true],
  ];

  test.each([false, true])(
    'shadow plans with the whole history, not with the listed items (restarts: %s)',
    async (restarts) => {
      expect(await told(false, restarts)).toEqual([first, second, third, [2, 1, 'diverged', false]]);
      // The second response was given with everything in sight: our runner would have continued from there.
      expect(await told(true, restarts)).toEqual([first, second, third, [2, 1, 'extends', true]]);
    },
  );

  test('shadow plans the same as mode chain', async () => {
    const { shadowPlan } = (await planned('shadow')) ?? {};
    const chained = await planned('chain');
    expect(shadowPlan).toMatchObject({ plan: 'chain', reason: 'extends', sent: 3 });
    expect(chained).toMatchObject({ ...shadowPlan });
  });

  test('shadow plans with the input of the run, not with other reads of the app', async () => {
    const { client } = simulated({ unlink: 'every-turn' });
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, rollout: 'shadow', onEvent });
    const runner = new HybridRunner({ tracingDisabled: true });
    await converse(runner, session, TURNS.slice(0, 2));
    const streamed = await runner.run(assistantAgent(), 'call get_weather {"city":"Oslo"}', {
      session,
      stream: true,
    });
    for await (const event of streamed)
      if (event.type === 'raw_model_stream_event')
        await Promise.all([session.getItems(), session.getItems(1)]);
    await streamed.completed;
    expect(of('turn').at(-1)).toMatchObject({ lost: 1, newlyLost: 1, plans: [{}, {}] });
  });
});

/** Why the second turn could have been chained or not, when something happens after the first. */
async function reasonsAfter(
  change: (session: HybridSession, world: Simulated) => Promise<unknown>,
  options: HybridSessionOptions = {},
): Promise<string | undefined> {
  const world = simulated();
  const { onEvent, of } = recorder();
  const session = new HybridSession({ client: world.client, rollout: 'shadow', onEvent, ...options });
  const runner = simulatedRunner(world.client);
  await converse(runner, session, ['hi']);
  await change(session, world);
  await converse(runner, session, ['thanks']);
  return of('turn').at(-1)?.chain.reason;
}

describe('a turn of a model that does not speak the Responses API', () => {
  const silent: Model = {
    getResponse: async () => ({
      usage: new Usage(),
      output: [{ ...assistant('hey'), id: 'msg_theirs' }] as never,
    }),
    getStreamedResponse: () => {
      throw new Error('not asked for');
    },
  };

  test.each<[string, Model]>([
    ['has IDs of its own', new OpenAIChatCompletionsModel(chatClient('hey').client, 'chat')],
    ['has no IDs', silent],
  ])('a turn is reported as not chainable if its model %s', async (_, model) => {
    const { client, simulator } = simulated();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, rollout: 'shadow', onEvent });
    const agent = new Agent({ name: 'Assistant', model });
    await converse(simulatedRunner(client), session, ['hi', 'thanks'], { agent });
    const id = await session.getSessionId();
    const [, lost = ''] = listedIds(simulator, id);
    await client.conversations.items.delete(lost, { conversation_id: id });
    await converse(simulatedRunner(client), session, ['bye'], { agent });
    expect(of('turn').map((turn) => [turn.lost, turn.newlyLost, turn.chain.possible])).toEqual([
      [0, 0, false],
      [0, 0, false],
      [1, 1, false],
    ]);
  });
});

describe('the forecast of shadow', () => {
  afterEach(() => void vi.useRealTimers());

  test('shadow would chain after added items', async () => {
    expect(await reasonsAfter(async () => undefined)).toBe('extends');
  });

  test('shadow would not chain after a changed history', async () => {
    expect(await reasonsAfter((session) => session.popItem())).toBe('diverged');
  });

  test('shadow would not chain after an expired response', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    expect(
      await reasonsAfter(async () => vi.setSystemTime(Date.now() + 1001), {
        advanced: { responseTtl: 1000 },
      }),
    ).toBe('expired');
  });
});

/** The bytes of all requests to the model. */
async function uploaded(rollout: 'rebuild' | 'chain'): Promise<[bytes: number, session: HybridSession]> {
  const { client, simulator } = simulated();
  const session = new HybridSession({ client, rollout });
  const long = TURNS.map((text) => `${text} ${'and so on '.repeat(200)}`);
  await converse(new HybridRunner({ tracingDisabled: true }), session, long);
  const asked = simulator.log.filter(({ operation }) => operation === 'responses.create');
  return [asked.reduce((sum, { requestBytes }) => sum + requestBytes, 0), session];
}

describe('the statistics', () => {
  test('the statistics of a session in shadow show the effect of switching on', async () => {
    const { client } = simulated({ unlink: 'every-turn' });
    const session = new HybridSession({ client, rollout: 'shadow' });
    await converse(simulatedRunner(client), session, TURNS);
    const loss = { turns: 4, checkedTurns: 4, turnsWithLoss: 2, lostItems: 2, lossRate: 0.5 };
    expect(session.stats()).toEqual({
      ...loss,
      models: { unknown: loss },
      requests: { chained: 0, replayed: 0, reasons: {}, savedItems: 0, savedBytes: 0, chainRate: null },
      shadowPlans: {
        chained: 2,
        replayed: 2,
        reasons: { no_parent: 1, extends: 2, diverged: 1 },
        savedItems: 0,
        savedBytes: expect.any(Number) as unknown,
        chainRate: 0.5,
      },
      restored: { reads: 0, items: 0, sources: {} },
      events: {},
    });
    expect(session.stats().shadowPlans.savedBytes).toBeGreaterThan(100);
  });

  test('the statistics of a chained session count chained requests, reasons and savings', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const session = new HybridSession({ client, advanced: { compare: 'on-read' } });
    const runner = new HybridRunner({ tracingDisabled: true });
    await converse(runner, session, TURNS.slice(0, 3));
    simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    await converse(runner, session, TURNS.slice(3));
    expect(session.stats()).toMatchObject({
      turns: 4,
      turnsWithLoss: 2,
      lostItems: 2,
      models: { 'gpt-5.4': { turns: 4, lossRate: 0.5 } },
      requests: {
        chained: 3,
        replayed: 2,
        reasons: { no_parent: 1, extends: 3, parent_refused: 1 },
        chainRate: 0.6,
      },
      restored: { reads: 2, items: 3, sources: { ledger: 3 } },
      events: { parent_refused: 1 },
    });
  });

  test('the statistics count about the bytes that the requests save', async () => {
    const [[whole], [rest, session]] = [await uploaded('rebuild'), await uploaded('chain')];
    const { savedBytes, savedItems } = session.stats().requests;
    expect(savedItems).toBe(2 + 4 + 6);
    expect(savedBytes / (whole - rest)).toBeGreaterThan(0.9);
    expect(savedBytes / (whole - rest)).toBeLessThan(1.1);
  });

  test('the statistics of many sessions add up, by an observer or by merging', async () => {
    const collector = statsCollector();
    const stats = [];
    for (const [seed, unlink] of (['none', 'every-turn', 'none'] as const).entries()) {
      const { client } = simulated({ unlink, seed });
      const session = new HybridSession({ client, rollout: 'shadow', observers: [collector] });
      await converse(simulatedRunner(client), session, TURNS);
      stats.push(session.stats());
    }
    const merged = mergeStats(...stats);
    expect(collector.stats()).toEqual(merged);
    expect(merged).toMatchObject({ turns: 12, turnsWithLoss: 2, lossRate: 2 / 12, lostItems: 2 });
    const elsewhere = statsCollector();
    elsewhere.add(JSON.parse(JSON.stringify(merged)));
    elsewhere.add(merged);
    expect(elsewhere.reset()).toMatchObject({ turns: 24, lossRate: 2 / 12 });
    expect(elsewhere.stats().turns).toBe(0);
  });
});
