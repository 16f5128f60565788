import { Agent, setTraceProcessors, setTracingDisabled, tool, type TracingProcessor } from '@openai/agents';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { WAYS } from './both-worlds.ts';
import { chainedWorld, decisionsOf, replayedWorld, turn, type FlowWorld } from './flow-world.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

let ended: { readonly type: string; readonly error: unknown; readonly responseId: unknown }[] = [];

const collector: TracingProcessor = {
  onTraceStart: async () => undefined,
  onTraceEnd: async () => undefined,
  onSpanStart: async () => undefined,
  onSpanEnd: async ({ spanData, error }) => {
    ended.push({ type: spanData.type, error, responseId: Reflect.get(spanData, 'response_id') });
  },
  shutdown: async () => undefined,
  forceFlush: async () => undefined,
};

beforeEach(() => {
  ended = [];
  setTraceProcessors([collector]);
  setTracingDisabled(false);
});

afterEach(() => {
  setTracingDisabled(true);
  setTraceProcessors([]);
});

/** The spans of two turns, in the order in which they end. */
async function spansOf(world: FlowWorld): Promise<typeof ended> {
  ended = [];
  await turn(world, agent, 'hi');
  await turn(world, agent, 'call weather {}');
  return ended;
}

describe.each(WAYS)('%s', (_way, stream) => {
  test('HybridRunner traces a chained run as the SDK traces a run', async () => {
    const options = { runner: { tracingDisabled: false } };
    const world = chainedWorld(stream, options);
    const ours = (await spansOf(world)).filter(({ type }) => type !== 'custom');
    const theirs = await spansOf(replayedWorld(stream, options));
    expect(ours.map(({ type, error }) => [type, error])).toEqual(
      theirs.map(({ type, error }) => [type, error]),
    );
    const made = world.simulator.snapshot().responses.map(({ id }) => id);
    const traced = ours.flatMap(({ responseId }) => (responseId === undefined ? [] : [responseId]));
    expect(traced).toEqual(made);
    expect(decisionsOf(world).at(-1)).toBe('extends 1/5');
  });
});
