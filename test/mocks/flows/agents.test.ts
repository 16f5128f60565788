import {
  Agent,
  handoff,
  OpenAIConversationsSession,
  OpenAIProvider,
  MemorySession,
  OpenAIResponsesCompactionSession,
  Runner,
  tool,
} from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSimulator, outline } from '../../../mocks/index.ts';
import { clientOf } from '../support.ts';

const runnerOn = (client: OpenAI): Runner =>
  new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client }), tracingDisabled: true });

const weather = tool({
  name: 'get_weather',
  description: 'Tells the weather',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `sunny in ${city}`,
});

describe('the agents SDK on the simulator', () => {
  it('an SDK agent runs tools, in parallel, and keeps them in the session', async () => {
    const client = clientOf(createSimulator());
    const session = new OpenAIConversationsSession({ client });
    const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [weather] });
    const runner = runnerOn(client);
    const input = 'call get_weather {"city":"Oslo"} and call get_weather {"city":"Rome"}';
    const first = await runner.run(agent, input, { session });
    expect(first.finalOutput).toContain('The tools said "sunny in Oslo" and "sunny in Rome"');
    expect(outline(await session.getItems())).toBe('u,c,c,r,r,a');
    const second = await runner.run(agent, 'thanks', { session });
    expect(second.finalOutput).toMatch(/^Answer 2: I see 7 items/);
  });

  it('an SDK agent hands off to another agent, which sees all earlier items', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const billing = new Agent({ name: 'Billing', model: 'gpt-4.1', instructions: 'You do bills' });
    const triage = new Agent({ name: 'Triage', model: 'gpt-4.1', handoffs: [handoff(billing)] });
    const result = await runnerOn(client).run(triage, 'call transfer_to_Billing');
    expect(result.lastAgent).toBe(billing);
    expect(simulator.log.map(({ body }) => body?.['instructions'])).toEqual([undefined, 'You do bills']);
    expect(outline(simulator.log.at(-1)?.context ?? [])).toBe('u,c,r');
  });

  it('an SDK agent streams, and answers with its output type', async () => {
    const client = clientOf(createSimulator());
    const agent = new Agent({
      name: 'Assistant',
      model: 'gpt-5.4',
      outputType: z.object({ text: z.string(), sure: z.boolean() }),
      modelSettings: { reasoning: { effort: 'high', summary: 'auto' } },
    });
    const result = await runnerOn(client).run(agent, 'hi', { stream: true });
    let streamed = '';
    for await (const chunk of result.toTextStream()) streamed += chunk;
    await result.completed;
    expect(result.finalOutput).toEqual({ text: 'Answer 1: I see 1 item (1u): u "hi"', sure: true });
    expect(JSON.parse(streamed)).toEqual(result.finalOutput);
  });

  it('an SDK agent keeps reasoning in a conversations session', async () => {
    const client = clientOf(createSimulator());
    const session = new OpenAIConversationsSession({ client });
    const agent = new Agent({
      name: 'Assistant',
      model: 'gpt-5.4',
      tools: [weather],
      modelSettings: { reasoning: { effort: 'high' } },
    });
    const runner = runnerOn(client);
    await runner.run(agent, 'call get_weather {"city":"Oslo"}', { session });
    expect(outline(await session.getItems())).toBe('u,t,a,c,r,t,a');
    const result = await runner.run(agent, 'thanks', { session });
    expect(result.finalOutput).toMatch(/^Answer 2: I see 8 items/);
  });

  it('an SDK agent fails after reasoning whose answer was unlinked, like with the API', async () => {
    const client = clientOf(createSimulator({ unlink: 'every-turn' }));
    const session = new OpenAIConversationsSession({ client });
    const agent = new Agent({
      name: 'Assistant',
      model: 'gpt-5.4',
      modelSettings: { reasoning: { effort: 'high' } },
    });
    const runner = runnerOn(client);
    await runner.run(agent, 'one', { session });
    await runner.run(agent, 'two', { session });
    await expect(runner.run(agent, 'three', { session })).rejects.toThrow(
      "of type 'reasoning' was provided without its required following item.",
    );
  });

  it('an SDK agent continues with previousResponseId and with conversationId', async () => {
    const client = clientOf(createSimulator());
    const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });
    const runner = runnerOn(client);
    const first = await runner.run(agent, 'call get_weather {"city":"Oslo"}');
    const previousResponseId = first.lastResponseId ?? '';
    const second = await runner.run(agent, 'thanks', { previousResponseId });
    expect(second.finalOutput).toMatch(/^Answer 2: I see 5 items \(2u 1c 1r 1a\)/);
    const { id: conversationId } = await client.conversations.create();
    await runner.run(agent, 'call get_weather {"city":"Oslo"}', { conversationId });
    const fourth = await runner.run(agent, 'thanks', { conversationId });
    expect(fourth.finalOutput).toMatch(/^Answer 2: I see 5 items \(2u 1c 1r 1a\)/);
  });

  it('an SDK agent compacts a session', async () => {
    const client = clientOf(createSimulator());
    const session = new OpenAIResponsesCompactionSession({
      client,
      model: 'gpt-4.1',
      shouldTriggerCompaction: ({ sessionItems }) => sessionItems.length >= 4,
    });
    const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
    const runner = runnerOn(client);
    await runner.run(agent, 'one', { session });
    await runner.run(agent, 'two', { session });
    expect(outline(await session.getItems())).toBe('u,u,x');
    const result = await runner.run(agent, 'three', { session });
    expect(result.finalOutput).toBe('Answer 3: I see 2 items (1x 1u): x "4 items: u,a,u,a", u "three"');
  });

  it.each(['a session', 'previousResponseId', 'conversationId'])(
    'an SDK agent goes on after a compaction by the server, with %s',
    async (way) => {
      const simulator = createSimulator();
      const client = clientOf(simulator);
      const contextManagement = [{ type: 'compaction' as const, compactThreshold: 1000 }];
      const agent = new Agent({
        name: 'Assistant',
        model: 'gpt-4.1',
        modelSettings: { contextManagement },
      });
      const runner = runnerOn(client);
      const session = new MemorySession();
      const conversation = await client.conversations.create();
      let previousResponseId: string | undefined;
      for (const text of ['one', `two ${'x'.repeat(4000)}`, 'three']) {
        const options =
          way === 'a session'
            ? { session }
            : way === 'conversationId'
              ? { conversationId: conversation.id }
              : previousResponseId === undefined
                ? {}
                : { previousResponseId };
        const result = await runner.run(agent, text, options);
        previousResponseId = result.lastResponseId;
      }
      expect(simulator.log.flatMap(({ context }) => (context ? [outline(context)] : []))).toEqual([
        'u',
        'x,u',
        'x,a,u',
      ]);
    },
  );
});
