import { OpenAIProvider, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import {
  fromJsonLines,
  HybridRunner,
  HybridSession,
  importItems,
  memoryLedger,
  type LedgerStore,
} from '../../src/index.ts';
import { inspectLedger } from '../../src/doctor.ts';
import { tamperedClient } from '../session/support/tampered.ts';
import { user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { elsewhere } from './support/elsewhere.ts';
import { converse, recorder } from './support/story.ts';

useVirtualTime();

const INCLUDED = ['reasoning.encrypted_content' as const];
const SECRET = 'the salary of somebody else';

/** A hosted call with its own content and an ID that the API may know. */
function hosted(id: string, output = 'ours'): AgentInputItem {
  return {
    type: 'hosted_tool_call',
    id,
    name: 'mcp_call',
    status: 'completed',
    output,
    providerData: { type: 'mcp_call', server_label: 'files', name: 'read', arguments: '{}', output },
  };
}

function reasoning(id: string, text: string, encrypted?: string): AgentInputItem {
  return {
    type: 'reasoning',
    id,
    content: [{ type: 'input_text', text }],
    ...(encrypted === undefined ? {} : { providerData: { encrypted_content: encrypted } }),
  };
}

interface Victim {
  readonly conversationId: string;
  readonly call: string;
  readonly thought: string;
}

/** A server on which another user of the same project has had a hosted call and reasoning. */
async function shared(): Promise<Simulated & Victim> {
  const items = [{ type: 'mcp_call', server_label: 'files', name: 'read', arguments: '{}', output: SECRET }];
  const world = simulated({
    respond: (context) =>
      JSON.stringify(context).includes('secret') ? { reasoning: SECRET, items } : undefined,
  });
  const { client } = world;
  const { id: conversationId } = await client.conversations.create({});
  const answer = await client.responses.create({
    model: 'gpt-5',
    input: 'secret',
    conversation: conversationId,
  });
  const idOf = (type: string): string => answer.output.find((item) => item.type === type)?.id ?? '';
  return { ...world, conversationId, call: idOf('mcp_call'), thought: idOf('reasoning') };
}

async function listed(client: OpenAI, conversationId: string): Promise<string> {
  const items: unknown[] = [];
  for await (const item of client.conversations.items.list(conversationId, {
    order: 'asc',
    include: INCLUDED,
  }))
    items.push(item);
  return JSON.stringify(items);
}

/** Nothing of the other user is in the session or its conversation; the other user's conversation is as it was. */
async function expectApart(world: Simulated & Victim, session: HybridSession): Promise<void> {
  const report = await session.verify();
  expect(report).toMatchObject({ verified: true, findings: [], pending: 0, missing: [] });
  expect(JSON.stringify(await session.getItems())).not.toContain(SECRET);
  expect(await listed(world.client, await session.getSessionId())).not.toContain(SECRET);
  const theirs = await listed(world.client, world.conversationId);
  expect(theirs).toContain(world.call);
  expect(theirs).toContain(world.thought);
  expect(theirs).toContain(SECRET);
}

describe('an item added with the ID of an item of another user', () => {
  it("a hosted call with the ID of another user's item stays in the ledger and out of the conversation", async () => {
    const world = await shared();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client: world.client, onEvent });
    await session.addItems([user('before'), hosted(world.call), user('after')]);
    await expectApart(world, session);
    expect(await session.getItems()).toMatchObject([
      { content: 'before' },
      { output: 'ours' },
      { content: 'after' },
    ]);
    expect(JSON.parse(await listed(world.client, await session.getSessionId()))).toHaveLength(2);
    expect(of('foreign_item')).toEqual([
      expect.objectContaining({ code: 'foreign_item', ids: [world.call] }),
    ]);
    expect(of('mirror_skipped')).toEqual([
      expect.objectContaining({ itemKind: 'hosted_tool_call:mcp_call' }),
    ]);
  });

  it("reasoning with the ID of another user's item is written without the ID if it has encrypted content", async () => {
    const world = await shared();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client: world.client, onEvent });
    await session.addItems([user('before'), reasoning(world.thought, 'ours', 'sealed'), user('after')]);
    await expectApart(world, session);
    expect(await session.verify()).toMatchObject({ length: 3, listed: 3 });
    expect(of('foreign_item')).toMatchObject([{ code: 'foreign_item', ids: [world.thought] }]);
    expect(of('mirror_skipped')).toEqual([]);
  });

  it('two items with foreign IDs are replaced in a long append that links others', async () => {
    const world = await shared();
    const session = new HybridSession({ client: world.client });
    const items = Array.from({ length: 45 }, (_, index) => user(`line ${index}`));
    items.splice(3, 0, hosted(world.call));
    items.splice(30, 0, reasoning(world.thought, 'ours'));
    await session.addItems(items);
    await expectApart(world, session);
    expect(await session.verify()).toMatchObject({ length: 47, listed: 45 });
  });

  it("imported items with foreign IDs are stored without the other user's items", async () => {
    const world = await shared();
    const ledger = memoryLedger();
    const { id: conversationId } = await world.client.conversations.create({});
    const items = [user('before'), hosted(world.call), reasoning(world.thought, 'ours'), user('after')];
    await importItems({ ledger, sessionId: conversationId, items });
    const session = new HybridSession({ client: world.client, ledger, conversationId });
    await session.flush();
    await expectApart(world, session);
    expect(await session.verify()).toMatchObject({ length: 4, listed: 2 });
  });

  it('an item with the same content keeps its ID in the conversation', async () => {
    const world = await shared();
    const { onEvent, problems } = recorder();
    const session = new HybridSession({ client: world.client, onEvent });
    await session.addItems([reasoning(world.thought, SECRET), hosted(world.call, SECRET)]);
    expect(await listed(world.client, await session.getSessionId())).toContain(world.call);
    expect(await session.verify()).toMatchObject({ verified: true, listed: 2, findings: [] });
    expect(problems()).toEqual([]);
  });

  it('an item is not mistaken for the item of the same ID in the conversation, which stays', async () => {
    const world = await shared();
    const ledger = memoryLedger();
    const session = new HybridSession({ client: world.client, ledger, conversationId: world.conversationId });
    await session.addItems([hosted(world.call, 'another output')]);
    const report = await session.verify();
    expect(report).toMatchObject({ missing: [], pending: 0, findings: [] });
    // The former items of the conversation stay, once.
    const items = JSON.parse(await listed(world.client, world.conversationId)) as object[];
    expect(items).toHaveLength(report.length - 1);
    expect(JSON.stringify(await session.getItems())).toContain('another output');
  });
});

describe("the model never sees another user's item", () => {
  const runners = { 'the stock runner': false, 'the runner of this package': true };
  const ways = { added: true, imported: false };
  const cases = Object.keys(runners).flatMap((who) => Object.keys(ways).map((how) => [who, how] as const));

  it.each(cases)(
    "the model never sees another user's item with %s, if the items were %s",
    async (who, how) => {
      const world = await shared();
      const { client, simulator } = world;
      const ledger = memoryLedger();
      const items = [user('before'), reasoning(world.thought, 'thought'), hosted(world.call), user('after')];
      const { id: conversationId } = await client.conversations.create({});
      if (how === 'imported') await importItems({ ledger, sessionId: conversationId, items });
      const session = new HybridSession({ client, ledger, conversationId });
      if (how === 'added') await session.addItems(items);
      const runner =
        who === 'the stock runner'
          ? simulatedRunner(client)
          : new HybridRunner({
              modelProvider: new OpenAIProvider({ openAIClient: client }),
              tracingDisabled: true,
            });
      const from = simulator.log.length;
      await converse(runner, session, ['go on', 'and on']);
      const contexts = simulator.log
        .slice(from)
        .flatMap(({ context }) => (context === undefined ? [] : [context]));
      expect(contexts).toHaveLength(2);
      for (const context of contexts) {
        expect(JSON.stringify(context)).not.toContain(SECRET);
        expect(JSON.stringify(context)).toContain('ours');
      }
      await expectApart(world, session);
    },
  );
});

describe('an imported item before its comparison', () => {
  it('an imported item is sent without its ID until the conversation has linked it', async () => {
    const world = await shared();
    const { client, simulator } = world;
    const ledger = memoryLedger();
    const items = [user('before'), reasoning(world.thought, SECRET), hosted(world.call, SECRET)];
    const { id: conversationId } = await client.conversations.create({});
    await importItems({ ledger, sessionId: conversationId, items });
    const session = new HybridSession({ client, ledger, conversationId });
    const lift = simulator.fault('conversations.items.create', { status: 500 });
    const from = simulator.log.length;
    await converse(simulatedRunner(client), session, ['one', 'two']);
    const asked = simulator.log.slice(from).filter(({ operation }) => operation === 'responses.create');
    expect(asked).toHaveLength(2);
    for (const { body } of asked) {
      expect(JSON.stringify(body)).not.toContain(world.call);
      expect(JSON.stringify(body)).not.toContain(world.thought);
    }
    lift();
    await session.flush();
    const served = JSON.stringify(await session.getItems());
    expect(served).toContain(world.call);
    expect(served).toContain(world.thought);
    await converse(simulatedRunner(client), session, ['three']);
    expect(
      JSON.stringify(simulator.log.findLast(({ operation }) => operation === 'responses.create')?.body),
    ).toContain(world.call);
  });
});

const CREATE = 'conversations.items.create';

describe("another user's item that the API linked", () => {
  it.each(['lost', 'unrecorded'] as const)(
    "another user's item is removed if the answer was %s and the process died",
    async (how) => {
      const world = await shared();
      const store = memoryLedger();
      const first = elsewhere(store);
      let isDead = false;
      // The process dies between the create and the record: nothing of it reaches the ledger any more.
      const dying: LedgerStore = {
        ...first,
        append: async (...args) => {
          if (isDead) throw new Error('dead');
          await first.append(...args);
        },
      };
      const client = tamperedClient(world.simulator, async ({ method, path }, answer) => {
        if (method !== 'POST' || !path.endsWith('/items'))
          return isDead ? new Response('', { status: 503 }) : undefined;
        const answered = await answer();
        isDead = true;
        return how === 'lost' ? new Response('', { status: 503 }) : answered;
      });
      const died = new HybridSession({ client, ledger: dying, advanced: { mirrorLease: 1 } });
      await died.addItems([
        user('before'),
        hosted(world.call),
        reasoning(world.thought, 'ours'),
        user('after'),
      ]);
      const conversationId = await died.getSessionId();
      expect(await listed(world.client, conversationId)).toContain(SECRET);

      const { onEvent, of } = recorder();
      const next = new HybridSession({
        client: world.client,
        ledger: elsewhere(store),
        conversationId,
        onEvent,
      });
      expect(JSON.stringify(await next.getItems())).not.toContain(SECRET);
      expect(of('adopted')).toEqual([]);
      await next.flush();
      await expectApart(world, next);
      expect(await next.verify()).toMatchObject({ length: 4, listed: 2 });
    },
  );

  it("another user's item is not served, and is removed at the next write after a failed removal", async () => {
    const world = await shared();
    const session = new HybridSession({ client: world.client, advanced: { compare: 'on-read' } });
    await session.getSessionId();
    world.simulator.fault('conversations.items.delete', { status: 500, times: 1 });
    await session.addItems([user('before'), hosted(world.call)]);
    expect(await listed(world.client, await session.getSessionId())).toContain(SECRET);
    expect(JSON.stringify(await session.getItems())).not.toContain(SECRET);
    await session.addItems([user('after')]);
    await expectApart(world, session);
  });

  it.each(['off', 'shadow'] as const)("another user's item is not served in mode %s", async (rollout) => {
    const world = await shared();
    const session = new HybridSession({ client: world.client, rollout });
    await session.getSessionId();
    world.simulator.fault('conversations.items.delete', { status: 500, times: 1 });
    await session.addItems([user('before'), hosted(world.call)]);
    expect(JSON.stringify(await session.getItems())).not.toContain(SECRET);
    await expectApart(world, session);
  });

  it("another user's item is removed if the answer was lost and the conversation lists it late", async () => {
    const world = await shared();
    const session = new HybridSession({ client: world.client });
    await session.getSessionId();
    world.simulator.fault(CREATE, { name: 'connection_reset', moment: 'after', times: 1 });
    world.simulator.fault('conversations.items.list', { name: 'lagging_items', count: 10, times: 4 });
    await session.addItems([hosted(world.call)]);
    expect(await listed(world.client, await session.getSessionId())).not.toContain('ours');
    for (let attempt = 0; attempt < 4; attempt += 1) await session.flush().catch(() => undefined);
    await session.flush();
    await expectApart(world, session);
  });

  it("another user's item is removed if its entry was popped before the answer", async () => {
    const world = await shared();
    const session = new HybridSession({ client: world.client });
    await session.addItems([user('before')]);
    world.simulator.fault(CREATE, { name: 'connection_reset', moment: 'after', times: 1 });
    await session.addItems([hosted(world.call)]);
    await session.popItem();
    await session.flush();
    await expectApart(world, session);
    expect(await session.getItems()).toHaveLength(1);
  });

  it('a heal compares linked items, and copies none of another user', async () => {
    const world = await shared();
    const session = new HybridSession({ client: world.client });
    await session.addItems([user('before'), hosted(world.call), user('after')]);
    const { conversationId } = await session.heal();
    expect(await listed(world.client, conversationId)).not.toContain(SECRET);
    await expectApart(world, session);
  });
});

describe('a reference to an item', () => {
  const references: Readonly<Record<string, object>> = {
    'as the API writes it': { type: 'item_reference', id: 'msg_1' },
    'as the SDK passes it on': { type: 'unknown', id: 'msg_1', providerData: { type: 'item_reference' } },
    'with its ID inside': { type: 'unknown', providerData: { type: 'item_reference', id: 'msg_1' } },
    'without a type': { type: 'unknown', id: 'msg_1' },
    'in a message': {
      type: 'message',
      id: 'msg_1',
      role: 'user',
      content: 'hi',
      providerData: { type: 'item_reference' },
    },
    'in a hosted call': {
      type: 'hosted_tool_call',
      name: 'mcp_call',
      id: 'msg_1',
      providerData: { type: 'item_reference' },
    },
  };

  it.each(Object.keys(references))(
    'a reference to an item is refused by addItems, importItems and JSON Lines, with its index: %s',
    async (how) => {
      const items = [user('before'), references[how] as AgentInputItem];
      const { client, simulator } = simulated();
      const ledger = memoryLedger();
      const session = new HybridSession({ client, ledger });
      const sessionId = await session.getSessionId();
      const refused = { code: 'invalid_item', index: 1, message: expect.stringContaining('only refers') };
      await expect(session.addItems(items)).rejects.toMatchObject(refused);
      await expect(importItems({ ledger, sessionId, items })).rejects.toMatchObject(refused);
      const lines = items.map((item) => JSON.stringify(item)).join('\n');
      const read = async (): Promise<void> => {
        for await (const item of fromJsonLines(lines)) expect(item).toEqual(user('before'));
      };
      await expect(read()).rejects.toMatchObject({ code: 'invalid_item', line: 2 });
      expect(await inspectLedger(ledger, sessionId)).toBeUndefined();
      expect(simulator.log.filter(({ operation }) => operation === 'conversations.items.create')).toEqual([]);
    },
  );
});
