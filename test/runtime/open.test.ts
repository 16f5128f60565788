import { describe, expect, it } from 'vitest';
import { memoryLedger, type HybridSessionOptions, type LedgerStore } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { openContext, type SessionContext, type SessionNames } from '../../src/runtime/open.ts';
import { resolveOptions } from '../../src/runtime/options.ts';
import { Telemetry } from '../../src/telemetry/span.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { recorder, requestsOf } from '../flows/support/story.ts';
import { user } from '../support/conversation.ts';
import { restorableStore } from '../support/restorable-store.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** A server, a ledger, and how sessions are opened on them. */
function world(server: Parameters<typeof simulated>[0] = {}) {
  const { client, simulator } = simulated(server);
  const store: LedgerStore = memoryLedger();
  const told = recorder();
  const telemetry = new Telemetry([{ event: told.onEvent }]);
  const open = (
    names: Partial<SessionNames> = {},
    { isWritten = false, ...given }: HybridSessionOptions & { isWritten?: boolean } = {},
  ): Promise<SessionContext> => {
    const options = resolveOptions({ client, ledger: store, bookmark: false, ...given });
    return openContext(
      { options, telemetry },
      { sessionId: undefined, conversationId: undefined, ...names },
      isWritten,
    );
  };
  const append = (sessionId: string, ...steps: LedgerStep[]): Promise<unknown> =>
    new Ledger({ store: elsewhere(store), sessionId }).append(() => steps);
  const stateOf = (sessionId: string) => new Ledger({ store: elsewhere(store), sessionId }).read();
  const create = async (): Promise<string> => (await client.conversations.create({})).id;
  return { client, simulator, store, ...told, open, append, stateOf, create };
}

const ITEM: LedgerStep = { type: 'items', items: [ledgerItem(user('one'), true)] };

/** The facts by which the rest of the session acts. */
const factsOf = ({ sessionId, conversation, existed, isMirrored }: SessionContext): object => ({
  sessionId,
  conversationId: conversation?.conversationId,
  existed,
  isMirrored,
});

describe('a session without a conversation', () => {
  it('a session without a mirror has none and asks for none', async () => {
    const { open, simulator } = world();
    const requests = await requestsOf(simulator, async () => {
      const off = await open(
        { sessionId: 'user-42' },
        { mirror: 'off', sessionId: 'user-42', isWritten: true },
      );
      expect(factsOf(off)).toEqual({
        sessionId: 'user-42',
        conversationId: undefined,
        existed: false,
        isMirrored: false,
      });
    });
    expect(requests).toEqual([]);
  });

  it('a session that is only read gets none, but may get one', async () => {
    const { open, simulator } = world();
    const requests = await requestsOf(simulator, async () =>
      expect(factsOf(await open({ sessionId: 'user-42' }))).toEqual({
        sessionId: 'user-42',
        conversationId: undefined,
        existed: false,
        isMirrored: true,
      }),
    );
    expect(requests).toEqual([]);
  });

  it('a session that is written gets a new one, which leads to the session', async () => {
    const { open, stateOf, problems } = world();
    const context = await open({ sessionId: 'user-42' }, { isWritten: true });
    const id = context.conversation?.conversationId ?? '';
    expect(factsOf(context)).toEqual({
      sessionId: 'user-42',
      conversationId: expect.stringMatching(/^conv_/),
      existed: false,
      isMirrored: true,
    });
    expect((await stateOf(id)).alias).toBe('user-42');
    // The first append names it, together with its items.
    expect((await stateOf('user-42')).version).toBe(0);
    expect(problems()).toEqual([]);
  });

  it('a ledger that has items already names the new one at once', async () => {
    const { open, stateOf, append } = world();
    await append('user-42', ITEM);
    const { conversation } = await open({ sessionId: 'user-42' }, { isWritten: true });
    expect((await stateOf('user-42')).conversation).toBe(conversation?.conversationId);
    expect(conversation).toBeDefined();
  });

  it('a new one that cannot be created is told, and the session goes on without it', async () => {
    const { open, simulator, problems } = world();
    simulator.fault('conversations.create', { status: 500 });
    expect(factsOf(await open({ sessionId: 'user-42' }, { isWritten: true }))).toEqual({
      sessionId: 'user-42',
      conversationId: undefined,
      existed: false,
      isMirrored: true,
    });
    expect(problems()).toEqual([
      {
        type: 'warning',
        sessionId: 'user-42',
        code: 'mirror_failed',
        count: 1,
        reason: expect.stringContaining('500'),
      },
    ]);
  });

  it.each([
    [{ sessionId: 'user-42' }, /^user-42$/],
    [{}, /^local_/],
  ])('a server without conversations ends the mirror in the background alone: %j', async (names, name) => {
    const { open, simulator, problems, of } = world();
    simulator.fault('conversations.create', { status: 501 });
    const options = { isWritten: true } as const;
    await expect(open(names, options)).rejects.toMatchObject({ code: 'conversations_unavailable' });
    expect(problems()).toEqual([]);
    const local = await open(names, { ...options, mirror: 'background' });
    expect(factsOf(local)).toEqual({
      sessionId: expect.stringMatching(name),
      conversationId: undefined,
      existed: false,
      isMirrored: false,
    });
    expect(of('no_conversations')).toEqual([
      { type: 'warning', sessionId: local.sessionId, code: 'no_conversations' },
    ]);
  });

  it('a session without a name fails with the server, also in the background', async () => {
    const { open, simulator, problems } = world();
    simulator.fault('conversations.create', { status: 500 });
    for (const mirror of ['await', 'background'] as const)
      await expect(open({}, { mirror })).rejects.toMatchObject({ status: 500 });
    expect(problems()).toEqual([]);
  });
});

describe('the conversation of a session', () => {
  it('the first one of a session without a name is its name, and needs no comparison', async () => {
    const { open } = world();
    const context = await open();
    expect(factsOf(context)).toEqual({
      sessionId: context.conversation?.conversationId,
      conversationId: expect.stringMatching(/^conv_/),
      existed: false,
      isMirrored: true,
    });
    expect(context.conversation?.sync.listComparedAt).toBe(Date.now());
  });

  it('a given one belongs to the session from then on, and is compared', async () => {
    const { open, create, stateOf, simulator } = world();
    const given = await create();
    const requests = await requestsOf(simulator, async () => {
      const context = await open({ sessionId: 'user-42', conversationId: given });
      expect(factsOf(context)).toEqual({
        sessionId: 'user-42',
        conversationId: given,
        existed: true,
        isMirrored: true,
      });
      expect(context.conversation?.sync.listComparedAt).toBe(0);
    });
    expect(requests).toEqual([]);
    expect((await stateOf(given)).alias).toBe('user-42');
  });

  it('the one in the ledger is used, also where an earlier one is given', async () => {
    const { open, append } = world();
    await append('user-42', { type: 'conversation', id: 'conv_1' });
    await append('user-42', { type: 'conversation', id: 'conv_2' }, ITEM);
    for (const conversationId of [undefined, 'conv_1', 'conv_2'])
      expect(
        factsOf(await open({ sessionId: 'user-42', conversationId }, { conversationId, isWritten: true })),
      ).toEqual({ sessionId: 'user-42', conversationId: 'conv_2', existed: true, isMirrored: true });
  });

  it('another one is refused if the app has given it, and not if this process remembers it', async () => {
    const { open, append } = world();
    await append('user-42', { type: 'conversation', id: 'conv_2' }, ITEM);
    const names = { sessionId: 'user-42', conversationId: 'conv_3' };
    await expect(open(names, { conversationId: 'conv_3' })).rejects.toMatchObject({
      code: 'conversation_owned',
      conversationId: 'conv_3',
      sessionId: 'user-42',
      message: expect.stringContaining('the session has another one'),
    });
    expect(factsOf(await open(names))).toMatchObject({ conversationId: 'conv_2' });
  });

  it('one that another session owns leads to that session', async () => {
    const { open, append } = world();
    await append('user-43', { type: 'conversation', id: 'conv_2' }, ITEM);
    await append('conv_2', { type: 'alias', sessionId: 'user-43' });
    for (const names of [{ conversationId: 'conv_2' }, { sessionId: 'conv_2' }])
      expect(factsOf(await open(names))).toMatchObject({ sessionId: 'user-43', conversationId: 'conv_2' });
    expect(
      factsOf(await open({ sessionId: 'conv_2' }, { mirror: 'off', sessionId: 'conv_2' })),
    ).toMatchObject({ sessionId: 'user-43', conversationId: undefined });
  });

  it('one that the session has left is not taken again', async () => {
    const { open, append, stateOf } = world();
    await append('user-42', { type: 'conversation', id: 'conv_1' }, ITEM);
    await append('user-42', { type: 'clear' });
    const names = { sessionId: 'user-42', conversationId: 'conv_1' };
    expect((await stateOf('user-42')).conversation).toBeUndefined();
    expect(factsOf(await open(names))).toMatchObject({ conversationId: undefined, isMirrored: true });
    const context = await open(names, { isWritten: true });
    expect(context.conversation?.conversationId).toMatch(/^conv_/);
    expect(context.conversation?.conversationId).not.toBe('conv_1');
  });

  it('an earlier one is known in a long ledger, too, which is read from its end', async () => {
    const { open, append, store } = world();
    await append('user-42', { type: 'conversation', id: 'conv_1' });
    await append('user-42', { type: 'conversation', id: 'conv_2' });
    for (let seq = 0; seq < 300; seq += 1)
      await append('user-42', ITEM, {
        type: 'mirror',
        added: [{ seq, id: `msg_${seq}` }],
        removed: [],
      });
    let read = 0;
    const counting: LedgerStore = {
      ...elsewhere(store),
      async read(...args) {
        const page = await store.read(...args);
        read += page.records.length;
        return page;
      },
    };
    const names = { sessionId: 'user-42', conversationId: 'conv_2' };
    const options = { ledger: counting, conversationId: 'conv_2' };
    expect(factsOf(await open(names, options))).toMatchObject({ conversationId: 'conv_2' });
    const short = read;
    expect(
      factsOf(await open({ ...names, conversationId: 'conv_1' }, { ...options, conversationId: 'conv_1' })),
    ).toMatchObject({ conversationId: 'conv_2' });
    expect(short).toBeLessThan(300);
    expect(read - short).toBeGreaterThan(300);
  });

  it('objects of one session share their state, and so do those of one conversation', async () => {
    const { open, create } = world();
    const given = await create();
    const names = { sessionId: 'user-42', conversationId: given };
    const [first, second] = [await open(names), await open(names)];
    expect(first.conversation?.sync).toBe(second.conversation?.sync);
    expect(first.shared).toBe(second.shared);
    expect(first.shared).not.toBe(first.conversation?.sync);
    expect((await open({ sessionId: 'user-42' }, { mirror: 'off', sessionId: 'user-42' })).shared).toBe(
      first.shared,
    );
  });
});

describe('the bookmark of a conversation', () => {
  it('a conversation has one unless the session does without', async () => {
    const { open, create } = world();
    expect((await open({}, { bookmark: true })).conversation?.bookmark).toBeDefined();
    expect((await open({}, { bookmark: false })).conversation?.bookmark).toBeUndefined();
    const given = await create();
    expect((await open({ conversationId: given }, { bookmark: true })).conversation?.bookmark).toBeDefined();
  });

  it('one that was just created is not looked up', async () => {
    const { open, create, simulator, append } = world();
    const given = await create();
    await append(given, { type: 'conversation', id: given }, ITEM);
    const bookmarkId = await create();
    const lookUps = async (created: SessionNames['created']): Promise<number> => {
      const { conversation } = await open(
        { sessionId: given, conversationId: given, ...(created === undefined ? {} : { created }) },
        { bookmark: true, conversationId: given },
      );
      const requests = await requestsOf(simulator, async () => {
        await conversation?.bookmark?.writeWithTimeout(Date.now() + 60_000);
      });
      return requests.filter((operation) => operation === 'conversations.retrieve').length;
    };
    const known = await lookUps({ conversationId: given, bookmarkId });
    const unknown = await lookUps(undefined);
    const other = await lookUps({ conversationId: 'conv_other', bookmarkId });
    expect(unknown).toBeGreaterThan(known);
    expect(other).toBe(unknown);
  });

  it('one that cannot be written is told', async () => {
    const { open, simulator, of } = world();
    const { conversation, sessionId, ledger } = await open({}, { bookmark: true });
    await ledger.append(() => [ITEM]);
    simulator.fault('conversations.update', { status: 500 });
    await conversation?.bookmark?.writeWithTimeout(Date.now() + 60_000);
    expect(of('bookmark_failed')).toEqual([
      { type: 'warning', sessionId, code: 'bookmark_failed', reason: expect.stringContaining('500') },
    ]);
  });
});

describe('what a session tells of its ledger and its conversation', () => {
  it('the changes that a conversation refuses are counted, with the reason', async () => {
    const { open, simulator, of } = world();
    const { ledger, conversation, sessionId } = await open();
    await ledger.append(() => [ITEM, ITEM]);
    simulator.fault('conversations.items.create', { status: 401 });
    expect(await conversation?.mirror.pushWithTimeout()).toBe(2);
    expect(of('mirror_failed')).toMatchObject([
      { sessionId, count: 2, reason: expect.stringContaining('401') },
    ]);
  });

  it('items of another client are counted when they are taken into the ledger', async () => {
    const { open, create, client, of } = world();
    const given = await create();
    await client.conversations.items.create(given, { items: [{ role: 'user', content: 'foreign' }] });
    const { conversation } = await open({ sessionId: 'user-42', conversationId: given });
    await conversation?.check.read();
    expect(of('adopted')).toEqual([{ type: 'warning', sessionId: 'user-42', code: 'adopted', count: 1 }]);
  });

  it('an append that comes second is told with its position', async () => {
    const { open, append, of } = world();
    const { ledger } = await open({ sessionId: 'user-42' }, { mirror: 'off', sessionId: 'user-42' });
    await ledger.append(() => [ITEM]);
    await append('user-42', ITEM);
    await ledger.append(() => [ITEM]);
    expect(of('conflict')).toEqual([
      { type: 'warning', sessionId: 'user-42', code: 'conflict', position: expect.any(Number) },
    ]);
  });

  it.each([
    [0, 'nothing is left'],
    [1, 'records are missing'],
  ])('a store that has lost records, and kept %i appends, is told', async (kept, reason) => {
    const { open, of } = world();
    const { store, backup, restore, lose } = restorableStore();
    const names = { sessionId: 'user-42' };
    const { ledger, conversation } = await open(names, { ledger: store, isWritten: true });
    await ledger.append(() => [ITEM]);
    const old = await backup('user-42');
    await ledger.append(() => [ITEM]);
    await (kept === 0 ? lose('user-42') : restore(old));
    await ledger.read({ fresh: true });
    expect(of('store_rewound')).toEqual([
      { type: 'warning', sessionId: 'user-42', code: 'store_rewound', reason },
    ]);
    expect(conversation?.sync.rewinds).toBe(1);
  });
});
