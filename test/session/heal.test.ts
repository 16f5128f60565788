import { Agent, tool, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { SimulatorCore } from '../../mocks/simulator.ts';
import {
  conversationLedger,
  encryptedLedger,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HealError,
  type HybridSessionEvent,
  type LedgerStore,
} from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { TURNS } from '../flows/support/story.ts';
import { assistant, call, result, roles, texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { changed, tamperedClient, type Tamper } from './support/tampered.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

async function listedIds(client: OpenAI, conversationId: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const item of client.conversations.items.list(conversationId, { order: 'asc', limit: 100 }))
    ids.push('id' in item ? (item.id ?? '') : '');
  return ids;
}

async function damagedBy(
  tamper: Tamper,
): Promise<{ session: HybridSession; client: OpenAI; before: AgentInputItem[] }> {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const first = new HybridSession({ client, ledger });
  await first.addItems(Array.from({ length: 25 }, (_, index) => user(`line ${index}`)));
  const conversationId = await first.getSessionId();
  const session = new HybridSession({ client: tamperedClient(simulator, tamper), ledger, conversationId });
  return { session, client, before: await first.getItems() };
}

async function moved(): Promise<{
  client: OpenAI;
  simulator: SimulatorCore;
  ledger: LedgerStore;
  old: string;
  other: HybridSession;
  session: HybridSession;
  to: string;
}> {
  const { client, simulator } = simulated({ unlink: 'every-turn' });
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger });
  for (const text of TURNS) await runner.run(agent, text, { session });
  const old = await session.getSessionId();
  const other = new HybridSession({ client, ledger: elsewhere(ledger), conversationId: old });
  await other.getItems();
  const { conversationId: to } = await session.heal();
  return { client, simulator, ledger, old, other, session, to };
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
  expect(plan).toEqual({ ...healed, conversationId: undefined, steps: expect.any(Array), dryRun: true });
  expect(plan.steps).toEqual(
    before.map((item, index) => ({
      index,
      kind: index % 2 === 0 ? 'message:user' : 'message:assistant',
      id: 'id' in item ? item.id : '',
      how: 'linked',
    })),
  );
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

describe('a dry run', () => {
  it('writes nothing, and says what is done right after', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    for (const text of TURNS) await runner.run(agent, text, { session });
    const old = await session.getSessionId();
    // Not known to the ledger yet: a heal takes it along, a dry run only says so.
    await client.conversations.items.create(old, { items: [{ role: 'user', content: 'from elsewhere' }] });
    const records = await ledger.read(old);
    const requests = simulator.log.length;
    const other = new HybridSession({ client, ledger, conversationId: old });
    const plan = await other.heal({ dryRun: true });
    expect(plan).toMatchObject({ from: old, conversationId: undefined, items: 9, linked: 9, dryRun: true });
    expect(simulator.log.slice(requests).map(({ method }) => method)).not.toContain('POST');
    expect(await ledger.read(old)).toEqual(records);
    const healed = await other.heal();
    expect(plan).toEqual({ ...healed, conversationId: undefined, steps: plan.steps, dryRun: true });
    expect(await other.heal({ dryRun: true })).toEqual({ ...healed, steps: [], dryRun: true });
  });

  it('finishes no clear that was cut short', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    await session.addItems([user('hi')]);
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    await session.clearSession().catch(() => undefined);
    await expect(session.heal({ dryRun: true })).rejects.toMatchObject({ reason: 'cleared' });
    expect(simulator.snapshot().conversations).toHaveLength(1);
  });
});

it.each([true, false])(
  'takes along what another session adds meanwhile (keepContent: %s)',
  async (keepContent) => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const other = new HybridSession({ client, ledger, keepContent });
    await other.addItems([user('one'), assistant('two')]);
    const conversationId = await other.getSessionId();
    const more = Array.from({ length: 45 }, (_, index) => user(`more ${index}`));
    let isAdded = false;
    const tampered = tamperedClient(simulator, async ({ method, path }) => {
      if (method !== 'POST' || path !== '/conversations') return undefined;
      isAdded = true;
      await other.addItems(more);
      return undefined;
    });
    const session = new HybridSession({ client: tampered, ledger, conversationId, keepContent });
    expect(await session.heal()).toMatchObject({ items: 47, verified: true });
    expect(isAdded).toBe(true);
    expect(texts(await other.getItems())).toEqual(['one', 'two', ...texts(more)]);
    expect(await other.verify()).toMatchObject({ verified: true, listed: 47, findings: [], pending: 0 });
  },
);

describe('what cannot be healed', () => {
  it('is a session without a conversation, and one that has not begun', async () => {
    const { client, simulator } = simulated();
    const off = new HybridSession({ mirror: 'off', sessionId: 'user-42' });
    for (const dryRun of [true, false]) {
      await expect(off.heal({ dryRun })).rejects.toMatchObject({ reason: 'no-conversation' });
      await expect(new HybridSession({ client }).heal({ dryRun })).rejects.toMatchObject({
        code: 'heal_failed',
        reason: 'nothing-to-heal',
      });
      await expect(
        new HybridSession({ client, conversationId: 'conv_missing' }).heal({ dryRun }),
      ).rejects.toMatchObject({ code: 'conversation_not_found' });
    }
    expect(simulator.snapshot().conversations).toEqual([]);
  });

  it('is a history of which an item is nowhere: nothing is moved', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const ledger = memoryLedger();
    const options = { client, ledger, keepContent: false, onIncomplete: 'warn' } as const;
    const session = new HybridSession({ ...options, cache: { maxBytes: 1 } });
    for (const text of TURNS) await runner.run(agent, text, { session });
    for (const { id } of simulator.snapshot().responses) await client.responses.delete(id);
    const before = simulator.snapshot();
    for (const dryRun of [true, false])
      await expect(session.heal({ dryRun })).rejects.toMatchObject({ code: 'history_incomplete' });
    expect(simulator.snapshot()).toEqual(before);
  });
});

it.each(['off', 'shadow', 'rebuild', 'chain'] as const)('heals in mode %s', async (rollout) => {
  const { client } = simulated({ unlink: 'every-turn' });
  const session = new HybridSession({ client, rollout });
  for (const text of TURNS) await runner.run(agent, text, { session });
  const { conversationId } = await session.heal();
  expect(roles(await session.getItems())).toBe('u,a,u,a,u,a,u,a');
  expect(await listedIds(client, conversationId)).toHaveLength(8);
});

it('heals a ledger that holds no content, from the list and the responses', async () => {
  const { client } = simulated({ unlink: 'every-turn' });
  const ledger = memoryLedger();
  const options = { client, ledger, keepContent: false } as const;
  const session = new HybridSession(options);
  for (const text of TURNS) await runner.run(agent, text, { session });
  const old = await session.getSessionId();
  const before = texts(await session.getItems());
  const other = new HybridSession({ ...options, conversationId: old });
  const { conversationId, items } = await other.heal();
  expect(items).toBe(8);
  expect(await listedIds(client, conversationId)).toHaveLength(8);
  expect(texts(await session.getItems())).toEqual(before);
  expect(JSON.stringify(await ledger.read(conversationId))).not.toContain('what can you do');
});

it('heals an encrypted ledger, and encrypts the copy', async () => {
  const { client } = simulated({ unlink: 'every-turn' });
  const inner = memoryLedger();
  const ledger = encryptedLedger(inner, { keys: [{ id: 'k', secret: new Uint8Array(32).fill(7) }] });
  const session = new HybridSession({ client, ledger });
  for (const text of TURNS) await runner.run(agent, text, { session });
  const old = await session.getSessionId();
  const { conversationId: to } = await session.heal();
  expect(JSON.stringify([await inner.read(old), await inner.read(to)])).not.toMatch(/what can you do|conv_/);
  const late = new HybridSession({ client, ledger, conversationId: old });
  expect(roles(await late.getItems())).toBe('u,a,u,a,u,a,u,a');
});

it('heals a conversation that was deleted', async () => {
  const { client } = simulated();
  const session = new HybridSession({ client });
  for (const text of TURNS) await runner.run(agent, text, { session });
  const before = await session.getItems();
  await client.conversations.delete(await session.getSessionId());
  const { conversationId, linked } = await session.heal();
  expect(linked).toBe(8);
  expect(await session.getItems()).toEqual(before);
  expect(await listedIds(client, conversationId)).toHaveLength(8);
});

it('takes calls, results, reasoning and what no conversation can hold along, each in its place', async () => {
  const { client } = simulated();
  const session = new HybridSession({ client });
  const odd: AgentInputItem = { type: 'shell_call', callId: 's1', action: { commands: ['ls'] } };
  const items: AgentInputItem[] = [
    user('weather?'),
    { type: 'reasoning', id: 'rs_1', content: [], providerData: { encrypted_content: 'x' } },
    call('c1', 'get_weather', { city: 'Oslo' }),
    result('c1', 'get_weather', 'sunny'),
    { ...odd, action: { commands: [] as string[], mystery: 1 } } as AgentInputItem,
    assistant('sunny'),
  ];
  await session.addItems(items);
  const before = await session.getItems();
  const plan = await session.heal({ dryRun: true });
  const healed = await session.heal();
  expect(plan).toEqual({ ...healed, conversationId: undefined, steps: plan.steps, dryRun: true });
  expect(healed.items).toBe(6);
  expect(await session.getItems()).toEqual(before);
  expect(await session.verify()).toMatchObject({ verified: true, findings: [] });
});

it('copies the metadata that the user keeps with the conversation', async () => {
  const { client } = simulated();
  const metadata = { user: '42' };
  const { id: conversationId } = await client.conversations.create({ metadata });
  const session = new HybridSession({ client, conversationId, ledger: conversationLedger({ client }) });
  await session.addItems([user('hi')]);
  const healed = await session.heal();
  const { metadata: copied } = await client.conversations.retrieve(healed.conversationId);
  expect(copied).toMatchObject(metadata);
});

describe('an item that the API does not link', () => {
  it('is written by its content, in its place', async () => {
    const world = simulated();
    const session = new HybridSession({ client: world.client });
    await session.addItems(Array.from({ length: 25 }, (_, index) => user(`line ${index}`)));
    const old = await session.getSessionId();
    const ids = await listedIds(world.client, old);
    world.simulator.fault('conversations.items.create', {
      status: 404,
      message: `Item with id '${ids[3]}' not found.`,
      when: ({ body }) => JSON.stringify(body).includes(ids[3] ?? ''),
    });
    const healed = await session.heal();
    expect(healed).toMatchObject({ items: 25, linked: 24, written: 1, skipped: 0, verified: true });
    const listed = await listedIds(world.client, healed.conversationId);
    expect(listed.filter((id, index) => id === ids[index])).toHaveLength(24);
    expect(texts(await session.getItems())).toEqual(ids.map((_, index) => `line ${index}`));
  });

  it('is asked for no longer when the API knows none of them', async () => {
    const { simulator, client } = simulated();
    const session = new HybridSession({ client });
    await session.addItems(Array.from({ length: 100 }, (_, index) => user(`line ${index}`)));
    simulator.fault('conversations.items.create', {
      status: 404,
      message: "Item with id 'msg_x' not found.",
      when: ({ body }) => JSON.stringify(body).includes('"id":"msg_'),
    });
    const requests = simulator.log.length;
    expect(await session.heal()).toMatchObject({ items: 100, linked: 0, written: 100, verified: true });
    expect(simulator.log.length - requests).toBeLessThan(75);
  });

  it('is written by its content when another one is stored under its ID, and the other one leaves the list', async () => {
    let hasLied = false;
    const { session, client, before } = await damagedBy(async ({ method, path }, answer) => {
      if (hasLied || method !== 'POST' || !path.endsWith('/items')) return undefined;
      hasLied = true;
      return changed(answer(), (body) => {
        const data = (body['data'] as object[]).map((item, index) =>
          index === 4 ? { ...item, content: [{ type: 'input_text', text: 'something else' }] } : item,
        );
        return { ...body, data };
      });
    });
    const healed = await session.heal();
    expect(healed).toMatchObject({ items: 25, written: 1, linked: 24, verified: true });
    expect(texts(await session.getItems())).toEqual(texts(before));
    expect(await listedIds(client, healed.conversationId)).toHaveLength(25);
  });
});

describe('after a move', () => {
  it('every live session works on the new conversation, whatever it does next', async () => {
    const ways: Record<string, (session: HybridSession) => Promise<unknown>> = {
      getItems: (session) => session.getItems(),
      addItems: (session) => session.addItems([user('more')]),
      popItem: (session) => session.popItem(),
      verify: (session) => session.verify(),
      run: (session) => runner.run(agent, 'more', { session }),
      transaction: (session) =>
        session.applyHistoryTransaction({
          operationId: 'op',
          transaction: { type: 'append_items', items: [user('more')] },
        }),
    };
    for (const act of Object.values(ways)) {
      const { other, session, to, old, client } = await moved();
      await act(other);
      expect(await other.getSessionId()).toBe(to);
      expect(texts(await session.getItems())).toEqual(texts(await other.getItems()));
      expect(await other.verify()).toMatchObject({ verified: true, conversationId: to, pending: 0 });
      expect(await listedIds(client, old)).toHaveLength(5);
    }
  });

  it('a turn that began before goes on after it, chained and once', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    for (const text of TURNS) await runner.run(agent, text, { session });
    const old = await session.getSessionId();
    const healer = new HybridSession({ client, ledger: elsewhere(ledger), conversationId: old });
    const healing = tool({
      name: 'heal',
      description: 'heals',
      parameters: z.object({}),
      execute: async () => (await healer.heal()).conversationId,
    });
    await runner.run(new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [healing] }), 'call heal {}', {
      session,
    });
    const { conversationId, verified, findings } = await session.verify();
    expect(conversationId).not.toBe(old);
    expect({ verified, findings }).toEqual({ verified: true, findings: [] });
    expect(roles(await session.getItems())).toBe('u,a,u,a,u,a,u,a,u,function_call,function_call_result,a');
    expect(await healer.getItems()).toEqual(await session.getItems());
  });

  it('a clear removes the conversation that was left, too', async () => {
    const { client, simulator, ledger, old, other, to } = await moved();
    await other.clearSession();
    expect(simulator.snapshot().conversations).toEqual([]);
    for (const id of [old, to]) expect(await ledger.head(id)).toBeUndefined();
    expect(await new HybridSession({ client, ledger }).getItems()).toEqual([]);
  });

  it('a clear that was cut short is finished from either conversation', async () => {
    const { client, simulator, ledger, old, session } = await moved();
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    await expect(session.clearSession()).rejects.toMatchObject({ status: 500 });
    const late = new HybridSession({ client, ledger, conversationId: old });
    expect(await late.getItems()).toEqual([]);
    expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([await late.getSessionId()]);
  });

  it('an erase removes both ledgers, and with remote both conversations', async () => {
    for (const remote of [false, true]) {
      const { simulator, ledger, old, other, to } = await moved();
      const erased = await other.erase({ remote });
      expect(erased).toMatchObject({ sessionId: to, items: 8, conversation: remote });
      for (const id of [old, to]) expect(await ledger.read(id)).toEqual({ records: [] });
      expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual(remote ? [] : [old, to]);
    }
  });

  it('a session without a conversation finds the ledger under either ID, and erases both', async () => {
    for (const which of ['old', 'to'] as const) {
      const world = await moved();
      const { ledger } = world;
      const off = new HybridSession({ mirror: 'off', sessionId: world[which], ledger });
      expect(await off.getItems()).toHaveLength(8);
      expect(await off.erase()).toMatchObject({ sessionId: world.to, items: 8 });
      for (const id of [world.old, world.to]) expect(await ledger.read(id)).toEqual({ records: [] });
    }
  });

  it('a history that is still whole is not written again, and a damaged one is', async () => {
    const { client, session, to, old } = await moved();
    expect(await session.heal()).toMatchObject({ from: old, conversationId: to, items: 8, linked: 8 });
    const [first = ''] = await listedIds(client, to);
    await client.conversations.items.delete(first, { conversation_id: to });
    const healed = await session.heal();
    expect(healed).toMatchObject({ from: to, items: 8 });
    expect(healed.conversationId).not.toBe(to);
    const oldest = new HybridSession({ client, conversationId: old, ledger: memoryLedger() });
    expect(await oldest.getItems()).toHaveLength(5);
  });

  it('an older version of this package refuses to go on in the conversation that was left', async () => {
    const { ledger, old, to } = await moved();
    for (const id of [old, to]) expect(await ledger.head(id)).toMatchObject({ format: 2 });
    const { records } = await ledger.read(old);
    expect(records.filter(({ v }) => v === 2).map(({ type }) => type)).toEqual(['heal', 'moved']);
  });
});

it('two that heal at once write one conversation, and what is added meanwhile is in it', async () => {
  const { client, simulator } = simulated({ unlink: 'every-turn' });
  const ledger = memoryLedger();
  const options = { client, mirrorLease: 200 };
  const writer = new HybridSession({ ...options, ledger });
  for (const text of TURNS) await runner.run(agent, text, { session: writer });
  await writer.addItems(Array.from({ length: 60 }, (_, index) => user(`line ${index}`)));
  const old = await writer.getSessionId();
  const healers = [1, 2, 3].map(
    () => new HybridSession({ ...options, ledger: elsewhere(ledger), conversationId: old }),
  );
  const same = new HybridSession({ ...options, ledger, conversationId: old });
  const added = Array.from({ length: 12 }, (_, index) => `added ${index}`);
  const [results] = await Promise.all([
    Promise.all([...healers, same, writer].map((one) => one.heal())),
    (async () => {
      for (const text of added) await writer.addItems([user(text)]);
    })(),
    (async () => {
      const foreign = new HybridSession({ ...options, ledger: elsewhere(ledger), conversationId: old });
      for (const text of added) await foreign.addItems([user(`foreign ${text}`)]);
    })(),
  ]);
  const [to = ''] = new Set(results.map(({ conversationId }) => conversationId));
  expect(new Set(results.map(({ conversationId }) => conversationId)).size).toBe(1);
  await writer.flush();
  const said = texts(await writer.getItems());
  expect(said).toHaveLength(8 + 60 + 24);
  expect(said.filter((text) => text.startsWith('added'))).toEqual(added);
  expect(said.filter((text) => text.startsWith('foreign'))).toEqual(added.map((text) => `foreign ${text}`));
  expect(await listedIds(client, to)).toHaveLength(said.length);
  expect(await writer.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
  const whole = simulator.snapshot().conversations.filter(({ items }) => items.length >= 68);
  expect(whole.map(({ id }) => id)).toContain(to);
});

it('stops when it is told to, says where it was, and goes on there', async () => {
  const { client, simulator } = simulated();
  const session = new HybridSession({ client });
  await session.addItems(Array.from({ length: 100 }, (_, index) => user(`line ${index}`)));
  const stop = new AbortController();
  const done: number[] = [];
  const stopped = session.heal({
    signal: stop.signal,
    onProgress: (progress) => {
      done.push(progress.done);
      if (progress.done === 40) stop.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ reason: 'stopped', pending: 60 });
  expect(done).toEqual([0, 20, 40]);
  const { conversationId } = await session.heal({ onProgress: (progress) => void done.push(progress.done) });
  expect(done).toEqual([0, 20, 40, 40, 60, 80, 100]);
  expect(await listedIds(client, conversationId)).toHaveLength(100);
  expect(simulator.snapshot().conversations).toHaveLength(2);
});

it('begins another conversation when the one begun is gone, or lost what was written', async () => {
  const { client, simulator } = simulated();
  const session = new HybridSession({ client, mirrorLease: 50 });
  await session.addItems(Array.from({ length: 45 }, (_, index) => user(`line ${index}`)));
  const old = await session.getSessionId();
  const begun: string[] = [];
  for (const harm of ['delete', 'lose'] as const) {
    const stop = new AbortController();
    const stopped = session.heal({
      signal: stop.signal,
      onProgress: ({ done }) => void (done === 20 && stop.abort()),
    });
    const { conversationId } = await stopped.catch((error: unknown) => error as HealError);
    begun.push(conversationId ?? '');
    if (harm === 'delete') await client.conversations.delete(begun[0] ?? '');
    else {
      const [first = ''] = await listedIds(client, begun[1] ?? '');
      await client.conversations.items.delete(first, { conversation_id: begun[1] ?? '' });
    }
  }
  const { conversationId } = await session.heal();
  expect([old, ...begun]).not.toContain(conversationId);
  expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([old, conversationId]);
  expect(await listedIds(client, conversationId)).toHaveLength(45);
});
