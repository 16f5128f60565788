import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import {
  contentCache,
  HybridSession,
  memoryLedger,
  type HybridSessionOptions,
  type LedgerStore,
} from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { converse, historyOf, listedIds, recorder, requestsOf, TURNS } from '../flows/support/story.ts';
import { assistant, call, result, texts, user } from '../support/conversation.ts';
import { deferred } from '../support/deferred.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import type { SimulatorOptions } from '../../mocks/index.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { tamperedClient } from './support/tampered.ts';

useVirtualTime();

const KEEP = { keepContent: false } as const;

/** What somebody says that must not be found where it is not kept. */
const SECRET = 'my PIN is 4711';

const CHANGE = {
  mutations: [
    {
      type: 'replace_function_call' as const,
      callId: 'call_1',
      replacement: call('call_1', 'look_up', { city: 'Bergen' }),
    },
  ],
};

interface Told extends Simulated {
  readonly ledger: LedgerStore;
  readonly conversationId: string;
  readonly said: readonly (string | undefined)[];
}

/** Four turns of which the ledger keeps no content; a tool call among them. */
async function told(options: SimulatorOptions = {}): Promise<Told> {
  const world = simulated(options);
  const ledger = memoryLedger();
  const session = new HybridSession({ client: world.client, ledger, ...KEEP });
  await converse(simulatedRunner(world.client), session, [
    'hi',
    'call get_weather {"city":"Oslo"}',
    'thanks',
    'bye',
  ]);
  const conversationId = await session.getSessionId();
  return { ...world, ledger, conversationId, said: texts(await session.getItems()) };
}

/** A session in another process: it has nothing but the ledger and the API. */
function attached(world: Told, options: HybridSessionOptions = {}): HybridSession {
  const { client, conversationId } = world;
  return new HybridSession({
    client,
    ledger: elsewhere(world.ledger),
    conversationId,
    ...KEEP,
    ...options,
  });
}

describe('a ledger that keeps no content', () => {
  it('a ledger without content holds none, in records, checkpoint or anywhere', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, ...KEEP });
    await converse(simulatedRunner(client), session, [SECRET, `${SECRET} call get_weather {"city":"4711"}`]);
    await session.addItems([
      assistant(SECRET),
      call('call_1', 'look_up', { pin: 4711 }),
      result('call_1', 'look_up', SECRET),
      { type: 'reasoning', content: [{ type: 'input_text', text: SECRET }], id: 'rs_1' },
    ]);
    await session.popItem();
    const id = await session.getSessionId();
    const stored = JSON.stringify([await ledger.checkpoint(id), await ledger.read(id)]);
    expect(stored.length).toBeGreaterThan(1000);
    expect(stored).not.toMatch(/4711|PIN|Answer|get_weather|look_up|sunny/);

    const keeping = memoryLedger();
    const other = new HybridSession({ client, ledger: keeping });
    await other.addItems([user(SECRET)]);
    expect(JSON.stringify(await keeping.read(await other.getSessionId()))).toContain('4711');
  });

  it.each([
    ['list', { unlink: 'none' }],
    ['response', { unlink: 'every-turn', unlinkModels: [/./] }],
  ] as const)('content is read back from the %s', async (source, options) => {
    const world = await told(options);
    const session = attached(world);
    expect(texts(await session.getItems())).toEqual(world.said);
    expect(await historyOf(session)).toBe('u,a,u,c,r,a,u,a,u,a');
    const report = await attached(world).verify();
    expect(report).toMatchObject({ verified: true, missing: [], length: 10 });
    expect(Object.keys(report.sources)).toContain(source);
  });

  it.each(['own', 'inherited'] as const)(
    'content is read back from the chain after the list was deleted (input_items: %s)',
    async (inputItems) => {
      const world = await told({ inputItems });
      await world.client.conversations.delete(world.conversationId);
      const session = attached(world);
      expect(texts(await session.getItems())).toEqual(world.said);
      expect(await historyOf(session)).toBe('u,a,u,c,r,a,u,a,u,a');
      const { sources, verified } = await attached(world).verify();
      expect(verified).toBe(true);
      expect(sources.chain).toBeGreaterThan(0);
    },
  );

  it.each(['own', 'inherited'] as const)(
    'a ledger without content survives responses that are deleted as long as a later one is there (%s)',
    async (inputItems) => {
      const world = await told({ inputItems });
      await world.client.conversations.delete(world.conversationId);
      const { responses } = world.simulator.snapshot();
      for (const { id } of responses.slice(0, -1)) await world.client.responses.delete(id);
      expect(texts(await attached(world).getItems())).toEqual(world.said);
    },
  );

  it('names what no source has any more', async () => {
    const world = await told();
    const ids = listedIds(world.simulator, world.conversationId);
    await world.client.conversations.delete(world.conversationId);
    const { responses } = world.simulator.snapshot();
    await world.client.responses.delete(responses.at(-1)?.id ?? '');
    const { onEvent, of } = recorder();
    const session = attached(world, { onEvent });
    const missing = [
      { index: 8, kind: 'message:user', id: ids[8] },
      { index: 9, kind: 'message:assistant', id: ids[9] },
    ];
    await expect(session.getItems()).rejects.toMatchObject({
      name: 'HistoryIncompleteError',
      code: 'history_incomplete',
      sessionId: world.conversationId,
      missing,
      message: expect.stringContaining(`#8 message:user '${ids[8]}', #9 message:assistant '${ids[9]}'`),
    });
    expect(of('incomplete')).toEqual([expect.objectContaining({ missing })]);
    expect(await session.verify()).toMatchObject({ verified: false, missing });
    expect(texts(await session.getItems(0))).toEqual([]);
  });

  it('a ledger without content fails the run before the model is asked, not after', async () => {
    const world = await told();
    await world.client.conversations.delete(world.conversationId);
    for (const { id } of world.simulator.snapshot().responses) await world.client.responses.delete(id);
    const session = attached(world);
    const requests = await requestsOf(world.simulator, async () => {
      await expect(converse(simulatedRunner(world.client), session, ['hi'])).rejects.toMatchObject({
        code: 'history_incomplete',
        missing: { length: 10 },
      });
    });
    expect(requests).not.toContain('responses.create');
  });

  it("a ledger without content serves the rest with onIncomplete: 'warn'", async () => {
    const world = await told();
    await world.client.conversations.delete(world.conversationId);
    const { responses } = world.simulator.snapshot();
    await world.client.responses.delete(responses.at(-1)?.id ?? '');
    const { onEvent, of } = recorder();
    const session = attached(world, { onIncomplete: 'warn', onEvent });
    expect(texts(await session.getItems())).toEqual(world.said.slice(0, 8));
    expect(of('incomplete').length).toBe(1);
    const [answer] = await converse(simulatedRunner(world.client), session, ['and now?']);
    expect(answer).toContain('I see 9 items');
  });

  it.each([403, 500])(
    "a ledger without content serves the rest with onIncomplete: 'warn' when a response is answered with %i",
    async (status) => {
      const world = await told({ unlink: 'every-turn', unlinkModels: [/./] });
      world.simulator.fault('responses.retrieve', { status });
      const { onEvent, of } = recorder();
      const session = attached(world, { onIncomplete: 'warn', onEvent });
      const served = texts(await session.getItems());
      expect(served.length).toBeLessThan(world.said.length);
      expect(world.said).toEqual(expect.arrayContaining(served));
      expect(served).toContain('bye');
      expect(of('incomplete')).toHaveLength(1);
      await expect(attached(world).getItems()).rejects.toMatchObject({ status });
    },
  );

  it('a ledger without content reads the other responses when one of them is refused', async () => {
    const world = await told({ unlink: 'every-turn', unlinkModels: [/./] });
    const [{ id: refused } = { id: '' }] = world.simulator.snapshot().responses;
    const client = tamperedClient(world.simulator, ({ path }) =>
      path.includes(refused) || path.endsWith('/input_items')
        ? Response.json({ error: { message: 'not yours' } }, { status: 403 })
        : undefined,
    );
    const { onEvent, of } = recorder();
    const session = attached({ ...world, client }, { onIncomplete: 'warn', onEvent });
    expect(texts(await session.getItems())).toEqual(world.said.filter((_, index) => index !== 1));
    expect(of('incomplete')).toMatchObject([{ missing: [{ index: 1, kind: 'message:assistant' }] }]);
  });

  it('a ledger without content serves the newest items when only older ones are missing', async () => {
    const world = await told({ unlink: 'every-turn', unlinkModels: [/./] });
    for (const { id } of world.simulator.snapshot().responses) await world.client.responses.delete(id);
    const session = attached(world);
    expect(texts(await session.getItems(2))).toEqual(world.said.slice(-2));
    await expect(session.getItems()).rejects.toMatchObject({ code: 'history_incomplete' });
  });

  it('a ledger without content waits for no source that is not needed', async () => {
    const world = await told();
    expect(await requestsOf(world.simulator, () => attached(world).getItems())).toEqual([
      'conversations.items.list',
    ]);
    const damaged = await told({ unlink: 'every-turn', unlinkModels: [/./] });
    const requests = await requestsOf(damaged.simulator, () => attached(damaged).getItems());
    expect(requests).toEqual([
      'conversations.items.list',
      ...Array.from({ length: 3 }, () => 'responses.retrieve'),
    ]);
  });

  it('a ledger without content asks again for nothing that it has read', async () => {
    const world = await told({ unlink: 'every-turn', unlinkModels: [/./] });
    const session = attached(world);
    await session.getItems();
    expect(await requestsOf(world.simulator, () => session.getItems())).toEqual([]);
  });

  it('a ledger without content shares what it has read with every session that shares its cache', async () => {
    const world = await told({ unlink: 'every-turn', unlinkModels: [/./] });
    const cache = contentCache();
    await attached(world, { advanced: { cache } }).getItems();
    const session = attached(world, { advanced: { cache, compare: 'manual' } });
    expect(await requestsOf(world.simulator, () => session.getItems())).toEqual([]);
  });

  it('a ledger without content loses nothing when the cache is too small for a single item', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({
      client,
      ...KEEP,
      mirror: 'background',
      advanced: { cache: { maxBytes: 1 } },
    });
    await session.getSessionId();
    simulator.fault('conversations.items.create', { status: 500, times: 1 });
    await Promise.all(TURNS.map((turn) => session.addItems([user(turn)])));
    expect(texts(await session.getItems())).toEqual([...TURNS]);
    await session.flush();
    expect(texts(await session.getItems())).toEqual([...TURNS]);
  });

  it.each([
    ['changes', (session: HybridSession) => session.applyHistoryMutations(CHANGE), 'Bergen'],
    ['pops', (session: HybridSession) => session.popItem(), undefined],
  ] as const)(
    'a ledger without content waits for what another session is just writing before it %s it',
    async (_, act, key) => {
      const { simulator } = simulated();
      const ledger = memoryLedger();
      const writing = deferred<void>();
      const slow = tamperedClient(simulator, async ({ method, path }) => {
        if (method === 'POST' && path.endsWith('/items')) await writing.promise;
        return undefined;
      });
      const other = new HybridSession({ client: slow, ledger, ...KEEP, mirror: 'background' });
      const conversationId = await other.getSessionId();
      await other.addItems([user('Where?'), call('call_1', 'look_up', { city: 'Oslo' })]);
      const reading = tamperedClient(simulator, async ({ method, path }, answer) => {
        if (method !== 'GET' || !path.endsWith('/items')) return undefined;
        // What it finds this time was not there yet.
        await answer();
        writing.resolve();
        return undefined;
      });
      const session = new HybridSession({
        client: reading,
        ledger: elsewhere(ledger),
        conversationId,
        ...KEEP,
        advanced: { compare: 'manual' },
      });
      await act(session);
      await other.flush();
      await session.flush();
      const [, changed] = await session.getItems();
      expect(changed === undefined ? undefined : JSON.stringify(changed).match(/Bergen|Oslo/)?.[0]).toBe(key);
      expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
    },
  );

  it('names what it lacks by its place in the history', async () => {
    const world = await told();
    await world.client.conversations.delete(world.conversationId);
    for (const { id } of world.simulator.snapshot().responses) await world.client.responses.delete(id);
    await expect(attached(world).popItem()).rejects.toMatchObject({ missing: [{ index: 9 }] });
    await expect(attached(world).applyHistoryMutations(CHANGE)).rejects.toMatchObject({
      missing: [{ index: 3, kind: 'function_call' }],
    });
  });

  it('a ledger without content refuses what has no form in the API, for nothing else would hold it', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client, ...KEEP });
    const spoken: AgentInputItem = {
      type: 'message',
      role: 'user',
      content: [{ type: 'audio', audio: 'aGk=', format: 'mp3' }],
    };
    await expect(session.addItems([user('one'), spoken])).rejects.toMatchObject({
      code: 'invalid_item',
      index: 1,
    });
    expect(await session.getItems()).toEqual([]);
    const keeping = new HybridSession({ client });
    await keeping.addItems([user('one'), spoken]);
    expect((await keeping.getItems())[1]).toMatchObject(spoken);
  });

  it('a ledger without content says that an item which the API refuses will be missing, and holds it as long as the process lives', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, ledger, ...KEEP, onEvent });
    simulator.fault('conversations.items.create', { status: 400, times: 1 });
    await session.addItems([user('poison')]);
    await session.addItems([user('two')]);
    expect(of('mirror_skipped').length).toBe(1);
    expect(texts(await session.getItems())).toEqual(['poison', 'two']);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0 });
    const conversationId = await session.getSessionId();
    const next = new HybridSession({ client, ledger: elsewhere(ledger), conversationId, ...KEEP });
    await expect(next.getItems()).rejects.toMatchObject({
      code: 'history_incomplete',
      missing: [{ index: 0, kind: 'message:user' }],
    });
  });
});
