import { Agent, OpenAIProvider, OpenAIResponsesModel, retryPolicies, tool } from '@openai/agents';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Fault } from '../../mocks/index.ts';
import { chainedModel, HybridRunner, HybridSession, memoryLedger } from '../../src/index.ts';
import { servers } from '../../src/chaining/server.ts';
import {
  chainedWorld,
  decisionsOf,
  failureOf,
  sightOf,
  turn,
  type ChainedWorld,
} from '../runner/flow-world.ts';
import { simulated } from '../support/simulated.ts';

const MINUTE = 60_000;

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

const isChained: NonNullable<Extract<Fault, { when?: unknown }>['when']> = ({ body }) =>
  typeof body['previous_response_id'] === 'string';

const attempts = ({ simulator }: ChainedWorld): string[] =>
  simulator.log.flatMap(({ operation, body, status }) =>
    operation === 'responses.create'
      ? [`${body?.['previous_response_id'] === undefined ? 'replay' : 'chain'} ${status}`]
      : [],
  );

const chainedOf = (world: ChainedWorld): number =>
  attempts(world).filter((attempt) => attempt.startsWith('chain')).length;

const other = (client: OpenAI): Agent =>
  new Agent({ name: 'Other', model: chainedModel(new OpenAIResponsesModel(client, 'gpt-4.1')) });

const parents = ({ simulator }: Pick<ChainedWorld, 'simulator'>): unknown[] =>
  simulator.log.flatMap(({ operation, body }) =>
    operation === 'responses.create' ? [body?.['previous_response_id'] ?? null] : [],
  );

const urlOf = (input: Parameters<typeof globalThis.fetch>[0]): string =>
  input instanceof Request ? input.url : input.toString();

const later = (milliseconds: number): void => void vi.setSystemTime(Date.now() + milliseconds);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['as JSON', false],
  ['as a stream', true],
])('%s', (_way, stream) => {
  test.each<[string, Fault]>([
    ['its fresh responses as not found', { name: 'previous_response_not_found' }],
    [
      'the field',
      { status: 400, message: "llama.cpp does not support 'previous_response_id'.", when: isChained },
    ],
    ['with a failure', { status: 500, message: 'Internal server error', when: isChained }],
  ])('twelve turns cost three requests in vain on a server that refuses %s', async (_what, fault) => {
    const world = chainedWorld(stream);
    const lift = world.simulator.fault('responses.create', fault);
    for (let count = 1; count <= 12; count += 1) {
      await turn(world, agent, `question ${count}`);
      expect(sightOf(world).at(-1)).toHaveLength(2 * count - 1);
    }
    expect(chainedOf(world)).toBe(3);
    expect(decisionsOf(world).at(-1)).toBe('server_paused 23/23');
    // It is asked again once, and then not for twice as long.
    later(5 * MINUTE);
    await turn(world, agent, 'once more');
    later(9 * MINUTE);
    await turn(world, agent, 'and again');
    expect(chainedOf(world)).toBe(4);
    lift();
    later(MINUTE);
    for (const text of ['and now', 'and then']) await turn(world, agent, text);
    expect(attempts(world).slice(-2)).toEqual(['chain 200', 'chain 200']);
  });

  test.each<[string, Fault | undefined, number]>([
    ['ignores the field', undefined, 2],
    ['refuses the field', { status: 400, message: "No 'previous_response_id'.", when: isChained }, 4],
    ['fails', { status: 500, message: 'Internal server error', when: isChained }, 4],
  ])(
    'new processes know of a server that %s by the newest response of the session',
    async (_what, fault, vain) => {
      const ignoring = { simulator: { profile: 'ignores-parent' } } as const;
      const world = chainedWorld(stream, fault === undefined ? ignoring : {});
      const lift = fault === undefined ? undefined : world.simulator.fault('responses.create', fault);
      const turnOfProcess = async (text: string): Promise<void> => {
        servers.clear();
        world.reopen();
        await turn(world, agent, text);
      };
      for (let count = 1; count <= 12; count += 1) await turnOfProcess(`question ${count}`);
      expect(chainedOf(world)).toBe(vain - 1);
      later(5 * MINUTE);
      await turnOfProcess('once more');
      later(9 * MINUTE);
      await turnOfProcess('and again');
      expect(chainedOf(world)).toBe(vain);
      expect(sightOf(world).at(-1)).toHaveLength(27);
      if (lift === undefined) return;
      lift();
      later(MINUTE);
      for (const text of ['and now', 'and then']) await turnOfProcess(text);
      expect(attempts(world).slice(-2)).toEqual(['chain 200', 'chain 200']);
    },
  );

  test('a server that never answers to a chained request fails two turns, and is asked again after a pause', async () => {
    const world = chainedWorld(stream);
    const lift = world.simulator.fault('responses.create', { name: 'connection_reset', when: isChained });
    await turn(world, agent, 'hi');
    for (let count = 0; count < 2; count += 1) await failureOf(turn(world, agent, 'thanks'));
    for (let count = 0; count < 9; count += 1) await turn(world, agent, 'thanks');
    expect(chainedOf(world)).toBe(2);
    const { length } = await world.session.getItems();
    expect(sightOf(world).at(-1)).toHaveLength(length - 1);
    later(5 * MINUTE);
    lift();
    for (const text of ['and now', 'and then']) await turn(world, agent, text);
    expect(attempts(world).slice(-2)).toEqual(['chain 200', 'chain 200']);
  });

  test('a server that used to answer to chained requests goes on after an outage', async () => {
    const world = chainedWorld(stream);
    for (const text of ['hi', 'what can you do?']) await turn(world, agent, text);
    world.simulator.fault('responses.create', { name: 'connection_reset', times: 2 });
    for (let count = 0; count < 2; count += 1) await failureOf(turn(world, agent, 'thanks'));
    for (const text of ['thanks', 'bye']) await turn(world, agent, text);
    expect(attempts(world).slice(-2)).toEqual(['replay 200', 'chain 200']);
  });

  test('a response that could not be read yet is tried again later', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    const [first] = world.simulator.snapshot().responses;
    world.simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    const again = async (): Promise<unknown> => {
      await turn(world, agent, 'what can you do?');
      await world.session.popItem();
      await world.session.popItem();
      return world.simulator.log.findLast(({ operation }) => operation === 'responses.create')?.body?.[
        'previous_response_id'
      ];
    };
    await again();
    later(33_000);
    expect(await again()).toBeUndefined();
    later(2 * MINUTE);
    expect(await again()).toBe(first?.id);
  });

  test('an old response that was refused is not tried again, in any process', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    later(3 * 60 * MINUTE);
    world.simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    await turn(world, agent, 'what can you do?');
    servers.clear();
    world.reopen();
    await world.session.popItem();
    await world.session.popItem();
    later(3 * 60 * MINUTE);
    await turn(world, agent, 'what can you do?');
    expect(decisionsOf(world).at(-1)).toBe('parent_refused 3/3');
  });

  test('the error of the replayed request reaches the caller', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { status: 500, message: 'First', times: 1 });
    world.simulator.fault('responses.create', {
      status: 400,
      message: 'Second',
      times: 1,
      when: (request) => !isChained(request),
    });
    await expect(turn(world, agent, 'thanks')).rejects.toThrow('Second');
    expect(attempts(world)).toEqual(['replay 200', 'chain 500', 'replay 400']);
  });

  test("the history is sent whole after the runner's retries, or at the next turn if it has none", async () => {
    const world = chainedWorld(stream);
    const patient = new Agent({
      name: 'Patient',
      model: 'gpt-4.1',
      modelSettings: {
        retry: { maxRetries: 2, backoff: { initialDelayMs: 1 }, policy: retryPolicies.httpStatus([500]) },
      },
    });
    const strict = new Agent({
      name: 'Strict',
      model: 'gpt-4.1',
      modelSettings: { retry: { maxRetries: 2, policy: retryPolicies.never() } },
    });
    await turn(world, patient, 'hi');
    world.simulator.fault('responses.create', { status: 500, message: 'Sorry', when: isChained });
    await turn(world, patient, 'thanks');
    expect(attempts(world)).toEqual(['replay 200', 'chain 500', 'chain 500', 'replay 200']);
    await expect(turn(world, strict, 'bye')).rejects.toThrow('Sorry');
    await turn(world, strict, 'bye now');
    expect(attempts(world).slice(4)).toEqual(['chain 500', 'replay 200']);
  });
});

describe('a response of another server', () => {
  test.each<[string, (world: ChainedWorld) => Partial<ConstructorParameters<typeof OpenAI>[0]>]>([
    ['of another address', () => ({ baseURL: 'http://127.0.0.2/v1' })],
    ['of another path', () => ({ baseURL: 'http://127.0.0.1/other/v1' })],
    ['of another key', () => ({ apiKey: 'another' })],
    ['of another organisation', () => ({ organization: 'org_2' })],
    ['of another project', () => ({ project: 'another' })],
    ['of another header with a key', () => ({ defaultHeaders: { 'x-api-key': 'another' } })],
  ])('a response is not continued by a client %s', async (_what, difference) => {
    const world = chainedWorld(false);
    const { simulator, client } = world;
    const fetch: typeof globalThis.fetch = (input, init) =>
      simulator.fetch(urlOf(input).replace('/other/v1', '/v1'), init);
    const { apiKey, baseURL, project } = client;
    const elsewhere = new OpenAI({
      apiKey,
      baseURL,
      project,
      maxRetries: 0,
      fetch,
      ...difference(world),
    });
    await turn(world, agent, 'hi');
    await turn(world, other(elsewhere), 'what can you do?');
    await turn(world, other(elsewhere), 'thanks');
    await turn(world, agent, 'bye');
    const [first, , third] = simulator.snapshot().responses.map(({ id }) => id);
    const sent = parents(world);
    expect(sent.slice(0, 2)).toEqual([null, null]);
    // Each goes on from its own.
    expect(sent[2]).not.toBe(first);
    expect(sent[3]).not.toBe(third);
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'other_server 3/3', 'extends 1/5', 'extends 5/7']);
    expect(attempts(world).every((attempt) => attempt.endsWith('200'))).toBe(true);
  });

  test('a response is continued by another client of the same address and account', async () => {
    const world = chainedWorld(false);
    const { apiKey, baseURL, project } = world.client;
    const again = new OpenAI({
      apiKey,
      baseURL: `${baseURL}/`,
      project,
      fetch: (input, init) => world.simulator.fetch(urlOf(input).replace('//responses', '/responses'), init),
      defaultHeaders: { 'x-request-id': 'another' },
    });
    await turn(world, agent, 'hi');
    await turn(world, other(again), 'thanks');
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3']);
  });

  test('a response is not continued by another process with another key', async () => {
    const { simulator, client } = simulated();
    const ledger = memoryLedger();
    const runner = new HybridRunner({ tracingDisabled: true });
    const session = new HybridSession({ ledger, mirror: 'off', sessionId: 'user-1', client });
    await runner.run(agent, 'hi', { session });
    servers.clear();
    const { baseURL, project } = client;
    const stranger = new OpenAI({ apiKey: 'sk-stranger', baseURL, project, fetch: simulator.fetch });
    const events: unknown[] = [];
    const reopened = new HybridSession({
      ledger,
      mirror: 'off',
      sessionId: 'user-1',
      client: stranger,
      onEvent: (event) =>
        void events.push(...(event.type === 'turn' ? event.plans.map(({ reason }) => reason) : [event.type])),
    });
    await runner.run(agent, 'thanks', { session: reopened });
    expect(events).toEqual(['other_server']);
    const [text] = [JSON.stringify(await ledger.read('user-1', 0))];
    for (const secret of ['sk-stranger', '127.0.0.1', 'Bearer']) expect(text).not.toContain(secret);
  });

  test("a response is not continued if the SDK's provider uses another server", async () => {
    const world = chainedWorld(false);
    const elsewhere = simulated();
    const runner = new HybridRunner({
      tracingDisabled: true,
      modelProvider: new OpenAIProvider({ openAIClient: elsewhere.client }),
    });
    await turn(world, agent, 'hi');
    await turn({ ...world, session: world.session, runner }, agent, 'thanks');
    expect(parents(elsewhere)).toEqual([null]);
  });
});
