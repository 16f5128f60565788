import { Agent, OpenAIResponsesModel, tool, type InputGuardrail } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { textOf, type Respond } from '../../mocks/index.ts';
import { chainedModel } from '../../src/index.ts';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import { chainedWorld, decisionsOf, failureOf, parentsOf, turn } from '../runner/flow-world.ts';
import { roles } from '../support/conversation.ts';
import { simulatedRunner } from '../support/simulated.ts';

const model = 'gpt-4.1';

const pay = tool({
  name: 'pay',
  description: 'Pays',
  parameters: z.object({}),
  execute: () => 'paid',
});

/** Trips on a word of the user's. */
function inputGuardrail(runInParallel: boolean): InputGuardrail {
  return {
    name: 'no curses',
    runInParallel,
    execute: async ({ input }) => ({
      tripwireTriggered: JSON.stringify(input).includes('damn'),
      outputInfo: {},
    }),
  };
}

const guarded = (runInParallel: boolean): Agent =>
  new Agent({ name: 'Assistant', model, inputGuardrails: [inputGuardrail(runInParallel)] });

const careful = new Agent({
  name: 'Assistant',
  model,
  tools: [pay],
  outputGuardrails: [
    {
      name: 'no secrets',
      execute: async ({ agentOutput }) => ({
        tripwireTriggered: JSON.stringify(agentOutput).includes('secret'),
        outputInfo: {},
      }),
    },
  ],
});

/** Says the secret only when it is asked for it, and pays before it speaks when it is told to. */
const discreet: Respond = (context) => {
  const last = textOf(context.findLast((item) => item['role'] === 'user') ?? {});
  const isPaid = context.at(-1)?.type === 'function_call_output';
  if (last.includes('pay') && !isPaid) return { calls: [{ name: 'pay' }] };
  return last.includes('secret') ? 'the secret' : `answer to ${context.length} items`;
};

describe.each(WAYS)('%s', (_way, stream) => {
  test.each([
    ['beside the model', true],
    ['before the model', false],
  ])(
    'a chain continues from the last turn that stayed if a guardrail %s stops one',
    async (_when, runInParallel) => {
      const world = await inBothWorlds(stream, async (here) => {
        const agent = guarded(runInParallel);
        await turn(here, agent, 'hi');
        const failed = await failureOf(turn(here, agent, 'damn'));
        await turn(here, agent, 'thanks');
        return [failed, roles(await here.session.getItems())];
      });
      const [first] = world.simulator.snapshot().responses;
      expect(parentsOf(world).at(-1)).toBe(first?.id);
    },
  );

  test('a blocked response is never continued', async () => {
    const world = await inBothWorlds(
      stream,
      async (here) => {
        await turn(here, careful, 'hi');
        const failed = await failureOf(turn(here, careful, 'tell me a secret'));
        await turn(here, careful, 'thanks');
        return [failed, roles(await here.session.getItems())];
      },
      { simulator: { respond: discreet } },
    );
    const [hi, secret] = world.simulator.snapshot().responses;
    const parent = parentsOf(world).at(-1);
    expect(parent).toBe(hi?.id);
    expect(parent).not.toBe(secret?.id);
  });

  test('tool results of a blocked turn stay, and are chained', async () => {
    const world = await inBothWorlds(
      stream,
      async (here) => {
        await turn(here, careful, 'hi');
        const failed = await failureOf(turn(here, careful, 'pay and tell me a secret'));
        await turn(here, careful, 'thanks');
        await turn(here, careful, 'bye');
        return [failed, roles(await here.session.getItems())];
      },
      { simulator: { respond: discreet } },
    );
    expect(decisionsOf(world).slice(0, 3)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5']);
    expect(decisionsOf(world).every((decision) => /^(no_parent|extends)/.test(decision))).toBe(true);
  });

  test("the response of a guardrail's own agent stays out of the ledger", async () => {
    const world = chainedWorld(stream);
    const judge = new Agent({
      name: 'Judge',
      instructions: 'judge',
      model: chainedModel(new OpenAIResponsesModel(world.client, model)),
    });
    const agent = new Agent({
      name: 'Assistant',
      model,
      inputGuardrails: [
        {
          name: 'ask a judge',
          runInParallel: false,
          execute: async ({ input }) => {
            await simulatedRunner(world.client).run(judge, input);
            return { tripwireTriggered: false, outputInfo: {} };
          },
        },
      ],
    });
    await turn(world, agent, 'hi');
    await turn(world, agent, 'thanks');
    // The judge answers first, is shown the same, and says the same.
    const [judged, answered] = world.simulator.snapshot().responses;
    expect(judged?.output.map((item) => textOf(item))).toEqual(answered?.output.map((item) => textOf(item)));
    expect(parentsOf(world).at(-1)).toBe(answered?.id);
  });
});
