import { findSession } from '../../src/doctor.ts';
import { Agent } from '@openai/agents';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type PlannedRequest, HybridRunner, HybridSession, type LedgerStore } from '../../src/index.ts';
import { LEDGER_FORMAT } from '../../src/ledger/record.ts';
import { assistant, roles, texts, user } from '../support/conversation.ts';
import { simulated, type Simulated } from '../support/simulated.ts';
import { engines } from './support/engines.ts';
import type { Engine } from './support/engine.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

/** A world in which every conversation loses its answers, and a place for ledgers. */
async function world(
  engine: Engine,
): Promise<Simulated & { open: () => Promise<LedgerStore>; close: () => Promise<void> }> {
  const place = await engine.create();
  let closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    const closing = closers;
    closers = [];
    for (const one of closing) await one();
  };
  onTestFinished(async () => {
    await close();
    await place.remove?.();
  });
  const open = async (): Promise<LedgerStore> => {
    const opened = await place.open();
    if (opened.close !== undefined) closers.push(opened.close);
    return opened.store;
  };
  return { ...simulated({ unlink: 'every-turn' }), open, close };
}

/** A store that notes the names of its calls. */
function calledStore(store: LedgerStore): { readonly ledger: LedgerStore; readonly calls: string[] } {
  const calls: string[] = [];
  const noted =
    <A extends unknown[], T>(name: string, call: (...args: A) => T) =>
    (...args: A): T => {
      calls.push(name);
      return call(...args);
    };
  const ledger: LedgerStore = {
    checkpoint: noted('checkpoint', (...args) => store.checkpoint(...args)),
    read: noted('read', (...args) => store.read(...args)),
    append: noted('append', (...args) => store.append(...args)),
    rewrite: noted('rewrite', (...args) => store.rewrite(...args)),
    delete: noted('delete', (...args) => store.delete(...args)),
  };
  return { ledger, calls };
}

/** Runs turns one after the other. */
async function converse(session: HybridSession, inputs: readonly string[]): Promise<void> {
  const runner = new HybridRunner({ tracingDisabled: true });
  for (const input of inputs) await runner.run(agent, input, { session });
}

const available = engines.filter(({ missing }) => missing === undefined);

describe.for(available)('A session whose ledger is in $name', (engine) => {
  it.each([
    { history: 'whole', by: 'name', cold: ['checkpoint', 'read'] },
    { history: 'reference', by: 'name', cold: ['checkpoint'] },
    // One of the conversation, which leads to the session, and one of the session.
    { history: 'whole', by: 'conversation', cold: ['checkpoint', 'checkpoint', 'read'] },
    { history: 'reference', by: 'conversation', cold: ['checkpoint', 'checkpoint'] },
  ] as const)(
    'a new process asks the model before the API is asked anything else, and a later turn takes one read and one append (history: $history, by $by)',
    async ({ history, by, cold }) => {
      const { client, simulator, open, close } = await world(engine);
      const session = new HybridSession({ client, ledger: await open(), sessionId: 'user-42' });
      await converse(session, ['one', 'two', 'three']);
      await session.addItems(
        Array.from({ length: 30 }, (_, turn) => [user(`q${turn}`), assistant('a')]).flat(),
      );
      await converse(session, ['four']);
      await session.flush();
      await close();

      const { ledger, calls } = calledStore(await open());
      const { conversationId } = session;
      const names = by === 'name' ? { sessionId: 'user-42' } : { conversationId };
      const next = new HybridSession({ client, ledger, ...names });
      const runner = new HybridRunner({
        tracingDisabled: true,
        ...(history === 'reference' ? { history } : {}),
      });
      const from = simulator.log.length;
      const stop = simulator.onRequest(({ operation }) => calls.push(operation ?? ''));
      await runner.run(agent, 'five', { session: next });
      await next.flush();
      expect(simulator.log[from]?.operation).toBe('responses.create');
      expect(calls.slice(0, calls.indexOf('responses.create'))).toEqual(cold);
      calls.length = 0;
      await runner.run(agent, 'six', { session: next });
      await next.flush();
      expect(calls.slice(0, calls.indexOf('conversations.items.create'))).toEqual([
        'read',
        'responses.create',
        'append',
      ]);
      stop();
    },
  );

  it('a session that was opened before another process went on reads what that process has added', async () => {
    const { client, open } = await world(engine);
    const first = new HybridSession({ client, ledger: await open(), sessionId: 'user-42' });
    await converse(first, ['one']);
    const second = new HybridSession({ client, ledger: await open(), sessionId: 'user-42' });
    expect(await second.getSessionId()).toBe('user-42');
    await second.flush();
    await converse(first, ['two']);
    expect(texts(await second.getItems())).toHaveLength(4);
    await converse(first, ['three']);
    await converse(second, ['four']);
    expect(roles(await first.getItems())).toBe('u,a,u,a,u,a,u,a');
  });

  it('turns are listed, taken back and forked, and values are kept', async () => {
    const { client, open, close } = await world(engine);
    const session = new HybridSession({ client, ledger: await open(), sessionId: 'user-42' });
    await converse(session, ['one', 'two', 'three']);
    await session.setMetadata({ title: 'Trip' });
    const [third, second] = await session.turns();
    const other = await session.fork({ sessionId: 'guest-1', at: second?.turnId });
    expect(await session.undo({ turns: 2 })).toEqual([second, third]);
    await converse(other, ['four']);
    await close();

    const ledger = await open();
    const again = new HybridSession({ client, ledger, sessionId: 'user-42' });
    expect(texts(await again.getItems())).toHaveLength(2);
    expect((await again.usage()).total.requests).toBe(3);
    expect(await again.branches()).toMatchObject([{ sessionId: 'guest-1', turnId: undefined }]);
    expect(await again.metadata()).toEqual({ title: 'Trip' });
    expect(await again.lastAgent()).toBe('Assistant');
    await again.erase();
    const fork = new HybridSession({ client, ledger, sessionId: 'guest-1' });
    expect(texts(await fork.getItems()).filter((_, index) => index % 2 === 0)).toEqual([
      'one',
      'two',
      'four',
    ]);
    expect(await fork.verify()).toMatchObject({ verified: true, length: 6, pending: 0 });
    expect(await fork.metadata()).toEqual({ title: 'Trip' });
  });

  it('a session is listed under its name, with its current conversation, and erased by that name', async () => {
    const { client, open } = await world(engine);
    const ledger = await open();
    const session = new HybridSession({ client, ledger, sessionId: 'user-42' });
    await converse(session, ['my name is Ada']);
    await session.clearSession();
    await converse(session, ['my name is Grace']);
    await converse(new HybridSession({ client, ledger, sessionId: 'guest-1' }), ['hello']);

    const names: string[] = [];
    for await (const { sessionId, conversation, length } of ledger.sessions?.({ prefix: 'user-' }) ?? []) {
      expect([conversation, length]).toEqual([session.conversationId, 2]);
      names.push(sessionId);
      await new HybridSession({ client, ledger, sessionId }).erase();
    }
    expect(names).toEqual(['user-42']);
    for await (const { sessionId } of ledger.sessions?.() ?? []) names.push(sessionId);
    expect(names).toEqual(['user-42', 'guest-1']);
  });

  it('a session on another store goes on where another process stopped, with the conversation ID and the store alone', async () => {
    const { client, open, close } = await world(engine);
    const first = new HybridSession({ client, ledger: await open() });
    await converse(first, ['my name is Ada', 'what can you do?', 'give me one example']);
    const conversationId = await first.getSessionId();
    const before = await first.getItems();
    await close();

    const planned: PlannedRequest[] = [];
    const second = new HybridSession({
      client,
      conversationId,
      ledger: await open(),
      onEvent: (event) => {
        if (event.type === 'turn') planned.push(...event.plans);
      },
    });
    expect(await second.getItems()).toEqual(before);
    await converse(second, ['what is my name?']);
    expect(planned).toMatchObject([{ plan: 'chain', sent: 1, context: 7 }]);
    expect(roles(await second.getItems())).toBe('u,a,u,a,u,a,u,a');
    expect(texts(await second.getItems()).at(-1)).toContain('my name is Ada');
    expect(await second.verify()).toMatchObject({ verified: true, length: 8, missing: [], unproven: 0 });
  });

  it('a session on another store keeps the turns of two processes that write at once', async () => {
    const { client, open } = await world(engine);
    const one = new HybridSession({ client, ledger: await open() });
    await converse(one, ['first']);
    const conversationId = await one.getSessionId();
    const other = new HybridSession({ client, conversationId, ledger: await open() });
    await Promise.all([
      converse(one, ['from one', 'and again']),
      converse(other, ['from the other', 'once more']),
    ]);
    const items = await one.getItems();
    expect(
      texts(items)
        .filter((text) => /^(first|from|and|once)/.test(text))
        .toSorted(),
    ).toEqual(['and again', 'first', 'from one', 'from the other', 'once more']);
    expect(items).toHaveLength(10);
    expect(await other.getItems()).toEqual(items);
    expect(await one.verify()).toMatchObject({ verified: true, length: 10 });
  });

  it('a session on another store keeps a checkpoint of a few hundred bytes, however long it is', async () => {
    const { client, open } = await world(engine);
    const ledger = await open();
    const session = new HybridSession({ client, ledger });
    const sizes: number[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      await converse(session, [`turn ${turn}: ${'words '.repeat(50)}`]);
      sizes.push(JSON.stringify(await ledger.checkpoint(await session.getSessionId())).length);
    }
    expect(Math.max(...sizes)).toBeLessThan(700);
    expect(await ledger.checkpoint(await session.getSessionId())).toMatchObject({
      format: LEDGER_FORMAT,
      length: 16,
    });
  });

  it('a session on another store holds no word of what was said when it keeps no content, and still serves all of it', async () => {
    const { client, open, close } = await world(engine);
    const ledger = await open();
    const session = new HybridSession({ client, ledger, keepContent: false });
    await converse(session, ['my favourite colour is vermilion', 'what is my favourite colour?']);
    const conversationId = await session.getSessionId();
    const kept = JSON.stringify([await ledger.read(conversationId), await ledger.checkpoint(conversationId)]);
    expect(kept).not.toMatch(/vermilion|favourite|colour/);
    await close();
    const again = new HybridSession({ client, conversationId, ledger: await open(), keepContent: false });
    expect(texts(await again.getItems()).filter((text) => text.includes('vermilion')).length).toBeGreaterThan(
      1,
    );
    expect(await again.verify()).toMatchObject({ verified: true, length: 4 });
  });

  it('a session on another store leaves its name and no item in the store when it is cleared, and nothing when it is erased', async () => {
    const { client, open } = await world(engine);
    const ledger = await open();
    const session = new HybridSession({ client, ledger, sessionId: 'user-42' });
    await converse(session, ['my name is Ada']);
    const first = session.conversationId ?? '';
    expect(await findSession(ledger, first)).toBe('user-42');
    await session.clearSession();
    expect(await ledger.checkpoint('user-42')).toMatchObject({ length: 0 });
    expect(JSON.stringify(await ledger.read('user-42'))).not.toContain('Ada');
    const again = new HybridSession({ client, ledger: await open(), conversationId: first });
    await converse(again, ['my name is Eva']);
    expect(await again.getSessionId()).toBe('user-42');
    expect(roles(await session.getItems())).toBe('u,a');
    const { conversations } = await again.erase({ remote: true });
    expect(conversations).toEqual([session.conversationId]);
    for (const id of ['user-42', first, ...conversations]) {
      expect(await ledger.read(id)).toEqual({ records: [] });
      expect(await ledger.checkpoint(id)).toBeUndefined();
    }
  });
});
