import { Agent } from '@openai/agents';
import type OpenAI from 'openai';
import { expect, it } from 'vitest';
import { HybridRunner, HybridSession, memoryLedger, type HybridSessionEvent } from '../../src/index.ts';
import { roles, texts } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

async function listedIds(client: OpenAI, conversationId: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const item of client.conversations.items.list(conversationId, { order: 'asc', limit: 100 }))
    ids.push('id' in item ? (item.id ?? '') : '');
  return ids;
}

it('writes the whole history of a damaged conversation to a fresh one, and goes on there', async () => {
  const { client } = simulated({ unlink: 'every-turn' });
  const ledger = memoryLedger();
  const events: HybridSessionEvent[] = [];
  const session = new HybridSession({ client, ledger, onEvent: (event) => void events.push(event) });
  for (const text of ['hi', 'what can you do?', 'give me one example', 'thanks'])
    await runner.run(agent, text, { session });
  const old = await session.getSessionId();
  const before = await session.getItems();
  expect(await listedIds(client, old)).toHaveLength(5);
  const plan = await session.heal({ dryRun: true });
  const healed = await session.heal();
  expect(healed).toEqual({
    from: old,
    conversationId: expect.stringMatching(/^conv_/),
    items: 8,
    linked: 8,
    written: 0,
    skipped: 0,
    verified: true,
    dryRun: false,
  });
  expect(plan).toEqual({ ...healed, conversationId: undefined, dryRun: true });
  expect(await session.getSessionId()).toBe(healed.conversationId);
  expect(await session.getItems()).toEqual(before);
  expect(await listedIds(client, healed.conversationId)).toEqual(
    before.map((item) => ('id' in item ? item.id : '')),
  );
  expect(await listedIds(client, old)).toHaveLength(5);
  expect(await session.verify()).toMatchObject({
    verified: true,
    findings: [],
    pending: 0,
    conversationId: healed.conversationId,
  });
  events.length = 0;
  await runner.run(agent, 'and now?', { session });
  expect(events.filter(({ type }) => type === 'planned')).toMatchObject([
    { plan: 'chain', reason: 'extends', sent: 1 },
  ]);
  const again = new HybridSession({ client, ledger, conversationId: old });
  expect(roles(await again.getItems())).toBe('u,a,u,a,u,a,u,a,u,a');
  expect(texts(await again.getItems()).at(-2)).toBe('and now?');
  expect(await again.getSessionId()).toBe(healed.conversationId);
});
