import { codeOf } from './support/story.ts';
import { Agent, OpenAIProvider, Runner, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { chainedProvider, HybridSession, memoryLedger, type HybridSessionEvent } from '../../src/index.ts';
import { servers } from '../../src/chaining/server.ts';
import { simulated, simulatedClient } from '../support/simulated.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
const thinking = new Agent({ name: 'Thinking', model: 'gpt-5' });

const runnerOf = (client: OpenAI): Runner =>
  new Runner({
    modelProvider: chainedProvider(new OpenAIProvider({ openAIClient: client })),
    tracingDisabled: true,
  });

let told = 0;

/** A session with a turn that no other session has, and the history that it has served last. */
async function begun(asked = agent): Promise<{
  readonly world: ReturnType<typeof simulated>;
  readonly session: HybridSession;
  readonly ledger: ReturnType<typeof memoryLedger>;
  readonly events: HybridSessionEvent[];
  readonly history: AgentInputItem[];
  readonly parents: () => unknown[];
}> {
  const world = simulated();
  const events: HybridSessionEvent[] = [];
  const ledger = memoryLedger();
  const { client, simulator } = world;
  const session = new HybridSession({ client, ledger, onEvent: (event) => void events.push(event) });
  told += 1;
  await runnerOf(client).run(asked, `hi, story ${told}`, { session });
  const history = await session.getItems();
  const parents = (): unknown[] =>
    simulator.log.flatMap(({ operation, body }) =>
      operation === 'responses.create' ? [body?.['previous_response_id'] ?? null] : [],
    );
  return { world, session, ledger, events, history, parents };
}

/** The history as a caller passes it on, without the IDs of messages. */
const passedOn = (history: readonly AgentInputItem[]): AgentInputItem[] =>
  history.map((item) => {
    if (!('role' in item)) return item;
    const { id: _id, ...rest } = item;
    return rest;
  });

const thanks: AgentInputItem = { type: 'message', role: 'user', content: 'thanks' };

afterEach(() => {
  vi.useRealTimers();
});

describe('a request without a session', () => {
  test("a request belongs to the session that served its beginning, through that session's client", async () => {
    const { world, history, parents } = await begun();
    await runnerOf(world.client).run(agent, [...passedOn(history), thanks]);
    expect(parents()).toEqual([null, world.simulator.snapshot().responses[0]?.id]);
  });

  test('a request of another client belongs to no session', async () => {
    const { world, events, history, parents } = await begun();
    const planned = events.length;
    await runnerOf(simulatedClient(world.simulator)).run(agent, [...passedOn(history), thanks]);
    expect(parents()).toEqual([null, null]);
    expect(events).toHaveLength(planned);
  });

  test('a request with a refused parent tells the session nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { world, session, ledger, events, history, parents } = await begun();
    vi.setSystemTime(Date.now() + 3 * 60 * 60 * 1000);
    world.simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    await runnerOf(world.client).run(agent, [...passedOn(history), thanks]);
    const first = world.simulator.snapshot().responses[0]?.id;
    expect(parents()).toEqual([null, first, null]);
    expect(events.map((event) => codeOf(event))).not.toContain('parent_refused');
    await runnerOf(world.client).run(agent, 'what can you do?', { session });
    // The session itself may still continue from it.
    expect(parents().at(-1)).toBe(first);
    const { records } = await ledger.read(session.sessionId ?? '', 0);
    expect(records.map(({ type }) => type)).not.toContain('refused');
  });

  test('a request with other reasoning than the session served is sent whole', async () => {
    const { world, history, parents } = await begun(thinking);
    expect(history.some(({ type }) => type === 'reasoning')).toBe(true);
    const without = passedOn(history).filter(({ type }) => type !== 'reasoning');
    await runnerOf(world.client).run(thinking, [...without, thanks]);
    expect(parents()).toEqual([null, null]);
  });
});

test('a stock run of a reasoning model is chained as long as its session serves it', async () => {
  servers.clear();
  const { world, session, parents } = await begun(thinking);
  await runnerOf(world.client).run(thinking, 'thanks', { session });
  await runnerOf(world.client).run(thinking, 'bye', { session });
  const made = world.simulator.snapshot().responses.map(({ id }) => id);
  expect(parents()).toEqual([null, made[0], made[1]]);
});

test('a stock run is chained although its history holds reasoning that no model is shown', async () => {
  const { world, session, parents } = await begun();
  await session.addItems([
    { type: 'message', role: 'user', content: 'think' },
    { type: 'reasoning', content: [{ type: 'input_text', text: 'of another provider' }] },
    {
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'done' }],
    },
  ]);
  await runnerOf(world.client).run(agent, 'thanks', { session });
  await runnerOf(world.client).run(agent, 'bye', { session });
  const made = world.simulator.snapshot().responses.map(({ id }) => id);
  expect(parents()).toEqual([null, made[0], made[1]]);
});
