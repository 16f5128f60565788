import { OpenAIConversationsSession, Agent } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulator, outline, type Simulator, type SimulatorSnapshot } from '../../../mocks/core.ts';
import { HybridSession } from '../../../src/index.ts';
import { clientOf, collect, refusalOf } from '../support.ts';

const hi = { model: 'gpt-4.1', input: 'hi' };

/** The same snapshot out of a file. */
const stored = (simulator: Simulator): SimulatorSnapshot =>
  JSON.parse(JSON.stringify(simulator.snapshot())) as SimulatorSnapshot;

const contextOf = (simulator: Simulator): string =>
  outline(simulator.log.findLast(({ context }) => context)?.context ?? []);

/** All that a client can read of a conversation and a response. */
async function readAll(client: OpenAI, conversation: string, response: string): Promise<unknown> {
  return {
    conversation: await client.conversations.retrieve(conversation),
    items: (await client.conversations.items.list(conversation, { limit: 100 })).data,
    response: await client.responses.retrieve(response),
    input: (await client.responses.inputItems.list(response)).data,
  };
}

describe('a restored snapshot', () => {
  it('a restored world shows a client all that it held, and goes on', async () => {
    const first = createSimulator();
    const client = clientOf(first);
    const { id } = await client.conversations.create({ metadata: { topic: 'x' } });
    await client.responses.create({ ...hi, conversation: id });
    const parent = await client.responses.create({
      model: 'gpt-5.4',
      input: 'thanks',
      conversation: id,
      reasoning: { effort: 'low' },
    });
    const read = await readAll(client, id, parent.id);
    const second = createSimulator();
    second.restore(stored(first));
    expect(second.snapshot()).toEqual(first.snapshot());
    const other = clientOf(second, 'sk-another');
    expect(await readAll(other, id, parent.id)).toEqual(read);
    await other.responses.create({ ...hi, conversation: id });
    expect(contextOf(second)).toBe('u,a,u,t,a,u');
    const next = await other.responses.create({ ...hi, previous_response_id: parent.id });
    expect(contextOf(second)).toBe('u,a,u,t,a,u');
    expect(next.created_at).toBeGreaterThanOrEqual(parent.created_at);
    const [, answer] = parent.output;
    const alone = other.responses.create({
      ...hi,
      input: [{ type: 'item_reference', id: answer?.id ?? '' }],
    });
    expect((await refusalOf(alone)).message).toContain("without its required 'reasoning' item");
  });

  it('a world may be restored again and again, with the same IDs each time, none of them given out before', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const before = await client.responses.create(hi);
    const seeded = simulator.snapshot();
    const text = JSON.stringify(seeded);
    const ids = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      simulator.restore(seeded);
      const { id } = await client.responses.create(hi);
      ids.add(id);
      await client.responses.delete(before.id);
    }
    expect(ids.size).toBe(1);
    expect(ids.has(before.id)).toBe(false);
    expect(JSON.stringify(seeded)).toBe(text);
    // In a fresh simulator the sequence of IDs would begin again with that of the snapshot.
    const fresh = createSimulator();
    fresh.restore(seeded);
    expect((await clientOf(fresh).responses.create(hi)).id).not.toBe(before.id);
    expect(fresh.snapshot().responses).toHaveLength(2);
  });

  it('each key keeps its account, and new keys take the others in order', async () => {
    const simulator = createSimulator();
    const made = [];
    for (const key of ['sk-a', 'sk-b']) made.push((await clientOf(simulator, key).conversations.create()).id);
    const seeded = stored(simulator);
    await clientOf(simulator, 'sk-c').conversations.create();
    simulator.restore(seeded);
    const [first = '', second = ''] = made;
    expect((await clientOf(simulator, 'sk-b').conversations.retrieve(second)).id).toBe(second);
    expect(await refusalOf(clientOf(simulator, 'sk-b').conversations.retrieve(first))).toMatchObject({
      status: 404,
    });
    expect(await refusalOf(clientOf(simulator, 'sk-c').conversations.retrieve(first))).toMatchObject({
      status: 404,
    });
    expect((await clientOf(simulator, 'sk-a').conversations.retrieve(first)).id).toBe(first);
    const other = createSimulator();
    other.restore(seeded);
    expect((await clientOf(other, 'sk-x').conversations.retrieve(first)).id).toBe(first);
    expect((await clientOf(other, 'sk-y').conversations.retrieve(second)).id).toBe(second);
    await clientOf(other, 'sk-z').conversations.create();
    expect(other.snapshot().accounts.map(({ tenant }) => tenant)).toEqual([
      'tenant-1',
      'tenant-2',
      'tenant-3',
    ]);
  });

  it('lagging items lag on, and a background stream can be told again', async () => {
    const first = createSimulator({ lag: { reads: 2 } });
    const client = clientOf(first);
    const { id } = await client.conversations.create();
    await client.responses.create({ ...hi, conversation: id });
    const stream = await client.responses.create({ ...hi, background: true, stream: true });
    const events = await collect(stream);
    const second = createSimulator({ lag: { reads: 2 } });
    second.restore(stored(first));
    const other = clientOf(second);
    const counts = [];
    for (let read = 0; read < 3; read += 1)
      counts.push((await other.conversations.items.list(id)).data.length);
    expect(counts).toEqual([0, 0, 2]);
    const response = second.snapshot().responses.at(-1)?.id ?? '';
    const again = await collect(await other.responses.retrieve(response, { stream: true }));
    expect(again).toHaveLength(events.length);
  });

  it('sessions go on in a restored world', async () => {
    const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
    const first = createSimulator();
    const [stock, hybrid] = [
      new OpenAIConversationsSession({ client: first.client() }),
      new HybridSession({ client: first.client() }),
    ];
    for (const session of [stock, hybrid]) await first.runner().run(agent, 'hi', { session });
    await hybrid.flush();
    const second = createSimulator();
    second.restore(stored(first));
    for (const conversationId of [await stock.getSessionId(), hybrid.conversationId]) {
      const session = new OpenAIConversationsSession({
        client: second.client(),
        conversationId: conversationId ?? '',
      });
      await second.runner().run(agent, 'thanks', { session });
      expect(contextOf(second)).toBe('u,a,u');
    }
  });

  it('a snapshot with a response in progress, or no snapshot, is refused, and nothing has changed', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    await client.responses.create(hi);
    const whole = simulator.snapshot();
    const running = await client.responses.create({ ...hi, background: true });
    const early = simulator.snapshot();
    expect(() => simulator.restore(early)).toThrow(
      new TypeError(`Cannot restore: the response ${running.id} was queued; take the snapshot later`),
    );
    for (const other of [undefined, {}, [], { ...whole, items: undefined }])
      expect(() => simulator.restore(other as SimulatorSnapshot)).toThrow(
        new TypeError('Cannot restore: this is no snapshot of a simulator'),
      );
    expect(() => simulator.restore({ ...whole, items: [] })).toThrow('the snapshot has no item msg_');
    expect(() => simulator.restore({ ...whole, accounts: [] })).toThrow(
      'the snapshot has no account tenant-1',
    );
    expect(simulator.snapshot()).toEqual(early);
  });
});
