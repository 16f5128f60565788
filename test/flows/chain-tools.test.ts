import { Agent, tool, ToolGuardrailFunctionOutputFactory } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import { decisionsOf, failureOf, parentsOf, turn } from '../runner/flow-world.ts';

const parameters = z.object({ city: z.string() });

const weather = tool({
  name: 'weather',
  description: 'The weather in a city',
  parameters,
  execute: ({ city }) => `sunny in ${city}`,
});

const broken = tool({
  name: 'broken',
  description: 'Always fails',
  parameters,
  execute: () => {
    throw new Error('no weather today');
  },
});

const model = 'gpt-4.1';
const agent = new Agent({ name: 'Assistant', model, tools: [weather, broken] });

describe.each(WAYS)('%s', (_way, stream) => {
  test('a chained step sends the output of the call alone', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      const result = await turn(here, agent, 'call weather {"city":"Oslo"}');
      return [result.finalOutput, (await turn(here, agent, 'thanks')).finalOutput];
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5']);
  });

  test('the outputs of parallel calls are sent together', async () => {
    const world = await inBothWorlds(stream, (here) =>
      turn(
        here,
        agent,
        'call weather {"city":"Oslo"} call weather {"city":"Rome"} call broken {"city":"Bonn"}',
      ).then(({ finalOutput }) => finalOutput),
    );
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 3/7']);
  });

  test('each step of a turn continues from the step before', async () => {
    const world = await inBothWorlds(stream, (here) =>
      turn(
        here,
        agent,
        'call weather {"city":"Oslo"} then call broken {"city":"Rome"} then call weather {"city":"Bonn"}',
      ).then(({ finalOutput }) => finalOutput),
    );
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
    const ids = world.simulator.snapshot().responses.map(({ id }) => id);
    expect(parentsOf(world)).toEqual([undefined, ...ids.slice(0, -1)]);
  });

  test('each step of a turn is recorded, so that another process can continue from it', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'call weather {"city":"Oslo"}');
      here.reopen();
      await turn(here, agent, 'thanks');
      // Back to the call and its output: the first step's response ends the call.
      await here.session.popItem();
      await here.session.popItem();
      await here.session.popItem();
      here.reopen();
      return (await turn(here, agent, 'go on')).finalOutput;
    });
    expect(decisionsOf(world).at(-1)).toBe('extends 2/4');
    expect(parentsOf(world).at(-1)).toBe(world.simulator.snapshot().responses[0]?.id);
  });

  test('the output that a guardrail changed is the one that is sent', async () => {
    const hushed = tool({
      name: 'weather',
      description: 'The weather in a city',
      parameters,
      execute: ({ city }) => `secret of ${city}`,
      outputGuardrails: [
        {
          name: 'hush',
          run: async () => ToolGuardrailFunctionOutputFactory.rejectContent('not for you'),
        },
      ],
    });
    const guarded = new Agent({ name: 'Assistant', model, tools: [hushed] });
    const world = await inBothWorlds(stream, async (here) => {
      const result = await turn(here, guarded, 'call weather {"city":"Oslo"}');
      return [result.finalOutput, (await turn(here, guarded, 'thanks')).finalOutput];
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5']);
    expect(JSON.stringify(world.simulator.log.map(({ body }) => body))).not.toContain('secret of');
  });

  test('a turn that ended with a tool is continued', async () => {
    const stopping = new Agent({
      name: 'Assistant',
      model,
      tools: [weather],
      toolUseBehavior: 'stop_on_first_tool',
    });
    const world = await inBothWorlds(stream, async (here) => {
      const result = await turn(here, stopping, 'call weather {"city":"Oslo"}');
      return [result.finalOutput, (await turn(here, stopping, 'thanks')).finalOutput];
    });
    // The output that ended the turn never went to the server: it is sent with the new items.
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 2/4']);
  });

  test('a chain continues from the last complete turn after maxTurns ended a run', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      const failed = await failureOf(
        turn(here, agent, 'call weather {"city":"Oslo"} then call weather {"city":"Rome"}', { maxTurns: 2 }),
      );
      return [failed, (await turn(here, agent, 'thanks')).finalOutput];
    });
    const answered = world.simulator.snapshot().responses;
    expect(answered).toHaveLength(4);
    expect(parentsOf(world).at(-1)).toBe(answered[0]?.id);
  });
});
