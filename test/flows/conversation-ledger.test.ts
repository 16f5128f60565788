import { Agent } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import {
  conversationLedger,
  HistoryIncompleteError,
  HybridRunner,
  HybridSession,
  type HybridSessionEvent,
} from '../../src/index.ts';
import { assistant, call, result, roles, texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { historyOf, listedIds, listedTexts } from './support/story.ts';

const TURNS = ['hi', 'what can you do?', 'give me one example', 'thanks', 'hi', 'bye'];
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

/** As in a new process: nothing is known but the conversation's ID. */
function reopened(client: OpenAI, conversationId: string, events: HybridSessionEvent[] = []): HybridSession {
  const ledger = conversationLedger({ client });
  return new HybridSession({ client, conversationId, ledger, onEvent: (event) => void events.push(event) });
}

describe('A session that keeps its ledger in the conversation itself', () => {
  for (const unlink of ['none', 'every-turn'] as const) {
    for (const inputItems of ['own', 'inherited'] as const) {
      for (const stream of [false, true]) {
        it(`goes on in a new process at every turn: unlinking ${unlink}, input items ${inputItems}, stream ${stream}`, async () => {
          const { client, simulator } = simulated({ unlink, inputItems });
          const { id } = await client.conversations.create({ metadata: { customer: 'c-17' } });
          const events: HybridSessionEvent[] = [];
          for (const [turn, text] of TURNS.entries()) {
            const session = reopened(client, id, events);
            if (stream) await (await runner.run(agent, text, { session, stream: true })).completed;
            else await runner.run(agent, text, { session });
            expect(roles(await session.getItems())).toBe(
              Array.from({ length: turn + 1 }, () => 'u,a').join(','),
            );
          }
          const answered = simulator.log.findLast(({ operation }) => operation === 'responses.create');
          expect(texts(await reopened(client, id).getItems()).filter((_, index) => index % 2 === 0)).toEqual(
            TURNS,
          );
          expect(answered?.context).toHaveLength(2 * TURNS.length - 1);
          const plans = events.flatMap((event) => (event.type === 'planned' ? [event.plan] : []));
          expect(plans).toEqual(['replay', ...TURNS.slice(1).map(() => 'chain')]);
          expect(events.some(({ type }) => type === 'adopted' || type === 'incomplete')).toBe(false);
          expect(await reopened(client, id).verify()).toMatchObject({
            verified: true,
            length: 2 * TURNS.length,
          });
        });
      }
    }
  }

  it("leaves the user's metadata alone and takes one short value, however long the session is", async () => {
    const { client } = simulated();
    const metadata = Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => [`key ${index}`, 'x'.repeat(512)]),
    );
    const { id } = await client.conversations.create({ metadata });
    const session = reopened(client, id);
    for (let turn = 0; turn < 30; turn += 1) await runner.run(agent, `turn ${turn}`, { session });
    const { hybrid_session: own, ...others } = (await client.conversations.retrieve(id)).metadata as Record<
      string,
      string
    >;
    expect(others).toEqual(metadata);
    expect(own?.length).toBeLessThan(512);
  });

  it('says what is missing when neither the list nor a response proves the history', async () => {
    const { client } = simulated({ unlink: 'every-turn' });
    const { id } = await client.conversations.create();
    const session = reopened(client, id);
    const first = await runner.run(agent, 'hi', { session });
    const second = await runner.run(agent, 'thanks', { session });
    for (const { lastResponseId } of [first, second]) await client.responses.delete(lastResponseId ?? '');
    await expect(reopened(client, id).getItems()).rejects.toThrow(HistoryIncompleteError);
    const lenient = new HybridSession({
      client,
      conversationId: id,
      ledger: conversationLedger({ client }),
      onIncomplete: 'warn',
    });
    expect(roles(await lenient.getItems())).toBe('u,u,a');
    expect(await lenient.verify()).toMatchObject({ verified: false, unproven: 3 });
  });

  it('names a bounded number of missing items, whatever a damaged head says', async () => {
    const { client } = simulated();
    const { id } = await client.conversations.create();
    await runner.run(agent, 'hi', { session: reopened(client, id) });
    const { metadata } = await client.conversations.retrieve(id);
    const [format, version, , digest]: unknown[] = JSON.parse(
      Reflect.get(Object(metadata), 'hybrid_session'),
    );
    const head = JSON.stringify([format, version, Number.MAX_SAFE_INTEGER, `${String(digest)}?`]);
    await client.conversations.update(id, { metadata: { hybrid_session: head } });
    const error: unknown = await reopened(client, id)
      .getItems()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HistoryIncompleteError);
    expect(error).toMatchObject({ missing: { length: 1000 } });
  });

  it('finds a turn of which only the input was stored', async () => {
    const { client } = simulated();
    const { id } = await client.conversations.create();
    await runner.run(agent, 'hi', { session: reopened(client, id) });
    await reopened(client, id).addItems([{ role: 'user', content: 'cut off' }]);
    expect(texts(await reopened(client, id).getItems()).at(-1)).toBe('cut off');
    expect(await reopened(client, id).verify()).toMatchObject({ verified: true, length: 3, findings: [] });
  });

  it.each([1, 3, 30])(
    'takes out what a process that died had left of %i items it had popped',
    async (count) => {
      const { client, simulator } = simulated();
      const { id } = await client.conversations.create();
      const said = Array.from({ length: 35 }, (_, index) => ({
        role: 'user' as const,
        content: `text ${index}`,
      }));
      await reopened(client, id).addItems(said);
      const lift = simulator.fault('conversations.items.delete', { status: 500 });
      const dying = reopened(client, id);
      for (let index = 1; index <= count; index += 1)
        expect(texts([(await dying.popItem()) ?? said[0]])).toEqual([`text ${35 - index}`]);
      lift();
      const kept = said.slice(0, -count).map(({ content }) => content);
      const events: HybridSessionEvent[] = [];
      const next = reopened(client, id, events);
      expect(texts(await next.getItems())).toEqual(kept);
      expect(await next.verify()).toMatchObject({ verified: true, length: kept.length, pending: count });
      await next.flush();
      expect(listedTexts(simulator, id)).toEqual(kept);
      await next.addItems([{ role: 'user', content: 'more' }]);
      expect(texts(await reopened(client, id).getItems())).toEqual([...kept, 'more']);
      expect(events).toEqual([]);
    },
  );

  it('knows what a change in the middle has written again, though the old copies are still listed', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create();
    await reopened(client, id).addItems([
      user('Where?'),
      call('call_1', 'look_up', { city: 'Oslo' }),
      result('call_1', 'look_up', 'found'),
      assistant('There.'),
    ]);
    const lift = simulator.fault('conversations.items.delete', { status: 500 });
    const replacement = call('call_1', 'look_up', { city: 'Bergen' });
    await reopened(client, id).applyHistoryMutations({
      mutations: [{ type: 'replace_function_call', callId: 'call_1', replacement }],
    });
    lift();
    const next = reopened(client, id);
    expect(await historyOf(next)).toBe('u,c,r,a');
    expect(JSON.stringify(await next.getItems())).not.toContain('Oslo');
    await next.flush();
    expect(await next.verify()).toMatchObject({ verified: true, length: 4, listed: 4, findings: [] });
  });

  it.each([
    ['clearSession', (session: HybridSession) => session.clearSession()],
    ['erase', (session: HybridSession) => session.erase({ remote: true })],
  ] as const)('ends with %s though nothing proves it any more', async (_, end) => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create();
    await reopened(client, id).addItems([user('one'), user('two')]);
    const [first = ''] = listedIds(simulator, id);
    await client.conversations.items.delete(first, { conversation_id: id });
    await expect(reopened(client, id).getItems()).rejects.toThrow(HistoryIncompleteError);
    const session = reopened(client, id);
    await end(session);
    expect(simulator.snapshot().conversations).toEqual([]);
    expect(await session.getItems()).toEqual([]);
  });
});
