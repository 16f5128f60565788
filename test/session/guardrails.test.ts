import { Agent, MemorySession, tool, type Session } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { textOf, type Respond } from '../../mocks/index.ts';
import { HybridSession, type HybridSessionOptions } from '../../src/index.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { listOf } from '../flows/support/story.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';

const pay = tool({
  name: 'pay',
  description: 'Pays',
  parameters: z.object({ amount: z.number() }),
  execute: ({ amount }) => `paid ${amount}, the secret is 4711`,
});

/** Blocks whatever names a secret; a tool's output is its last word. */
function guarded(toolUseBehavior: 'run_llm_again' | 'stop_on_first_tool'): Agent {
  return new Agent({
    name: 'Cashier',
    model: 'gpt-4.1',
    tools: [pay],
    toolUseBehavior,
    inputGuardrails: [
      {
        name: 'no curses',
        runInParallel: false,
        execute: async ({ input }) => ({
          tripwireTriggered: JSON.stringify(input).includes('damn'),
          outputInfo: {},
        }),
      },
    ],
    outputGuardrails: [
      {
        name: 'no secrets',
        execute: async ({ agentOutput }) => ({
          tripwireTriggered: agentOutput.includes('secret'),
          outputInfo: {},
        }),
      },
    ],
  });
}

const STORIES = {
  'an answer that is blocked': ['run_llm_again', 'tell me the secret'],
  'an answer after a tool call that is blocked': ['run_llm_again', 'pay, and tell me the secret'],
  'the output of a tool that is blocked': ['stop_on_first_tool', 'pay'],
  'the outputs of parallel tools that are blocked': ['stop_on_first_tool', 'pay twice'],
  'an input that is blocked': ['run_llm_again', 'damn'],
} as const;

/** Pays when it is told to, and says the secret only when it is asked for it. */
const discreet: Respond = (context) => {
  const last = textOf(context.findLast((item) => item['role'] === 'user') ?? {});
  const isPaid = context.at(-1)?.type === 'function_call_output';
  const amounts = last.includes('twice') ? [5, 6] : [5];
  if (last.includes('pay') && !isPaid)
    return {
      calls: amounts.map((amount) => ({ name: 'pay', arguments: { amount }, callId: `call_${amount}` })),
    };
  return last.includes('secret') ? 'the secret' : `answer to ${context.length} items`;
};

const OPTIONS: readonly HybridSessionOptions[] = [
  { rollout: 'off' },
  { rollout: 'shadow' },
  { rollout: 'rebuild' },
  { rollout: 'chain' },
  { keepContent: false },
  { mirror: 'background' },
];

async function live(session: Session, client: OpenAI, story: keyof typeof STORIES, stream: boolean) {
  const [behavior, say] = STORIES[story];
  const runner = simulatedRunner(client);
  const agent = guarded(behavior);
  const failures: unknown[] = [];
  for (const text of ['hi', say, 'thanks']) {
    const run = stream
      ? runner.run(agent, text, { session, stream: true }).then((streamed) => streamed.completed)
      : runner.run(agent, text, { session });
    await run.catch((error: unknown) => failures.push(error instanceof Error ? error.name : error));
  }
  return { failures, digests: (await session.getItems()).map((item) => itemDigest(item)) };
}

describe.each(Object.keys(STORIES) as (keyof typeof STORIES)[])('%s', (story) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    it.each(OPTIONS)(
      'a run with a guardrail leaves the same history as in memory, with %j',
      async (options) => {
        const inMemory = simulated({ respond: discreet });
        const expected = await live(new MemorySession(), inMemory.client, story, stream);
        expect(expected.failures).toEqual([expect.stringMatching(/GuardrailTripwireTriggered/)]);

        const { client, simulator } = simulated({ respond: discreet });
        const session = new HybridSession({ client, ...options });
        const transactions = vi.spyOn(session, 'applyHistoryTransaction');
        expect(await live(session, client, story, stream)).toEqual(expected);
        await session.flush();
        const report = await session.verify();
        expect(report).toMatchObject({ verified: true, pending: 0, findings: [], missing: [] });
        expect(listOf(simulator, await session.getSessionId()).split(',').length).toBe(report.length);
        expect(transactions.mock.calls.length).toBeLessThanOrEqual(2);
      },
    );
  });
});

describe('what a guardrail blocked', () => {
  it('a blocked item is written as a transaction if the SDK does so', async () => {
    const { client } = simulated({ respond: discreet });
    const session = new HybridSession({ client });
    const transactions = vi.spyOn(session, 'applyHistoryTransaction');
    await live(session, client, 'the output of a tool that is blocked', false);
    expect(transactions).toHaveBeenCalled();
  });

  it('a blocked item is not in the history, the conversation or the ledger', async () => {
    const { client, simulator } = simulated({ respond: discreet });
    const session = new HybridSession({ client });
    await live(session, client, 'the output of a tool that is blocked', false);
    expect(JSON.stringify(await session.getItems())).not.toContain('4711');
    expect(JSON.stringify(simulator.snapshot().conversations)).not.toContain('4711');
  });
});
