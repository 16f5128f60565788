import { Agent, tool, type SessionInputCallback } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { user } from '../support/conversation.ts';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import { chainedWorld, decisionsOf, requestsIn, turn } from '../runner/flow-world.ts';

const model = 'gpt-4.1';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model, tools: [weather] });
const TURNS = ['hi', 'call weather {}', 'thanks'];

const lastTwo: SessionInputCallback = (history, input) => [...history.slice(-2), ...input];

describe.each(WAYS)('%s', (_way, stream) => {
  test('a callback that leaves the history unchanged does not end the chain', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      const outputs = [];
      for (const text of TURNS) {
        const result = await turn(here, agent, text, {
          sessionInputCallback: (history, input) => [...history, ...input],
        });
        outputs.push(result.finalOutput);
      }
      return outputs;
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
  });

  test('a history that a callback shortened at its beginning is replayed, and the next steps are chained', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      await turn(here, agent, 'what can you do?');
      return (await turn(here, agent, 'call weather {}', { sessionInputCallback: lastTwo })).finalOutput;
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'diverged 3/3', 'extends 1/5']);
  });

  test('an item that a callback adds after the history is sent with the new items', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      const result = await turn(here, agent, 'what can you do?', {
        sessionInputCallback: (history, input) => [...history, user('by the way'), ...input],
      });
      return result.finalOutput;
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 2/4']);
  });

  test('the plan follows the items that a filter shows the model, not the items of the session', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      const outputs = [];
      for (const text of ['hi', 'what can you do?', 'thanks']) {
        const result = await turn(here, agent, text, {
          callModelInputFilter: ({ modelData }) => ({
            instructions: 'be brief',
            input: modelData.input.filter((item) => !JSON.stringify(item).includes('what can you do')),
          }),
        });
        outputs.push(result.finalOutput);
      }
      return outputs;
    });
    // The second turn's question is hidden, so that there is nothing new to answer.
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'nothing_new 2/2', 'extends 1/4']);
    expect(new Set(requestsIn(world).map(({ body }) => body?.['instructions']))).toEqual(
      new Set(['be brief']),
    );
  });

  test('a history is replayed while a filter puts new items before it', async () => {
    let count = 0;
    const world = chainedWorld(stream);
    for (const text of TURNS) {
      await turn(world, agent, text, {
        callModelInputFilter: ({ modelData }) => {
          count += 1;
          return { ...modelData, input: [user(`request ${count}`), ...modelData.input] };
        },
      });
    }
    expect(decisionsOf(world).every((decision) => !decision.startsWith('extends'))).toBe(true);
  });

  test('a request with a prompt template is not chained, as the template may add to the input', async () => {
    const prompted = new Agent({ name: 'Assistant', model, prompt: { promptId: 'pmpt_1' } });
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    await turn(world, prompted, 'what can you do?').catch(() => undefined);
    await turn(world, agent, 'thanks');
    expect(decisionsOf(world).map((decision) => decision.split(' ')[0])).toEqual([
      'no_parent',
      'prompt',
      'extends',
    ]);
    const prompt = world.simulator.log.find(({ body }) => body?.['prompt'] !== undefined);
    expect(prompt?.body).not.toHaveProperty('previous_response_id');
  });

  test('structured output is chained', async () => {
    const clerk = new Agent({ name: 'clerk', model, outputType: z.object({ answer: z.string() }) });
    const world = await inBothWorlds(stream, async (here) => {
      const first = await turn(here, clerk, 'hi');
      const second = await turn(here, clerk, 'what can you do?');
      return [first.finalOutput, second.finalOutput];
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3']);
  });

  test.each(['omit', 'preserve'] as const)(
    'reasoning is chained if the policy for its IDs is %s',
    async (policy) => {
      const thinker = new Agent({
        name: 'Thinker',
        model: 'gpt-5',
        tools: [weather],
        modelSettings: { reasoning: { effort: 'high', summary: 'auto' } },
      });
      const world = chainedWorld(stream);
      for (const text of TURNS) await turn(world, thinker, text, { reasoningItemIdPolicy: policy });
      const reasons = decisionsOf(world).map((decision) => decision.split(' ')[0]);
      expect(reasons).toEqual(['no_parent', 'extends', 'extends', 'extends']);
      // The chain carries the reasoning that a replay would have to send or leave out.
      expect(
        requestsIn(world)
          .at(-1)
          ?.context.filter(({ type }) => type === 'reasoning'),
      ).toHaveLength(3);
    },
  );

  test('encrypted reasoning is chained without being sent again', async () => {
    const thinker = new Agent({
      name: 'Thinker',
      model: 'gpt-5',
      tools: [weather],
      modelSettings: { providerData: { include: ['reasoning.encrypted_content'] } },
    });
    const world = await inBothWorlds(stream, async (here) => {
      const outputs = [];
      for (const text of TURNS) outputs.push((await turn(here, thinker, text)).finalOutput);
      return outputs;
    });
    expect(JSON.stringify(requestsIn(world).map(({ body }) => body?.['input']))).not.toContain(
      'encrypted_content',
    );
    expect(
      decisionsOf(world)
        .slice(1)
        .every((decision) => decision.startsWith('extends')),
    ).toBe(true);
  });

  test('a response with store: false is replayed', async () => {
    const forgetful = new Agent({ name: 'Assistant', model, modelSettings: { store: false } });
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    await turn(world, forgetful, 'what can you do?');
    await turn(world, agent, 'thanks');
    await turn(world, agent, 'bye');
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 3/5', 'extends 1/7']);
    world.reopen();
    await world.session.popItem();
    await world.session.popItem();
    await world.session.popItem();
    await world.session.popItem();
    await turn(world, agent, 'again');
    expect(decisionsOf(world).at(-1)).toBe('extends 3/5');
  });
});
