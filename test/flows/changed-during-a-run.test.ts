import { Agent, OpenAIConversationsSession, OpenAIProvider, tool, type Session } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HybridRunner, HybridSession, memoryLedger } from '../../src/index.ts';
import { roles } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** An agent with a tool that does something to the session in the middle of a run. */
function meddling(meddle: () => Promise<unknown>): Agent {
  const meddler = tool({
    name: 'meddle',
    description: 'Does something to the session',
    parameters: z.object({}),
    async execute() {
      await meddle();
      return 'done';
    },
  });
  return new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [meddler] });
}

async function turn(runner: HybridRunner, agent: Agent, session: Session, stream: boolean): Promise<unknown> {
  if (!stream) return (await runner.run(agent, 'call meddle {}', { session })).finalOutput;
  const streamed = await runner.run(agent, 'call meddle {}', { session, stream: true });
  await streamed.completed;
  return streamed.finalOutput;
}

describe.each([false, true])('a turn (streamed: %s)', (stream) => {
  test("a turn during which the session is cleared leaves the same items as in the SDK's own session", async () => {
    const outcomes = [];
    for (const isStock of [true, false]) {
      const { client, simulator } = simulated();
      const session = isStock
        ? new OpenAIConversationsSession({ client })
        : new HybridSession({ client, ledger: memoryLedger(), bookmark: false });
      const conversation = async (): Promise<string> => {
        const id = await session.getSessionId();
        return session instanceof HybridSession ? (session.conversationId ?? '') : id;
      };
      const modelProvider = new OpenAIProvider({ openAIClient: client });
      const runner = new HybridRunner({ tracingDisabled: true, modelProvider });
      const agent = meddling(() => session.clearSession());
      await runner.run(agent, 'hi', { session });
      const before = await conversation();
      expect(await turn(runner, agent, session, stream)).toContain('I see 5 items');
      const id = await conversation();
      expect(id).not.toBe(before);
      expect(simulator.snapshot().conversations.map((one) => one.id)).toEqual([id]);
      outcomes.push(roles(await session.getItems()));
    }
    const [stock, own] = outcomes;
    expect(own).toBe(stock);
    expect(own).toContain('function_call,function_call_result,a');
  });

  test.each(['whole', 'reference'] as const)(
    'a turn during which the session is healed goes on in the new conversation (%s history)',
    async (history) => {
      const { client } = simulated();
      const session = new HybridSession({ client, ledger: memoryLedger() });
      const runner = new HybridRunner({ tracingDisabled: true, history });
      let healed = '';
      const agent = meddling(async () => {
        healed = (await session.heal()).conversationId;
      });
      await runner.run(agent, 'hi', { session });
      expect(await turn(runner, agent, session, stream)).toContain('I see 5 items');
      expect(roles(await session.getItems())).toBe('u,a,u,function_call,function_call_result,a');
      expect(await session.verify()).toMatchObject({
        conversationId: healed,
        verified: true,
        listed: 6,
        pending: 0,
      });
    },
  );
});
