import { Agent, handoff, OpenAIChatCompletionsModel, OpenAIResponsesModel, tool } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { chainedModel } from '../../src/index.ts';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import { chatClient } from '../runner/chat-client.ts';
import { chainedWorld, decisionsOf, parentsOf, requestsIn, turn } from '../runner/flow-world.ts';

const model = 'gpt-4.1';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const expert = new Agent({ name: 'expert', model: 'gpt-5.4', instructions: 'an expert', tools: [weather] });

describe.each(WAYS)('%s', (_way, stream) => {
  test('the agent and the model after a handoff continue the chain', async () => {
    const desk = new Agent({ name: 'desk', model, handoffs: [expert] });
    const world = await inBothWorlds(stream, async (here) => {
      const first = await turn(here, desk, 'call transfer_to_expert');
      const second = await turn(here, expert, 'call weather {}');
      return [first.finalOutput, first.lastAgent?.name, second.finalOutput];
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
    expect(requestsIn(world).map(({ body }) => [body?.['model'], body?.['instructions']])).toEqual([
      [model, undefined],
      ['gpt-5.4', 'an expert'],
      ['gpt-5.4', 'an expert'],
      ['gpt-5.4', 'an expert'],
    ]);
  });

  test('a handoff filter that removes tools makes the chain branch from the turn before', async () => {
    const quiet = handoff(expert, {
      inputFilter: ({ newItems, preHandoffItems, ...rest }) => ({
        ...rest,
        preHandoffItems: preHandoffItems.filter(({ type }) => type === 'message_output_item'),
        newItems: newItems.filter(({ type }) => type === 'message_output_item'),
      }),
    });
    const desk = new Agent({ name: 'desk', model, tools: [weather], handoffs: [quiet] });
    const world = await inBothWorlds(stream, async (here) => {
      const outputs = [];
      for (const text of ['hi', 'call weather {} then call transfer_to_expert', 'thanks']) {
        outputs.push((await turn(here, desk, text)).finalOutput);
      }
      return outputs;
    });
    const [hi, , , filtered] = world.simulator.snapshot().responses.map(({ id }) => id);
    expect(parentsOf(world)[3]).toBe(hi);
    expect(parentsOf(world)[4]).toBe(filtered);
    expect(decisionsOf(world)[3]).toBe('extends 1/3');
  });

  test('a history that a handoff filter rewrote is replayed', async () => {
    const rewritten = handoff(expert, {
      inputFilter: (data) => ({
        ...data,
        inputHistory: [{ role: 'user', content: 'They said something' }],
        preHandoffItems: [],
        newItems: [],
      }),
    });
    const desk = new Agent({ name: 'desk', model, handoffs: [rewritten] });
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, desk, 'hi');
      return (await turn(here, desk, 'call transfer_to_expert')).finalOutput;
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'diverged 1/1']);
  });

  test('a chain continues if the model asked for several handoffs and one was taken', async () => {
    const other = new Agent({ name: 'other', model });
    const desk = new Agent({ name: 'desk', model, handoffs: [expert, other] });
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, desk, 'hi');
      const result = await turn(here, desk, 'call transfer_to_expert call transfer_to_other');
      return [result.finalOutput, (await turn(here, desk, 'thanks')).finalOutput];
    });
    expect(decisionsOf(world).every((decision) => /^(no_parent|extends)/.test(decision))).toBe(true);
  });

  test('a model that speaks Chat Completions gets the whole history', async () => {
    const chat = chatClient('from chat');
    const talker = new Agent({ name: 'talker', model: new OpenAIChatCompletionsModel(chat.client, 'chat') });
    const desk = new Agent({ name: 'desk', model, handoffs: [talker] });
    const world = chainedWorld(stream);
    const wrapped = new Agent({
      name: 'talker',
      model: chainedModel(new OpenAIChatCompletionsModel(chat.client, 'chat')),
    });
    await turn(world, desk, 'hi');
    expect((await turn(world, desk, 'call transfer_to_talker')).finalOutput).toBe('from chat');
    expect((await turn(world, wrapped, 'and you?')).finalOutput).toBe('from chat');

    expect(chat.bodies.map(({ messages }) => (Array.isArray(messages) ? messages.length : 0))).toEqual([
      5, 7,
    ]);
    expect(decisionsOf(world)).toEqual([
      'no_parent 1/1',
      'extends 1/3',
      // The model instance of `talker` is not wrapped, so that it makes no plan.
      'unsupported_model 7/7',
    ]);
  });

  test('an agent that holds a model instance is chained once the instance is wrapped', async () => {
    const world = chainedWorld(stream);
    const held = new OpenAIResponsesModel(world.client, model);
    await turn(world, new Agent({ name: 'a', model: chainedModel(held) }), 'hi');
    await turn(world, new Agent({ name: 'a', model: chainedModel(held) }), 'thanks');
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3']);
  });
});
