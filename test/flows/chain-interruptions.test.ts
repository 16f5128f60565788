import { Agent } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import type { FaultName } from '../../mocks/index.ts';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import {
  chainedWorld,
  decisionsOf,
  failureOf,
  parentsOf,
  replayedWorld,
  turn,
  type FlowWorld,
} from '../runner/flow-world.ts';
import { roles } from '../support/conversation.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });

/** The requests for an answer, whether they got one or not. */
function asked({ simulator }: FlowWorld): number {
  return simulator.log.filter(({ operation }) => operation === 'responses.create').length;
}

async function eventsOf(world: FlowWorld, text: string): Promise<string[]> {
  const { session, runner } = world;
  const result = await runner.run(agent, text, { session, stream: true });
  const types: string[] = [];
  for await (const event of result) {
    types.push(event.type === 'raw_model_stream_event' ? `${event.type} ${event.data.type}` : event.type);
  }
  return types;
}

test('tells the same events in the same order, chained or replayed', async () => {
  const [chained, replayed] = [chainedWorld(true), replayedWorld(true)];
  for (const world of [chained, replayed]) await turn(world, agent, 'hi');
  expect(await eventsOf(chained, 'thanks')).toEqual(await eventsOf(replayed, 'thanks'));
  expect(decisionsOf(chained).at(-1)).toBe('extends 1/3');
});

test.each([
  ['as soon as it begins', 'response_started'],
  ['in the middle of the text', 'output_text_delta'],
])('does not continue from an answer whose reader went away %s', async (_when, at) => {
  const world = await inBothWorlds(true, async (here) => {
    await turn(here, agent, 'hi');
    const left = await here.runner.run(agent, 'what can you do?', { session: here.session, stream: true });
    for await (const event of left) {
      if (event.type === 'raw_model_stream_event' && event.data.type === at) break;
    }
    await left.completed;
    await turn(here, agent, 'thanks');
    return [left.cancelled, roles(await here.session.getItems())];
  });
  expect(parentsOf(world).at(-1)).toBe(world.simulator.snapshot().responses[0]?.id);
});

describe.each(WAYS)('%s', (_way, stream) => {
  test.each<[string, FaultName]>([
    ...(stream ? [['broke off', 'cut_stream'] satisfies [string, FaultName]] : []),
    ['was cut short', 'incomplete_response'],
    ['failed', 'failed_response'],
    ['met a server that failed', 'server_error'],
    ['met a connection that broke', 'connection_reset'],
  ])('does not continue from an answer that %s, and lets the error through', async (_what, name) => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      here.simulator.fault('responses.create', { name, times: 1 });
      const failed = await failureOf(turn(here, agent, 'what can you do?'));
      await turn(here, agent, 'thanks');
      return [failed, roles(await here.session.getItems())];
    });
    expect(parentsOf(world).at(-1)).toBe(world.simulator.snapshot().responses[0]?.id);
    expect(asked(world)).toBe(3);
    expect(world.events.some(({ type }) => type === 'parent_refused')).toBe(false);
  });

  test('does not ask a second time when the caller aborts the chained request', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { name: 'no_answer', times: 1 });
    const controller = new AbortController();
    const asking = turn(world, agent, 'what can you do?', { signal: controller.signal }).catch(
      (error: unknown) => error,
    );
    while (asked(world) < 2) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await asking;
    expect(asked(world)).toBe(2);
    await turn(world, agent, 'thanks');
    expect(parentsOf(world).at(-1)).toBe(world.simulator.snapshot().responses[0]?.id);
  });

  test('does not ask a second time when the chained request takes too long', async () => {
    const impatient = new Agent({ name: 'Assistant', model: 'gpt-4.1', modelSettings: { timeoutMs: 50 } });
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { name: 'no_answer', times: 1 });
    // A runner that knows no such limit would wait for ever.
    const signal = AbortSignal.timeout(2000);
    expect(await failureOf(turn(world, impatient, 'what can you do?', { signal }))).toBe('ModelTimeoutError');
    expect(asked(world)).toBe(2);
  });
});
