import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { findBookmarkId, readBookmark } from '../../src/conversation/bookmark.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { NOT_SHOWN } from '../../src/session/read-items.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedIds, listedTexts, recorder, requestsOf } from '../flows/support/story.ts';
import { assistant, texts, user } from '../support/conversation.ts';
import { clientOn, page } from '../support/fake-client.ts';
import { simulated } from '../support/simulated.ts';
import { passTime, turns, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

describe('the hooks of the runner', () => {
  it('an item that the model must not see stands as a call that the runner drops', () => {
    expect(NOT_SHOWN).toEqual({
      type: 'function_call',
      callId: 'hybrid_session.not_shown',
      name: 'not_shown',
      arguments: '{}',
      status: 'incomplete',
    });
    expect(Object.isFrozen(NOT_SHOWN)).toBe(true);
  });

  it('the runner compares items without the fields that the API changes', () => {
    const session = new HybridSession({ client: simulated().client });
    const [stored, sent] = session.prepareHistoryItemsForPersistenceComparison([
      assistant('hi', 'msg_1'),
      { ...assistant('hi'), status: 'in_progress' } as AgentInputItem,
    ]);
    expect(stored).toEqual({ type: 'unknown', providerData: { digest: itemDigest(assistant('hi')) } });
    expect(sent).toEqual(stored);
    expect(session.preserveReasoningItemIdsForPersistence()).toBe(true);
  });
});

describe('the number of items that are read', () => {
  it('a limit of another type is ignored, and a limit of zero asks nothing', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, bookmark: false });
    await session.addItems([user('one'), user('two'), user('three')]);
    expect(texts(await session.getItems(2))).toEqual(['two', 'three']);
    expect(texts(await session.getItems('1' as never))).toEqual(['one', 'two', 'three']);
    for (const limit of [0, -1])
      expect(
        await requestsOf(simulator, async () => expect(await session.getItems(limit)).toEqual([])),
      ).toEqual([]);
  });
});

/** A session with changes that the conversation lacks. */
async function pending(mirror: 'await' | 'off' = 'await') {
  const world = simulated();
  const session =
    mirror === 'off'
      ? new HybridSession({ mirror, sessionId: 'user-42' })
      : new HybridSession({ client: world.client, bookmark: false });
  const id = await session.getSessionId();
  const lift = world.simulator.fault('conversations.items.create', 'overloaded');
  await session.addItems([user('one'), user('two')]);
  return { ...world, session, id, lift };
}

describe('a flush', () => {
  it('a flush that leaves changes names the conversation and their number', async () => {
    const { session, id, lift, simulator } = await pending();
    await expect(session.flush()).rejects.toMatchObject({
      code: 'mirror_incomplete',
      pending: 2,
      message: expect.stringContaining(id),
    });
    lift();
    expect(await session.flush()).toBe(0);
    expect(listedTexts(simulator, id)).toEqual(['one', 'two']);
  });

  it('a flush with a timeout tells the rest instead of failing', async () => {
    const { session } = await pending();
    expect(await session.flush({ timeout: 60_000 })).toBe(2);
  });

  it('a flush ends at its timeout, also where nothing was opened yet', async () => {
    const { client, simulator, session, id, lift } = await pending();
    lift();
    simulator.fault('conversations.items.create', { name: 'no_answer' });
    let left: number | undefined;
    void session.flush({ timeout: 9000 }).then((count) => (left = count));
    await turns(40);
    expect(left).toBeUndefined();
    passTime(9000);
    await turns(20);
    expect(left).toBe(2);
    const stuck: LedgerStore = { ...memoryLedger(), checkpoint: () => new Promise(() => undefined) };
    const unopened = new HybridSession({ client, conversationId: id, ledger: stuck });
    let none: number | undefined;
    void unopened.flush({ timeout: 500 }).then((count) => (none = count));
    passTime(500);
    await turns(20);
    expect(none).toBe(0);
  });

  it('a flush without a mirror or without a beginning has nothing to write', async () => {
    const { session } = await pending('off');
    expect(await session.flush()).toBe(0);
    expect(await session.flush({ timeout: 10 })).toBe(0);
    expect(await new HybridSession({ client: simulated().client }).flush()).toBe(0);
  });
});

describe('a pop of the list', () => {
  it('a pop of an item with an impossible ID is refused', async () => {
    const message = { type: 'message', id: '..', role: 'user', status: 'completed', content: [] };
    const client = clientOn((url, init) =>
      url.pathname.endsWith('/items') && init?.method === 'GET'
        ? page([message])
        : Response.json({ id: 'conv_1', metadata: {} }),
    );
    const session = new HybridSession({ client, conversationId: 'conv_1', rollout: 'off', bookmark: false });
    await expect(session.popItem()).rejects.toMatchObject({
      code: 'invalid_response',
      message: expect.stringContaining('an item has an ID that cannot be part of a URL'),
    });
  });

  it.each(['off', 'rebuild'] as const)(
    'a pop in mode %s sees the newest item of another process',
    async (rollout) => {
      const { client, simulator } = simulated();
      const ledger = memoryLedger();
      const first = new HybridSession({ client, ledger, bookmark: false, rollout });
      await first.addItems([user('one')]);
      const conversationId = await first.getSessionId();
      const other = new HybridSession({ client, ledger: elsewhere(ledger), conversationId, bookmark: false });
      await other.addItems([user('two')]);
      expect(texts([await first.popItem()])).toEqual(['two']);
      expect(listedTexts(simulator, conversationId)).toEqual(['one']);
      expect(texts(await other.getItems())).toEqual(['one']);
    },
  );

  it('a pop gives a copy of the item', async () => {
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42' });
    await session.addItems([user('one')]);
    const popped = await session.popItem();
    expect(popped).toMatchObject(user('one'));
    expect(await session.popItem()).toBeUndefined();
  });

  it('a pop gives the item that it has removed, also when another process was faster', async () => {
    const store = memoryLedger();
    let meanwhile: (() => Promise<unknown>) | undefined;
    const first = async (): Promise<void> => {
      const work = meanwhile;
      meanwhile = undefined;
      await work?.();
    };
    const ledger: LedgerStore = {
      ...elsewhere(store),
      append: (...args) => first().then(() => store.append(...args)),
      rewrite: (...args) => first().then(() => store.rewrite(...args)),
    };
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
    await session.addItems([user('one')]);
    const other = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger: elsewhere(store) });
    meanwhile = () => other.addItems([user('two')]);
    expect(texts([await session.popItem()])).toEqual(['two']);
    expect(texts(await session.getItems())).toEqual(['one']);
  });

  it('a pop begins a turn, whose mode is decided anew', async () => {
    let asked = 0;
    const rollout = (): 'chain' => {
      asked += 1;
      return 'chain';
    };
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', rollout });
    await session.addItems([user('one')]);
    await session.popItem();
    await session.popItem();
    expect(asked).toBe(3);
  });

  it('a pop of a missing conversation is told as such', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client, conversationId: 'conv_missing', rollout: 'off' });
    await expect(session.popItem()).rejects.toMatchObject({ code: 'conversation_not_found' });
  });
});

describe('the end of a turn', () => {
  it.each([undefined, {}, { responseId: '' }, { responseId: 7 }])(
    'a turn without the ID of its response records none: %j',
    async (args) => {
      const ledger = memoryLedger();
      const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
      expect(await session.runCompaction(args as never)).toBeNull();
      expect((await ledger.checkpoint('user-42'))?.version).toBeUndefined();
      await session.addItems([user('one')]);
      const before = await ledger.checkpoint('user-42');
      await session.runCompaction(args as never);
      expect(await ledger.checkpoint('user-42')).toEqual(before);
    },
  );

  it('a compaction without a response ends no turn', async () => {
    const { onEvent, of } = recorder();
    const { client } = simulated();
    const session = new HybridSession({ client, mirror: 'off', sessionId: 'user-42', onEvent });
    await session.getItems();
    await session.addItems([user('one'), assistant('1')]);
    await expect(session.runCompaction({ force: true })).rejects.toMatchObject({ reason: 'no_model' });
    expect(of('turn')).toEqual([]);
    await expect(session.runCompaction({ force: true, responseId: 'resp_never_made' })).rejects.toMatchObject(
      {
        status: 404,
      },
    );
    expect(of('turn')).toHaveLength(1);
  });

  it('the bookmark names the response that ended the turn', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client });
    await session.addItems([user('one')]);
    await session.runCompaction({ responseId: 'resp_1' });
    const id = await session.getSessionId();
    const place = (await findBookmarkId(client, id)) ?? '';
    expect((await readBookmark(client, place, id))?.bookmark?.response?.id).toBe('resp_1');
  });

  it('a response is recorded as stored, unless the run said otherwise', async () => {
    const ledger = memoryLedger();
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
    await session.addItems([user('one')]);
    await session.runCompaction({ responseId: 'resp_1' });
    await session.runCompaction({ responseId: 'resp_2', store: false });
    const { responses } = await new Ledger({ store: ledger, sessionId: 'user-42' }).read();
    expect(responses.map(({ id, store }) => [id, store])).toEqual([
      ['resp_1', true],
      ['resp_2', false],
    ]);
  });
});

/** A session with responses of these IDs in its ledger. */
async function recorded(...ids: string[]) {
  const world = simulated();
  const store = memoryLedger();
  const { id: conversationId } = await world.client.conversations.create({});
  const ledger = new Ledger({ store, sessionId: conversationId });
  await ledger.append(() => [
    { type: 'conversation', id: conversationId },
    { type: 'items', items: [ledgerItem(user('one'), true)] },
    ...ids.map((id) => ({ type: 'response', id, store: true }) as const),
  ]);
  const session = new HybridSession({
    client: world.client,
    ledger: store,
    conversationId,
    bookmark: false,
  });
  return { ...world, store, session, conversationId };
}

describe('an erase', () => {
  it('the parents of a recorded response are deleted with it', async () => {
    const made = await recorded();
    const first = await made.client.responses.create({ model: 'gpt-4.1', input: 'one' });
    const second = await made.client.responses.create({
      model: 'gpt-4.1',
      input: 'two',
      previous_response_id: first.id,
    });
    await made.session.addItems([user('two')]);
    await made.session.runCompaction({ responseId: second.id });
    const erased = await made.session.erase({ remote: true });
    expect(erased.responses.toSorted()).toEqual([first.id, second.id].toSorted());
    expect(erased.conversations).toEqual([made.conversationId]);
    expect(made.simulator.snapshot().responses).toEqual([]);
    expect('skipped' in erased).toBe(false);
  });

  it('impossible IDs are skipped, missing ones are passed over, and the ledger is deleted', async () => {
    const { session, store, conversationId } = await recorded('..', 'resp_gone');
    expect(await session.erase({ remote: true })).toEqual({
      sessionId: conversationId,
      items: 1,
      responses: [],
      conversations: [conversationId],
      skipped: ['..'],
    });
    expect(await store.checkpoint(conversationId)).toBeUndefined();
  });

  it('an ID of another server that the API refuses is skipped, and a refused one of its own is an error', async () => {
    const foreign = await recorded('chat-1');
    foreign.simulator.fault('responses.retrieve', { status: 400 });
    foreign.simulator.fault('responses.delete', { status: 400 });
    expect((await foreign.session.erase({ remote: true })).skipped).toEqual(['chat-1']);
    const own = await recorded('resp_1');
    own.simulator.fault('responses.delete', { status: 400 });
    await expect(own.session.erase({ remote: true })).rejects.toMatchObject({ status: 400 });
    expect(await own.store.checkpoint(own.conversationId)).toBeDefined();
  });

  it.each(['resp_1', 'chat-1'])(
    'an erase that cannot read the response %s fails, and keeps the ledger',
    async (id) => {
      const { session, simulator, store, conversationId } = await recorded(id);
      simulator.fault('responses.retrieve', { status: 500, times: 1 });
      await expect(session.erase({ remote: true })).rejects.toMatchObject({ status: 500 });
      expect(await store.checkpoint(conversationId)).toBeDefined();
    },
  );

  it('an erase without remote deletes only the ledger', async () => {
    const { session, simulator, store, conversationId } = await recorded('resp_1');
    const requests = await requestsOf(simulator, async () => {
      expect(await session.erase()).toEqual({
        sessionId: conversationId,
        items: 1,
        responses: [],
        conversations: [],
      });
    });
    expect(requests).not.toContain('conversations.delete');
    expect(await store.checkpoint(conversationId)).toBeUndefined();
    expect(listedIds(simulator, conversationId)).toEqual([]);
  });

  it('an erase without a bookmark looks for none', async () => {
    const { session, simulator } = await recorded();
    const requests = await requestsOf(simulator, () => session.erase({ remote: true }));
    expect(requests).toEqual(['conversations.delete']);
  });

  it('an earlier conversation with an impossible ID is skipped', async () => {
    const { client } = simulated();
    const store = memoryLedger();
    const { id } = await client.conversations.create({});
    const ledger = new Ledger({ store, sessionId: 'user-42' });
    await ledger.append(() => [{ type: 'conversation', id: '..' }]);
    await ledger.append(() => [{ type: 'conversation', id }]);
    const session = new HybridSession({ client, ledger: store, sessionId: 'user-42', bookmark: false });
    expect(await session.erase({ remote: true })).toEqual({
      sessionId: 'user-42',
      items: 0,
      responses: [],
      conversations: [id],
      skipped: ['..'],
    });
  });

  it('a session that has not begun has nothing to erase', async () => {
    expect(await new HybridSession({ client: simulated().client }).erase({ remote: true })).toEqual({
      sessionId: '',
      items: 0,
      responses: [],
      conversations: [],
    });
  });
});

describe('the mirror of a turn', () => {
  it('a turn with a mirror in the background does not wait for the conversation, and is told nothing', async () => {
    const { client, simulator } = simulated();
    const { onEvent, problems } = recorder();
    const session = new HybridSession({ client, mirror: 'background', onEvent, bookmark: false });
    const id = await session.getSessionId();
    const lift = simulator.fault('conversations.items.create', { name: 'no_answer' });
    await session.addItems([user('one')]);
    expect(listedTexts(simulator, id)).toEqual([]);
    expect(problems()).toEqual([]);
    lift();
  });
});
