import { codeOf } from './support/story.ts';
import { Agent } from '@openai/agents';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
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
import { turns } from '../support/virtual-time.ts';
import { CONTINUING } from '../support/profiles.ts';

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

test('chained and replayed runs emit the same events in the same order', async () => {
  const [chained, replayed] = [chainedWorld(true), replayedWorld(true)];
  for (const world of [chained, replayed]) await turn(world, agent, 'hi');
  expect(await eventsOf(chained, 'thanks')).toEqual(await eventsOf(replayed, 'thanks'));
  expect(decisionsOf(chained).at(-1)).toBe('extends 1/3');
});

test.each([
  ['as soon as it begins', 'response_started'],
  ['in the middle of the text', 'output_text_delta'],
])('a response is not continued if its reader left %s', async (_when, at) => {
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
    ['met a connection that broke', 'connection_reset'],
  ])('a response that %s is not continued, and its error reaches the caller', async (_what, name) => {
    const world = await inBothWorlds(
      stream,
      async (here) => {
        await turn(here, agent, 'hi');
        here.simulator.fault('responses.create', { name, times: 1 });
        const failed = await failureOf(turn(here, agent, 'what can you do?'));
        await turn(here, agent, 'thanks');
        return [failed, roles(await here.session.getItems())];
      },
      // Elsewhere the fault may strike a request whose answer would not have been taken.
      { profiles: CONTINUING },
    );
    expect(parentsOf(world).at(-1)).toBe(world.simulator.snapshot().responses[0]?.id);
    expect(asked(world)).toBe(3);
    expect(world.events.some((event) => codeOf(event) === 'parent_refused')).toBe(false);
  });

  test('a parent to which two requests in a row get no answer is not continued a third time', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { name: 'connection_reset', times: 2 });
    for (let attempt = 0; attempt < 2; attempt += 1) await failureOf(turn(world, agent, 'thanks'));
    await turn(world, agent, 'thanks');
    expect(parentsOf(world).at(-1)).toBeUndefined();
  });

  test('a chained request that the caller aborts is not repeated', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { name: 'no_answer', times: 1 });
    const controller = new AbortController();
    const asking = turn(world, agent, 'what can you do?', { signal: controller.signal }).catch(
      (error: unknown) => error,
    );
    while (asked(world) < 2) await turns(1);
    controller.abort();
    await asking;
    expect(asked(world)).toBe(2);
    await turn(world, agent, 'thanks');
    expect(parentsOf(world).at(-1)).toBe(world.simulator.snapshot().responses[0]?.id);
  });

  test('a chained request that times out is not repeated', async () => {
    const impatient = new Agent({ name: 'Assistant', model: 'gpt-4.1', modelSettings: { timeoutMs: 50 } });
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { name: 'no_answer', times: 1 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const controller = new AbortController();
    const { signal } = controller;
    const failure = failureOf(turn(world, impatient, 'what can you do?', { signal }));
    while (asked(world) < 2) await turns(1);
    await vi.advanceTimersByTimeAsync(50);
    // A runner that knows no such limit would wait for ever.
    controller.abort();
    expect(await failure).toBe('ModelTimeoutError');
    expect(asked(world)).toBe(2);
  });
});
