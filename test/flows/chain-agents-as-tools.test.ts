import { plansIn } from './support/story.ts';
import { Agent, OpenAIResponsesModel, run as runOfTheSdk, tool } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { chainedModel, HybridSession, run } from '../../src/index.ts';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import { chainedWorld, decisionsOf, requestsIn, turn, type FlowWorld } from '../runner/flow-world.ts';
import { user } from '../support/conversation.ts';
import { simulatedRunner } from '../support/simulated.ts';

const model = 'gpt-4.1';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

/** The parents of the requests that an agent made, by its instructions. */
function parentsOf(world: FlowWorld, instructions: string): unknown[] {
  const asked = requestsIn(world).filter(({ body }) => body?.['instructions'] === instructions);
  return asked.map(({ body }) => body?.['previous_response_id']);
}

describe.each(WAYS)('%s', (way, stream) => {
  test('the requests of an agent used as a tool stay out of the chain of its caller', async () => {
    const helper = new Agent({ name: 'helper', instructions: 'help', model, tools: [weather] });
    const boss = new Agent({
      name: 'boss',
      instructions: 'lead',
      model,
      tools: [helper.asTool({ toolName: 'ask', toolDescription: 'Asks' })],
    });
    const world = await inBothWorlds(stream, async (here) => {
      const outputs = [];
      // The helper is asked the very words that the boss was asked.
      for (const text of [
        'hi',
        'call ask {"input":"hi"}',
        'call ask {"input":"call weather {}"}',
        'thanks',
      ]) {
        outputs.push((await turn(here, boss, text)).finalOutput);
      }
      return outputs;
    });
    expect(parentsOf(world, 'help')).toEqual([undefined, undefined, undefined]);
    expect(decisionsOf(world)).toEqual([
      'no_parent 1/1',
      'extends 1/3',
      'extends 1/5',
      'extends 1/7',
      'extends 1/9',
      'extends 1/11',
    ]);
    expect(parentsOf(world, 'lead')).toHaveLength(decisionsOf(world).length);
  });

  test('an agent used as a tool stays out of the chain even if it is shown the whole conversation', async () => {
    const world = chainedWorld(stream);
    const helper = new Agent({ name: 'helper', instructions: 'help', model });
    const ask = helper.asTool({
      toolName: 'ask',
      toolDescription: 'Asks',
      inputBuilder: async () => [...(await world.session.getItems()), user('what do you think?')],
    });
    const boss = new Agent({ name: 'boss', instructions: 'lead', model, tools: [ask] });
    await turn(world, boss, 'hi');
    await turn(world, boss, 'call ask {"input":"what do you think?"}');
    expect(parentsOf(world, 'help')).toEqual([undefined]);
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5']);
  });

  test("an agent used as a tool can have a session of its own on the caller's client", async () => {
    const world = chainedWorld(stream);
    const told: string[] = [];
    const memory = new HybridSession({
      client: world.client,
      onEvent: (event) =>
        told.push(...plansIn([event]).map(({ reason, sent, context }) => `${reason} ${sent}/${context}`)),
    });
    const helper = new Agent({ name: 'helper', instructions: 'help', model });
    const boss = new Agent({
      name: 'boss',
      instructions: 'lead',
      model,
      tools: [helper.asTool({ toolName: 'ask', toolDescription: 'Asks', runOptions: { session: memory } })],
    });
    // Words of its own: a session of another test that was served the same could not be told from this one.
    for (const which of ['one', 'two', 'three'])
      await turn(world, boss, `call ask {"input":"question ${which} ${way}"}`);
    // Its first request names no session; from then on the history that it was served tells whose it is.
    expect(told).toEqual(['extends 1/3', 'extends 1/5']);
    expect(await memory.getItems()).toHaveLength(6);
    expect(decisionsOf(world)).toHaveLength(6);
  });

  test('a tool can run other agents without an effect on the session', async () => {
    const world = chainedWorld(stream);
    const held = chainedModel(new OpenAIResponsesModel(world.client, model));
    const other = new Agent({ name: 'other', instructions: 'other', model: held });
    const delegate = tool({
      name: 'delegate',
      description: 'Runs another agent',
      parameters: z.object({}),
      execute: async () => {
        const answers = [
          await run(other, 'hi'),
          await simulatedRunner(world.client).run(other, 'hi'),
          await runOfTheSdk(other, 'hi'),
        ];
        return answers.map(({ finalOutput }) => finalOutput).join();
      },
    });
    const boss = new Agent({ name: 'boss', instructions: 'lead', model, tools: [delegate] });
    await turn(world, boss, 'hi');
    await turn(world, boss, 'call delegate {}');
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5']);
    expect(parentsOf(world, 'other')).toEqual([undefined, undefined, undefined]);
  });
});
