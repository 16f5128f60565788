import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { converse, TURNS } from '../flows/support/story.ts';
import { assistant, user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { lane, look, said, stockConversation } from './support.ts';

interface Told extends Simulated {
  readonly conversationId: string;
  readonly ledger: LedgerStore;
  readonly session: HybridSession;
}

async function told(options: { keepContent?: boolean } = {}): Promise<Told> {
  const world = simulated();
  const { client } = world;
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, keepContent: options.keepContent ?? true });
  await converse(simulatedRunner(client), session, TURNS);
  return { ...world, conversationId: await session.getSessionId(), ledger, session };
}

/** Takes items out of the list, by their positions. */
async function lose(client: OpenAI, conversationId: string, positions: readonly number[]): Promise<void> {
  const { data } = await client.conversations.items.list(conversationId, { order: 'asc', limit: 100 });
  for (const position of positions)
    await client.conversations.items.delete(data[position]?.id ?? '', { conversation_id: conversationId });
}

async function versionOf({ ledger, conversationId }: Told): Promise<number | undefined> {
  return (await ledger.checkpoint(conversationId))?.version;
}

describe('a diagnosis with a ledger', () => {
  it('a diagnosis with a ledger finds a complete list whole', async () => {
    const world = await told();
    const found = await look(world, { ledger: world.ledger });
    expect(lane(found)).toBe('u,a,u,a,u,a,u,a');
    expect(found).toMatchObject({ verdict: 'whole', evidence: 'ledger', findings: [], caveats: [] });
    expect(found.digest).toBe((await world.ledger.checkpoint(world.conversationId))?.digest);
  });

  it('a diagnosis restores content from the ledger, and names the response', async () => {
    const world = await told();
    await lose(world.client, world.conversationId, [0, 3]);
    const found = await look(world, { ledger: world.ledger });
    expect(lane(found)).toBe('U,a,u,A,u,a,u,a');
    expect(found.verdict).toBe('repairable');
    const responses = world.simulator.snapshot().responses.map(({ id }) => id);
    expect(found.timeline.map(({ responseId }) => responseId)).toEqual(responses.flatMap((id) => [id, id]));
    expect(found.timeline[3]?.sources).toEqual([{ source: 'ledger' }]);
  });

  it('a diagnosis reads content back that the ledger does not keep', async () => {
    const world = await told({ keepContent: false });
    const responses = world.simulator.snapshot().responses.map(({ id }) => id);
    await lose(world.client, world.conversationId, [2, 3]);
    const found = await look(world, { ledger: world.ledger });
    expect(lane(found)).toBe('u,a,U,A,u,a,u,a');
    expect(said(found)[2]).toBe(TURNS[1]);
    expect(found.verdict).toBe('repairable');
    expect(found.timeline[3]?.sources[0]).toEqual({ source: 'response', responseId: responses[1] });
    expect(found.timeline[2]?.sources[0]?.source).toBe('chain');
  });

  it('a diagnosis names an item without a source', async () => {
    const world = await told({ keepContent: false });
    await lose(world.client, world.conversationId, [3]);
    for (const { id } of world.simulator.snapshot().responses) await world.client.responses.delete(id);
    const found = await look(world, { ledger: world.ledger });
    expect(found.verdict).toBe('unrecoverable');
    expect(found.timeline[3]).toMatchObject({ status: 'lost', sources: [] });
    expect(found.timeline[3]?.item).toBeUndefined();
  });

  it('a diagnosis writes nothing to the ledger, even with foreign items in the list', async () => {
    const world = await told();
    const version = await versionOf(world);
    const items = [{ role: 'user' as const, content: 'from elsewhere' }];
    await world.client.conversations.items.create(world.conversationId, { items });
    const found = await look(world, { ledger: world.ledger });
    expect(lane(found)).toBe('u,a,u,a,u,a,u,a,u');
    expect(found).toMatchObject({ verdict: 'whole', length: 9 });
    expect(found.findings).toMatchObject([{ type: 'foreign', index: 8 }]);
    expect(await versionOf(world)).toBe(version);
  });

  it('a diagnosis shows pending writes and pending removals', async () => {
    const world = await told();
    const lift = world.simulator.fault('conversations.items.create', 'overloaded');
    await world.session.addItems([user('late'), assistant('later')]);
    lift();
    const pending = await look(world, { ledger: world.ledger });
    expect(pending.timeline.slice(-2).map(({ status }) => status)).toEqual(['pending', 'pending']);
    expect(pending.verdict).toBe('repairable');
    await world.session.flush();
    world.simulator.fault('conversations.items.delete', 'overloaded');
    await world.session.popItem();
    const leaving = await look(world, { ledger: world.ledger });
    expect(leaving.timeline.at(-1)).toMatchObject({ status: 'removed', index: null, positions: [9] });
    expect(leaving).toMatchObject({ length: 9, listed: 10, verdict: 'repairable' });
  });

  it('a diagnosis takes the name of the session, and each of its conversations', async () => {
    const world = await told();
    const { client, ledger, session, conversationId } = world;
    const healed = await session.heal();
    await lose(client, healed.conversationId, [1, 5]);
    for (const id of [conversationId, healed.conversationId]) {
      const found = await look({ client, conversationId: id }, { ledger });
      expect(lane(found)).toBe('u,A,u,a,u,A,u,a');
      expect(found).toMatchObject({ verdict: 'repairable', askedFor: id });
      expect(found.conversationId).toBe(healed.conversationId);
    }
  });

  it('a diagnosis works with a ledger that does not know the conversation', async () => {
    const stock = await stockConversation(TURNS);
    const found = await look(stock, { ledger: memoryLedger(), responses: stock.responses });
    expect(lane(found)).toBe('u,A,u,A,u,A,u,a');
    expect(found.caveats.map(({ kind }) => kind)).toEqual(['ledger_empty', 'before_first']);
  });

  it('a diagnosis finds losses before the ledger began in responses', async () => {
    const stock = await stockConversation(TURNS);
    const ledger = memoryLedger();
    const session = new HybridSession({ client: stock.client, conversationId: stock.conversationId, ledger });
    await converse(simulatedRunner(stock.client), session, ['and now?']);
    const alone = await look(stock, { ledger });
    expect(alone.verdict).toBe('repairable');
    const found = await look(stock, { ledger, responses: stock.responses });
    expect(said(found).slice(0, 8)).toEqual(TURNS.flatMap((turn, index) => [turn, stock.answers[index]]));
    expect(found).toMatchObject({ evidence: 'ledger_and_responses', verdict: 'repairable', length: 10 });
  });

  it('a diagnosis names responses that a complete ledger does not know, and leaves them out', async () => {
    const world = await told();
    const stray = await world.client.responses.create({ model: 'gpt-4.1', input: 'stray' });
    const found = await look(world, { ledger: world.ledger, responses: [stray.id] });
    expect(found.responses).toMatchObject([{ id: stray.id, status: 'unrecorded' }]);
    expect(lane(found)).toBe('u,a,u,a,u,a,u,a');
    expect(found.verdict).toBe('whole');
  });
});
