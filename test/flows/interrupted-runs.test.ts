import { Agent, MemorySession, tool, type Session } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { SimulatorCore } from '../../mocks/simulator.ts';
import { textOf, type Respond } from '../../mocks/index.ts';
import { HybridSession, type HybridSessionOptions } from '../../src/index.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { idsOf, listedIds } from './support/story.ts';

const look = tool({
  name: 'look_up',
  description: 'Looks up',
  parameters: z.object({}),
  execute: () => 'found',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [look] });

/** Calls the tool when the user asks for it; the requests of a session must not change its answers. */
const answers: Respond = (context) => {
  const last = textOf(context.findLast((item) => item['role'] === 'user') ?? {});
  if (last.includes('look') && context.at(-1)?.type !== 'function_call_output')
    return { calls: [{ name: 'look_up', callId: `call_${context.length}` }] };
  return `answer to ${context.length} items`;
};

interface Here {
  readonly simulator: SimulatorCore;
  readonly client: OpenAI;
  readonly session: Session;
}

/** Runs that do not come to their end. */
const INTERRUPTIONS: Readonly<Record<string, (here: Here) => Promise<unknown>>> = {
  'a model that fails': ({ simulator, client, session }) => {
    simulator.fault('responses.create', { status: 500, times: 1 });
    return simulatedRunner(client).run(agent, 'hello?', { session });
  },
  'a model that fails after a tool call': ({ simulator, client, session }) => {
    simulator.fault('responses.create', { status: 500, times: 1, skip: 1 });
    return simulatedRunner(client).run(agent, 'look', { session });
  },
  'a model that fails while it streams': async ({ simulator, client, session }) => {
    simulator.fault('responses.create', { name: 'failed_response', times: 1 });
    await (
      await simulatedRunner(client).run(agent, 'hello?', { session, stream: true })
    ).completed;
  },
  'a stream that breaks': async ({ simulator, client, session }) => {
    simulator.fault('responses.create', { name: 'cut_stream', at: 'response.output_text.done', times: 1 });
    await (
      await simulatedRunner(client).run(agent, 'hello?', { session, stream: true })
    ).completed;
  },
  'a stream that breaks after a tool call': async ({ simulator, client, session }) => {
    simulator.fault('responses.create', { name: 'cut_stream', times: 1, skip: 1 });
    await (
      await simulatedRunner(client).run(agent, 'look', { session, stream: true })
    ).completed;
  },
  'a user who goes away': async ({ client, session }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const streamed = await simulatedRunner(client).run(agent, 'hello?', { session, stream: true, signal });
    for await (const event of streamed) {
      if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta')
        controller.abort();
    }
    await streamed.completed;
  },
  'a run of too many steps': ({ client, session }) =>
    simulatedRunner(client).run(agent, 'look', { session, maxTurns: 1 }),
};

const OPTIONS: readonly HybridSessionOptions[] = [
  { rollout: 'off' },
  { rollout: 'shadow' },
  { rollout: 'rebuild' },
  { rollout: 'chain' },
  { keepContent: false },
  { mirror: 'background' },
];

async function live(here: Here, interruption: string): Promise<object> {
  const runner = simulatedRunner(here.client);
  await runner.run(agent, 'hi', { session: here.session });
  const failure = await INTERRUPTIONS[interruption]?.(here).then(
    () => 'none',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
  const next = await runner.run(agent, 'look again', { session: here.session });
  return {
    failure,
    answer: next.finalOutput,
    digests: (await here.session.getItems()).map((item) => itemDigest(item)),
  };
}

describe.each(Object.keys(INTERRUPTIONS))('%s', (interruption) => {
  it.each(OPTIONS)('an interrupted run leaves the same history as in memory, with %j', async (options) => {
    const memory = simulated({ respond: answers });
    const expected = await live({ ...memory, session: new MemorySession() }, interruption);
    const world = simulated({ respond: answers });
    const session = new HybridSession({ client: world.client, ...options });
    expect(await live({ ...world, session }, interruption)).toEqual(expected);
    await session.flush();
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
    const ids = listedIds(world.simulator, await session.getSessionId());
    expect(ids).toEqual(idsOf(await session.getItems()));
  });
});
