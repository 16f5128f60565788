import { plansIn } from '../flows/support/story.ts';
import { Agent, tool, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { SimulatorCore } from '../../mocks/simulator.ts';
import {
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
import { useVirtualTime } from '../support/virtual-time.ts';
import { deferred } from '../support/deferred.ts';
import { changed, tamperedClient, type Tamper } from '../session/support/tampered.ts';

useVirtualTime();

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
  const session = new HybridSession({
    client: tamperedClient(simulator, tamper),
    ledger,
    conversationId,
    bookmark: false,
  });
  return { session, client, before: await first.getItems() };
}

/** A session that was healed, and another process that has known it before. */
async function healedSession(): Promise<{
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
  const session = new HybridSession({ client, ledger, bookmark: false });
  for (const text of TURNS) await runner.run(agent, text, { session });
  const old = await session.getSessionId();
  const other = new HybridSession({ client, ledger: elsewhere(ledger), conversationId: old });
  await other.getItems();
  const { conversationId: to } = await session.heal();
  return { client, simulator, ledger, old, other, session, to };
}

it('heal writes the whole history of a damaged conversation to a fresh one, where the session continues', async () => {
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
    sessionId: old,
    from: old,
    conversationId: expect.stringMatching(/^conv_/),
    items: 8,
    linked: 8,
    written: 0,
    skipped: 0,
    dangling: 0,
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
  expect(await session.getSessionId()).toBe(old);
  expect(session.conversationId).toBe(healed.conversationId);
  expect(events).toContainEqual({
    type: 'conversation_changed',
    sessionId: old,
    conversationId: healed.conversationId,
  });
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
  expect(plansIn(events)).toMatchObject([{ plan: 'chain', reason: 'extends', sent: 1 }]);
  const again = new HybridSession({ client, ledger, conversationId: old });
  expect(roles(await again.getItems())).toBe('u,a,u,a,u,a,u,a,u,a');
  expect(texts(await again.getItems()).at(-2)).toBe('and now?');
  expect(await again.getSessionId()).toBe(old);
  expect(again.conversationId).toBe(healed.conversationId);
});

describe('a dry run', () => {
  it('a dry run writes nothing, and plans the steps of the next heal', async () => {
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

  it('a dry run does not finish an interrupted clear', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, bookmark: false });
    await session.addItems([user('hi')]);
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    await session.clearSession();
    await expect(session.heal({ dryRun: true })).rejects.toMatchObject({ reason: 'nothing_to_heal' });
    expect(simulator.snapshot().conversations).toHaveLength(1);
  });
});

it.each([true, false])(
  'heal includes items that another session adds meanwhile (keepContent: %s)',
  async (keepContent) => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const other = new HybridSession({ client, ledger, keepContent, bookmark: false });
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
    const session = new HybridSession({
      client: tampered,
      ledger,
      conversationId,
      keepContent,
      bookmark: false,
    });
    expect(await session.heal()).toMatchObject({ items: 47, verified: true });
    expect(isAdded).toBe(true);
    expect(texts(await other.getItems())).toEqual(['one', 'two', ...texts(more)]);
    expect(await other.verify()).toMatchObject({ verified: true, listed: 47, findings: [], pending: 0 });
  },
);

it('heal waits for content that another process is writing', async () => {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const options = { keepContent: false, bookmark: false } as const;
  const first = new HybridSession({ ...options, client, ledger });
  await first.addItems([user('one'), assistant('two')]);
  const conversationId = await first.getSessionId();
  const healer = new HybridSession({ ...options, client, ledger: elsewhere(ledger), conversationId });
  let healing: Promise<unknown> | undefined;
  const slow = tamperedClient(simulator, async ({ method, path }) => {
    if (healing !== undefined || method !== 'POST' || !path.endsWith('/items')) return undefined;
    // The items are in the ledger, without their content, and not in the conversation yet.
    healing = healer.heal().catch((error: unknown) => error);
    await healing;
    return undefined;
  });
  const writer = new HybridSession({ ...options, client: slow, ledger: elsewhere(ledger), conversationId });
  await writer.addItems([user('three')]);
  expect(healing).toBeDefined();
  expect(texts(await writer.getItems())).toEqual(['one', 'two', 'three']);
  await writer.flush();
  const { conversationId: to } = await healer.heal();
  expect(to).not.toBe(conversationId);
  expect(texts(await healer.getItems())).toEqual(['one', 'two', 'three']);
  expect(await listedIds(client, to)).toHaveLength(3);
  expect(await healer.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
});

it('an append during a heal in another process follows the session to its new conversation', async () => {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const options = { keepContent: false, bookmark: false } as const;
  const first = new HybridSession({ ...options, client, ledger });
  await first.addItems([user('one'), assistant('two')]);
  const conversationId = await first.getSessionId();
  const isWriting = deferred<void>();
  const isSwitched = deferred<void>();
  const slow = tamperedClient(simulator, async ({ method, path }) => {
    if (method !== 'POST' || !path.endsWith(`${conversationId}/items`)) return undefined;
    isWriting.resolve();
    await isSwitched.promise;
    return undefined;
  });
  const writer = new HybridSession({ ...options, client: slow, ledger: elsewhere(ledger), conversationId });
  let adding: Promise<void> | undefined;
  const healer = new HybridSession({
    ...options,
    ledger: elsewhere(ledger),
    conversationId,
    client: tamperedClient(simulator, async ({ method, path }) => {
      if (method !== 'POST') return undefined;
      if (path.endsWith('/conversations')) {
        adding = writer.addItems([user('three')]);
        await isWriting.promise;
      } else if (path.endsWith('/items')) isSwitched.resolve();
      return undefined;
    }),
  });
  expect(await healer.heal()).toMatchObject({ items: 3, verified: true });
  await adding;
  const to = writer.conversationId ?? '';
  expect(to).not.toBe(conversationId);
  expect(await listedIds(client, to)).toHaveLength(3);
  expect(await healer.heal()).toMatchObject({ conversationId: to, items: 3, verified: true });
  expect(texts(await healer.getItems())).toEqual(['one', 'two', 'three']);
});

it('heal writes content that reached the old conversation just before the switch', async () => {
  const { client, simulator } = simulated();
  const options = { ledger: memoryLedger(), keepContent: false, bookmark: false } as const;
  const first = new HybridSession({ ...options, client });
  await first.addItems([user('one'), assistant('two')]);
  const conversationId = await first.getSessionId();
  const isWriting = deferred<void>();
  const isCreating = deferred<void>();
  const slow = tamperedClient(simulator, async ({ method, path }) => {
    if (method !== 'POST' || !path.endsWith('/items')) return undefined;
    isWriting.resolve();
    // The heal reads the item while it is pending.
    await isCreating.promise;
    return undefined;
  });
  const writer = new HybridSession({ ...options, client: slow, conversationId });
  let adding: Promise<void> | undefined;
  const healer = new HybridSession({
    ...options,
    conversationId,
    client: tamperedClient(simulator, async ({ method, path }) => {
      if (path.endsWith('/items')) {
        adding ??= writer.addItems([user('three')]);
        await isWriting.promise;
      } else if (method === 'POST') {
        isCreating.resolve();
        await adding;
      }
      return undefined;
    }),
  });
  expect(await healer.heal()).toMatchObject({ items: 3, verified: true });
  expect(texts(await healer.getItems())).toEqual(['one', 'two', 'three']);
});

it("heal with previous: 'delete' deletes the old conversation and its bookmark", async () => {
  const { client, simulator } = simulated({ unlink: 'every-turn' });
  const session = new HybridSession({ client });
  for (const text of TURNS) await runner.run(agent, text, { session });
  const old = session.conversationId;
  const { conversationId, from } = await session.heal({ previous: 'delete' });
  expect(from).toBe(old);
  const { conversations } = simulator.snapshot();
  expect(conversations.filter(({ items }) => items.length > 0).map(({ id }) => id)).toEqual([conversationId]);
  expect(conversations).toHaveLength(2);
  // The one that cannot be deleted stays: the history is complete in the new one.
  simulator.fault('conversations.delete', { status: 500, times: 1 });
  const [first = ''] = await listedIds(client, conversationId);
  await client.conversations.items.delete(first, { conversation_id: conversationId });
  const again = await session.heal({ previous: 'delete' });
  expect(again).toMatchObject({ from: conversationId, items: 8, verified: true });
  const next = new HybridSession({ client, conversationId: again.conversationId });
  expect(roles(await next.getItems())).toBe('u,a,u,a,u,a,u,a');
  expect(await next.verify()).toMatchObject({ verified: true, unproven: 0 });
});

describe('what cannot be healed', () => {
  it('heal refuses a session without a conversation, and a session that has not begun', async () => {
    const { client, simulator } = simulated();
    const off = new HybridSession({ mirror: 'off', sessionId: 'user-42' });
    for (const dryRun of [true, false]) {
      await expect(off.heal({ dryRun })).rejects.toMatchObject({ reason: 'no_conversation' });
      await expect(new HybridSession({ client }).heal({ dryRun })).rejects.toMatchObject({
        code: 'heal_failed',
        reason: 'nothing_to_heal',
      });
      await expect(
        new HybridSession({ client, conversationId: 'conv_missing' }).heal({ dryRun }),
      ).rejects.toMatchObject({ code: 'conversation_not_found' });
    }
    expect(simulator.snapshot().conversations).toEqual([]);
  });

  it('heal refuses a history with a missing item, and writes nothing', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const ledger = memoryLedger();
    const options = { client, ledger, keepContent: false, onIncomplete: 'warn' } as const;
    const session = new HybridSession({ ...options, advanced: { cache: { maxBytes: 1 } } });
    for (const text of TURNS) await runner.run(agent, text, { session });
    for (const { id } of simulator.snapshot().responses) await client.responses.delete(id);
    const before = simulator.snapshot();
    for (const dryRun of [true, false])
      await expect(session.heal({ dryRun })).rejects.toMatchObject({ code: 'history_incomplete' });
    expect(simulator.snapshot()).toEqual(before);
  });
});

it.each(['off', 'shadow', 'rebuild', 'chain'] as const)('heal works in mode %s', async (rollout) => {
  const { client } = simulated({ unlink: 'every-turn' });
  const session = new HybridSession({ client, rollout });
  for (const text of TURNS) await runner.run(agent, text, { session });
  const { conversationId } = await session.heal();
  expect(roles(await session.getItems())).toBe('u,a,u,a,u,a,u,a');
  expect(await listedIds(client, conversationId)).toHaveLength(8);
});

it('heal restores the content of a ledger without content from the list and the responses', async () => {
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
  expect(JSON.stringify(await ledger.read(old))).not.toContain('what can you do');
  expect(JSON.stringify(await ledger.read(conversationId))).not.toContain('what can you do');
});

it('heal reads an encrypted ledger, and encrypts its records', async () => {
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

it('heal replaces a deleted conversation', async () => {
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

it('heal keeps the order of calls, results, reasoning and skipped items', async () => {
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

it("heal copies the user's metadata", async () => {
  const { client } = simulated();
  const metadata = { user: '42' };
  const { id: conversationId } = await client.conversations.create({ metadata });
  const session = new HybridSession({ client, conversationId });
  await session.addItems([user('hi')]);
  const healed = await session.heal();
  const { metadata: copied } = await client.conversations.retrieve(healed.conversationId);
  expect(copied).toMatchObject(metadata);
  const { metadata: kept } = await client.conversations.retrieve(conversationId);
  expect(kept).toMatchObject(metadata);
});

async function withMetadata(pairs: number) {
  const world = simulated();
  const metadata = Object.fromEntries(Array.from({ length: pairs }, (_, at) => [`key${at}`, `${at}`]));
  const { id: conversationId } = await world.client.conversations.create({ metadata });
  const session = new HybridSession({ client: world.client, conversationId, bookmark: false });
  await session.addItems([user('hi')]);
  return { ...world, session, conversationId, metadata };
}

describe('metadata of the old conversation', () => {
  it.each(['server_error', 'rate_limit', 'connection_reset', 'overloaded'] as const)(
    'unreadable metadata stop a heal before it creates a conversation: %s',
    async (name) => {
      const { client, simulator, session, conversationId, metadata } = await withMetadata(2);
      const lift = simulator.fault('conversations.retrieve', name);
      const before = simulator.snapshot();
      await expect(session.heal()).rejects.toMatchObject({ code: 'heal_failed', reason: 'unread' });
      expect(simulator.snapshot()).toEqual(before);
      expect(await session.getSessionId()).toBe(conversationId);
      lift();
      const healed = await session.heal();
      expect((await client.conversations.retrieve(healed.conversationId)).metadata).toEqual(metadata);
    },
  );

  it('heal reads metadata again with a client that retries', async () => {
    const { client, simulator, conversationId, metadata } = await withMetadata(16);
    const patient = client.withOptions({ maxRetries: 2 });
    const session = new HybridSession({ client: patient, conversationId, bookmark: false });
    simulator.fault('conversations.retrieve', { name: 'server_error', times: 1 });
    const healed = await session.heal();
    expect((await client.conversations.retrieve(healed.conversationId)).metadata).toEqual(metadata);
  });

  it('heal copies no metadata of a deleted conversation', async () => {
    const { client, session, conversationId } = await withMetadata(2);
    await client.conversations.delete(conversationId);
    const healed = await session.heal();
    expect((await client.conversations.retrieve(healed.conversationId)).metadata).toEqual({});
  });

  it("heal does not copy the session's own metadata", async () => {
    const { client } = simulated();
    const bookmark = await client.conversations.create({});
    const metadata = { mine: 'yes', hybrid_session_heals: 'conv_before', hybrid_session: bookmark.id };
    const { id: conversationId } = await client.conversations.create({ metadata });
    const session = new HybridSession({ client, conversationId, bookmark: false });
    await session.addItems([user('hi')]);
    const healed = await session.heal();
    const { metadata: copied } = await client.conversations.retrieve(healed.conversationId);
    expect(copied).toEqual({ mine: 'yes' });
  });
});

describe('an item that the API does not link', () => {
  it('heal writes an item that the API does not link by its content, in its place', async () => {
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

  it('heal stops linking when the API stores none of the items', async () => {
    const { simulator, client } = simulated();
    const session = new HybridSession({ client, bookmark: false });
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

  it('heal writes an item by its content, and removes the other item that the API linked under its ID', async () => {
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

describe('after a heal', () => {
  it('each operation of a live session uses the new conversation after a heal', async () => {
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
      const { other, session, to, old, client } = await healedSession();
      await act(other);
      expect(await other.getSessionId()).toBe(old);
      expect(other.conversationId).toBe(to);
      expect(texts(await session.getItems())).toEqual(texts(await other.getItems()));
      expect(await other.verify()).toMatchObject({ verified: true, conversationId: to, pending: 0 });
      expect(await listedIds(client, old)).toHaveLength(5);
    }
  });

  it('a turn that began before a heal continues after it, chained and once', async () => {
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

  it('clear after a heal deletes both conversations, and serves nothing of them', async () => {
    const { client, simulator, ledger, old, other, to } = await healedSession();
    await other.clearSession();
    expect(simulator.snapshot().conversations).toEqual([]);
    for (const conversationId of [old, to])
      expect(await new HybridSession({ client, ledger, conversationId }).getItems()).toEqual([]);
    expect(JSON.stringify([await ledger.read(old), await ledger.read(to)])).not.toContain('what can you do');
  });

  it('an interrupted clear after a heal is finished from either conversation', async () => {
    const { client, simulator, ledger, old, session, to } = await healedSession();
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    await session.clearSession();
    const open = (conversationId: string): HybridSession =>
      new HybridSession({ client, ledger, conversationId, bookmark: false });
    for (const conversationId of [to, old]) expect(await open(conversationId).getItems()).toEqual([]);
    const late = open(old);
    await late.addItems([user('again')]);
    expect(await late.getSessionId()).toBe(old);
    expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([late.conversationId]);
    for (const conversationId of [to, old])
      expect(texts(await open(conversationId).getItems())).toEqual(['again']);
  });

  it('erase after a heal removes the ledger and its alias, and with remote both conversations', async () => {
    for (const remote of [false, true]) {
      const { simulator, ledger, old, other, to } = await healedSession();
      const erased = await other.erase({ remote });
      expect(erased).toMatchObject({ sessionId: old, items: 8, conversations: remote ? [old, to] : [] });
      for (const id of [old, to]) expect(await ledger.read(id)).toEqual({ records: [] });
      expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual(remote ? [] : [old, to]);
    }
  });

  it('a session without a conversation erases its ledger after a heal, with the alias', async () => {
    const { ledger, old, to } = await healedSession();
    const off = new HybridSession({ mirror: 'off', sessionId: old, ledger });
    expect(await off.getItems()).toHaveLength(8);
    expect(await off.erase()).toMatchObject({ sessionId: old, items: 8, conversations: [] });
    for (const id of [old, to]) expect(await ledger.read(id)).toEqual({ records: [] });
  });

  it('a second heal writes only a history that is damaged again', async () => {
    const { client, session, to, old } = await healedSession();
    expect(await session.heal()).toMatchObject({ from: old, conversationId: to, items: 8, linked: 8 });
    const [first = ''] = await listedIds(client, to);
    await client.conversations.items.delete(first, { conversation_id: to });
    const healed = await session.heal();
    expect(healed).toMatchObject({ from: to, items: 8 });
    expect(healed.conversationId).not.toBe(to);
    const oldest = new HybridSession({ client, conversationId: old, ledger: memoryLedger() });
    expect(await oldest.getItems()).toHaveLength(5);
    expect(await session.getSessionId()).toBe(old);
  });
});

it('two concurrent heals write one conversation, with the items added meanwhile', async () => {
  const { client, simulator } = simulated({ unlink: 'every-turn' });
  const ledger = memoryLedger();
  const options = { client };
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

it('heal stops at its signal, reports its progress, and continues there', async () => {
  const { client, simulator } = simulated();
  const session = new HybridSession({ client, bookmark: false });
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

it('heal creates another conversation when the begun one is deleted, or has lost items', async () => {
  const { client, simulator } = simulated();
  const session = new HybridSession({ client, bookmark: false });
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
  // The one that lost what was written is a former conversation of the session: `erase()` deletes it.
  expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([old, begun[1], conversationId]);
  expect(await listedIds(client, conversationId)).toHaveLength(45);
  expect((await session.erase({ remote: true })).conversations).toEqual([old, begun[1], conversationId]);
  expect(simulator.snapshot().conversations).toEqual([]);
});
