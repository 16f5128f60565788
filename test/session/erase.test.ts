import { Agent } from '@openai/agents';
import { expect, it } from 'vitest';
import { conversationLedger, HybridRunner, HybridSession, memoryLedger } from '../../src/index.ts';
import { simulated } from '../support/simulated.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

it('erases the ledger alone, and adopts what the conversation still holds', async () => {
  const { client } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger });
  const { lastResponseId } = await runner.run(agent, 'hi', { session });
  const id = await session.getSessionId();
  expect(await session.erase()).toEqual({ sessionId: id, items: 2, responses: [], conversation: false });
  expect(await ledger.head(id)).toBeUndefined();
  expect(await client.responses.retrieve(lastResponseId ?? '')).toMatchObject({ status: 'completed' });
  expect(await session.getItems()).toHaveLength(2);
  expect(await session.verify()).toMatchObject({ verified: false, unproven: 2 });
});

it('erases the responses and the conversation too, and begins anew', async () => {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger });
  const ids: string[] = [];
  for (const text of ['hi', 'thanks'])
    ids.push((await runner.run(agent, text, { session })).lastResponseId ?? '');
  const id = await session.getSessionId();
  const erased = await session.erase({ remote: true });
  expect(erased).toEqual({ sessionId: id, items: 4, responses: ids, conversation: true });
  const left = simulator.snapshot();
  expect({ conversations: left.conversations, responses: left.responses }).toEqual({
    conversations: [],
    responses: [],
  });
  expect(await ledger.read(id)).toEqual({ records: [] });
  expect(await session.getItems()).toEqual([]);
  expect(await session.getSessionId()).not.toBe(id);
});

it('finds every response of the chain when the ledger keeps only the newest', async () => {
  const { client, simulator } = simulated();
  const { id } = await client.conversations.create();
  for (const text of ['hi', 'what can you do?', 'thanks']) {
    const session = new HybridSession({ client, conversationId: id, ledger: conversationLedger({ client }) });
    await runner.run(agent, text, { session });
  }
  const session = new HybridSession({ client, conversationId: id, ledger: conversationLedger({ client }) });
  expect((await session.erase({ remote: true })).responses).toHaveLength(3);
  expect(simulator.snapshot().responses).toEqual([]);
});

it('goes on where it was interrupted', async () => {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger });
  for (const text of ['hi', 'thanks']) await runner.run(agent, text, { session });
  simulator.fault('conversations.delete', { status: 500, times: 1 });
  await expect(session.erase({ remote: true })).rejects.toMatchObject({ status: 500 });
  expect((await ledger.head(await session.getSessionId()))?.length).toBe(4);
  expect(await session.erase({ remote: true })).toMatchObject({
    items: 4,
    responses: [],
    conversation: true,
  });
  expect(simulator.snapshot().conversations).toEqual([]);
});
