import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedTexts, recorder, requestsOf } from '../flows/support/story.ts';
import { assistant, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { passTime, turns, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const WRITE = 'conversations.items.create';
const HANGS = { name: 'no_answer' } as const;

function opened(options: HybridSessionOptions = {}) {
  const world = simulated();
  const told = recorder();
  const ledger = memoryLedger();
  const session = new HybridSession({
    client: world.client,
    ledger,
    bookmark: false,
    onEvent: told.onEvent,
    ...options,
  });
  return { ...world, ...told, ledger, session };
}

/** Whether a promise is settled, and with what, after the work that is ready now. */
function watched<T>(promise: Promise<T>): { readonly now: () => Promise<T | 'open'> } {
  let settled: T | 'open' = 'open';
  void promise.then((value) => (settled = value));
  return {
    now: async () => {
      await turns(60);
      return settled;
    },
  };
}

const done = (work: Promise<unknown>): Promise<string> => work.then(() => 'done');

describe('the wait of an append', () => {
  it("an append with mirror: 'await' waits ten seconds for the conversation", async () => {
    // A request ends before its lease does: so that lease is longer than the wait.
    const { session, simulator } = opened({ advanced: { mirrorLease: 60_000 } });
    await session.getSessionId();
    simulator.fault(WRITE, HANGS);
    const appended = watched(done(session.addItems([user('one')])));
    expect(await appended.now()).toBe('open');
    passTime(9000);
    expect(await appended.now()).toBe('open');
    passTime(1000);
    expect(await appended.now()).toBe('done');
  });

  it("an append with mirror: 'background' waits for nothing", async () => {
    const { session, simulator } = opened({ mirror: 'background' });
    await session.getSessionId();
    simulator.fault(WRITE, HANGS);
    expect(await watched(done(session.addItems([user('one')]))).now()).toBe('done');
  });

  it('an append waits for its bookmark, ten seconds together with the items', async () => {
    const { session, simulator } = opened({ bookmark: true });
    await session.addItems([user('one')]);
    simulator.fault('conversations.update', HANGS);
    const appended = watched(done(session.addItems([user('two')])));
    expect(await appended.now()).toBe('open');
    passTime(9000);
    expect(await appended.now()).toBe('open');
    passTime(1000);
    expect(await appended.now()).toBe('done');
  });

  it('an append whose items are not written waits for no bookmark', async () => {
    const { session, simulator } = opened({ bookmark: true });
    await session.addItems([user('one')]);
    simulator.fault(WRITE, { status: 403 });
    simulator.fault('conversations.update', HANGS);
    expect(await watched(done(session.addItems([user('two')]))).now()).toBe('done');
  });

  it('a turn without items waits for its bookmark alone, and in the background for nothing', async () => {
    for (const mirror of ['await', 'background'] as const) {
      const { session, simulator } = opened({ bookmark: true, mirror });
      await session.addItems([user('one')]);
      await session.flush();
      passTime(60_000);
      simulator.fault('conversations.update', HANGS);
      const ended = watched(done(session.runCompaction({ responseId: 'resp_1' })));
      expect(await ended.now()).toBe(mirror === 'await' ? 'open' : 'done');
      passTime(10_000);
      expect(await ended.now()).toBe('done');
    }
  });
});

describe('a flush of what is left', () => {
  it('a flush creates the conversation that a pending item waits for, and no other', async () => {
    const { session, simulator, client } = opened({ sessionId: 'user-42' });
    const lift = simulator.fault('conversations.create', { status: 500 });
    await session.addItems([user('one')]);
    await expect(session.flush()).rejects.toMatchObject({
      code: 'mirror_incomplete',
      pending: 1,
      conversationId: 'user-42',
    });
    lift();
    expect(await session.flush()).toBe(0);
    expect(listedTexts(simulator, session.conversationId ?? '')).toEqual(['one']);
    const empty = new HybridSession({ client, sessionId: 'user-43', bookmark: false });
    expect(await requestsOf(simulator, () => empty.flush())).toEqual([]);
  });

  it('a flush with a timeout waits for a conversation that is created late', async () => {
    const { session, simulator } = opened({ sessionId: 'user-42' });
    const lift = simulator.fault('conversations.create', { status: 500 });
    await session.addItems([user('one')]);
    expect(await session.flush({ timeout: 1000 })).toBe(1);
    lift();
    expect(await session.flush({ timeout: 1000 })).toBe(0);
  });

  it('a flush deletes what a clear could not delete, and counts what it cannot', async () => {
    const { session, simulator } = opened({ sessionId: 'user-42' });
    await session.addItems([user('one')]);
    const lift = simulator.fault('conversations.delete', { status: 500 });
    await session.clearSession();
    await expect(session.flush()).rejects.toMatchObject({ code: 'mirror_incomplete', pending: 1 });
    await session.addItems([user('two')]);
    await expect(session.flush()).rejects.toMatchObject({ code: 'mirror_incomplete', pending: 1 });
    lift();
    expect(await session.flush()).toBe(0);
    expect(simulator.snapshot().conversations).toHaveLength(1);
  });

  it('a flush without a conversation deletes a cleared one', async () => {
    const { session, simulator } = opened({ sessionId: 'user-42' });
    await session.addItems([user('one')]);
    const lift = simulator.fault('conversations.delete', { status: 500 });
    await session.clearSession();
    lift();
    expect(await requestsOf(simulator, () => session.flush())).toEqual(['conversations.delete']);
    expect(await requestsOf(simulator, () => session.flush())).toEqual([]);
  });

  it('a flush ends after the compaction that is under way', async () => {
    const { session, of } = opened({ sessionId: 'user-42', history: { compaction: () => false } });
    await session.addItems([user('one'), assistant('1')]);
    await session.runCompaction({ responseId: 'resp_unknown' });
    expect(of('compaction_failed')).toEqual([]);
    await session.flush();
    expect(of('compaction_failed')).toHaveLength(1);
  });

  it('a flush that has ended at its timeout holds up no other call', async () => {
    const { session, simulator } = opened();
    await session.getSessionId();
    const lift = simulator.fault(WRITE, { status: 403 });
    await session.addItems([user('one')]);
    lift();
    simulator.fault(WRITE, HANGS);
    const flushed = watched(session.flush({ timeout: 500 }));
    expect(await flushed.now()).toBe('open');
    const named = watched(done(session.getSessionId()));
    expect(await named.now()).toBe('open');
    passTime(500);
    expect([await flushed.now(), await named.now()]).toEqual([1, 'done']);
  });

  it('a flush of a ledger that cannot be read fails with its error', async () => {
    const { session, ledger, simulator } = opened();
    const id = await session.getSessionId();
    simulator.fault(WRITE, { status: 500, times: 1 });
    await session.addItems([user('one')]);
    const records = await ledger.read(id);
    ledger.read = async () => ({
      ...records,
      records: records.records.map((record) => ({ ...record, v: 99 }) as never),
    });
    ledger.checkpoint = async () => undefined;
    const fresh = new HybridSession({
      client: simulated().client,
      ledger,
      conversationId: id,
      bookmark: false,
    });
    await expect(fresh.flush()).rejects.toMatchObject({ code: 'ledger_unreadable' });
  });
});

const COMPACTION = { type: 'compaction', id: 'cmp_1', encrypted_content: 'short' } as const;

describe('a compaction that is appended', () => {
  it.each([
    ['nothing', [], 1],
    ['a question', [user('one')], 0],
    ['an answer', [user('one'), assistant('1')], 1],
  ] as const)('a compaction behind %s tells whether its input was not saved', async (_name, items, told) => {
    const { session, of } = opened({ mirror: 'off', sessionId: 'user-42' });
    if (items.length > 0) await session.addItems([...items]);
    await session.addItems([COMPACTION, assistant('fine')]);
    expect(of('input_unsaved')).toEqual(
      Array.from({ length: told }, () => ({
        type: 'warning',
        sessionId: 'user-42',
        code: 'input_unsaved',
      })),
    );
  });

  it('a compaction behind its own input in one append is saved whole', async () => {
    const { session, of } = opened({ mirror: 'off', sessionId: 'user-42' });
    await session.addItems([user('one'), COMPACTION, assistant('fine')]);
    expect(of('input_unsaved')).toEqual([]);
  });

  it('the input is looked for in the whole history, also by a session that reads its end alone', async () => {
    const { session, ledger, client } = opened({ sessionId: 'user-42' });
    await session.addItems(Array.from({ length: 30 }, (_, index) => user(`word ${index}`)));
    const told = recorder();
    const other = new HybridSession({
      client,
      ledger: elsewhere(ledger),
      sessionId: 'user-42',
      bookmark: false,
      onEvent: told.onEvent,
    });
    await other.addItems([COMPACTION, assistant('fine')]);
    expect(told.of('input_unsaved')).toEqual([]);
  });
});

describe('a transaction', () => {
  it('the answer of a transaction ends its turn', async () => {
    const { session, of } = opened({ mirror: 'off', sessionId: 'user-42' });
    await session.getItems();
    await session.addItems([user('one')]);
    await session.applyHistoryTransaction({
      operationId: 'op_1',
      transaction: { type: 'append_items', items: [assistant('1')] },
    });
    await session.runCompaction({ responseId: 'resp_1' });
    expect(of('turn')).toHaveLength(1);
  });

  it('a transaction applies to the newest history', async () => {
    const { session, ledger } = opened({ mirror: 'off', sessionId: 'user-42' });
    await session.addItems([user('one')]);
    const other = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger: elsewhere(ledger) });
    await other.addItems([user('two')]);
    await session.applyHistoryTransaction({
      operationId: 'op_1',
      transaction: { type: 'replace_suffix', expectedSuffix: [user('two')], replacement: [user('three')] },
    });
    const { entries } = await new Ledger({ store: elsewhere(ledger), sessionId: 'user-42' }).read();
    expect(entries.map(({ item }) => item)).toMatchObject([user('one'), user('three')]);
  });
});
