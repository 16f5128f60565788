import { OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { diagnose, recordDiagnosis, type Diagnosis } from '../../src/doctor.ts';
import { converse, listOf, TURNS } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';

interface Diagnosed extends Simulated {
  readonly diagnosis: Diagnosis;
  readonly said: readonly string[];
}

/** A conversation that the stock session left damaged, and its diagnosis with responses. */
async function diagnosed(): Promise<Diagnosed> {
  const world = simulated({ unlink: 'every-turn' });
  const { client, simulator } = world;
  const stock = new OpenAIConversationsSession({ client });
  const answers = await converse(simulatedRunner(client), stock, TURNS);
  const conversationId = await stock.getSessionId();
  const responses = simulator.snapshot().responses.map(({ id }) => id);
  const diagnosis = await diagnose({ client, conversationId, responses, content: true });
  return { ...world, diagnosis, said: TURNS.flatMap((text, index) => [text, answers[index] ?? '']) };
}

describe('a diagnosis that is written down', () => {
  it('a recorded diagnosis is served by a session, and healed to a new conversation', async () => {
    const { client, simulator, diagnosis, said } = await diagnosed();
    const { conversationId } = diagnosis;
    expect(listOf(simulator, conversationId)).toBe('u,u,u,u,a');
    const ledger = memoryLedger();
    expect(await recordDiagnosis(ledger, diagnosis)).toBe(8);
    const session = new HybridSession({ client, ledger, conversationId });
    expect(texts(await session.getItems())).toEqual(said);
    expect(await session.verify()).toMatchObject({ unproven: 8, missing: [] });
    const { conversationId: to, ...healed } = await session.heal();
    expect(healed).toMatchObject({ from: conversationId, items: 8, linked: 8, verified: true });
    expect(listOf(simulator, to)).toBe('u,a,u,a,u,a,u,a');
    expect(texts(await session.getItems())).toEqual(said);
  });

  it('a recorded diagnosis continues in a conversation begun earlier', async () => {
    const { client, diagnosis, said } = await diagnosed();
    const { conversationId } = diagnosis;
    const { id: to } = await client.conversations.create();
    const ledger = memoryLedger();
    await recordDiagnosis(ledger, diagnosis, { to });
    const session = new HybridSession({ client, ledger, conversationId });
    expect(await session.heal()).toMatchObject({ conversationId: to, items: 8 });
    expect(texts(await session.getItems())).toEqual(said);
  });

  it('recordDiagnosis adds the lost items to a ledger that began with a damaged list', async () => {
    const { client, diagnosis, simulator, said } = await diagnosed();
    const { conversationId } = diagnosis;
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, conversationId });
    expect(await session.getItems()).toHaveLength(5);
    const responses = simulator.snapshot().responses.map(({ id }) => id);
    const again = await diagnose({ client, conversationId, ledger, responses, content: true });
    expect(await recordDiagnosis(ledger, again)).toBe(3);
    expect(texts(await session.getItems())).toEqual(said);
    expect(await recordDiagnosis(ledger, again)).toBe(0);
    const { conversationId: to } = await session.heal();
    expect(listOf(simulator, to)).toBe('u,a,u,a,u,a,u,a');
  });

  it('recordDiagnosis leaves a contradicting ledger unchanged', async () => {
    const { client, diagnosis } = await diagnosed();
    const { conversationId } = diagnosis;
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, conversationId });
    await session.addItems([user('something else')]);
    const before = await ledger.read(conversationId);
    expect(await recordDiagnosis(ledger, diagnosis)).toBe(0);
    expect(await ledger.read(conversationId)).toEqual(before);
  });
});
