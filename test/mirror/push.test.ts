import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { contentCache, scopedCache } from '../../src/conversation/content-cache.ts';
import { circuitBreakerOf } from '../../src/conversation/circuit-breaker.ts';
import { HistoryReader } from '../../src/history/reader.ts';
import { memoryLedger, type LedgerStore } from '../../src/index.ts';
import { ItemConverter } from '../../src/items/item-converter.ts';
import { ConversationReplaced } from '../../src/ledger/attached-conversation.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { ProcessLease } from '../../src/mirror/lease.ts';
import { Mirror } from '../../src/mirror/mirror.ts';
import { SharedSyncState } from '../../src/mirror/shared-sync-state.ts';
import { clock } from '../../src/util/clock.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedTexts, requestsOf } from '../flows/support/story.ts';
import { user } from '../support/conversation.ts';
import { simulated, simulatedClient } from '../support/simulated.ts';
import { passTime, turns, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const WRITE = 'conversations.items.create';

async function world({ maxRetries = 0, store = memoryLedger() } = {}) {
  const { client: first, simulator } = simulated();
  const client = maxRetries === 0 ? first : simulatedClient(simulator, maxRetries);
  const { id: conversationId } = await client.conversations.create({});
  const sync = new SharedSyncState();
  const failures: string[] = [];
  const skipped: string[] = [];
  const compared: number[] = [];
  const hook: { error?: Error | undefined; before?: (() => void) | undefined } = {};
  const onCompare = (error: Error | undefined, before?: () => void): void =>
    void Object.assign(hook, { error, before });
  /** A mirror of this process, or of another one on the same store. */
  const open = (
    on: LedgerStore,
    writer: string,
    shared: SharedSyncState,
  ): { mirror: Mirror; ledger: Ledger } => {
    const ledger = new Ledger({ store: on, sessionId: conversationId });
    const converter = new ItemConverter();
    const mirror = new Mirror({
      client,
      conversationId,
      ledger,
      reader: new HistoryReader({
        client,
        conversationId,
        converter,
        cache: scopedCache(contentCache(), client),
      }),
      converter,
      sync: shared,
      lease: new ProcessLease({ ledger, writer, milliseconds: 10_000 }),
      isBookmarked: false,
      check: {
        read: async () => {
          compared.push(clock.now());
          hook.before?.();
          if (hook.error !== undefined) throw hook.error;
          return { list: [], findings: [], adopted: 0 };
        },
      },
      warn: ({ code, count, itemKind, reason }) => {
        if (code === 'mirror_failed') failures.push(`${count} ${reason}`);
        if (code === 'mirror_skipped') skipped.push(`${itemKind} ${reason}`);
      },
    });
    return { mirror, ledger };
  };
  const { mirror, ledger } = open(store, 'ours', sync);
  const say = (...texts: string[]) => ledger.append(() => [saying(true, ...texts)]);
  const listed = (): string[] => listedTexts(simulator, conversationId);
  return {
    client,
    simulator,
    conversationId,
    store,
    sync,
    mirror,
    ledger,
    failures,
    skipped,
    compared,
    onCompare,
    open,
    say,
    listed,
  };
}

const saying = (keepContent: boolean, ...texts: string[]): LedgerStep => ({
  type: 'items',
  items: texts.map((text) => ledgerItem(user(text), keepContent)),
});

type World = Awaited<ReturnType<typeof world>>;

/** Another process on the ledger of a world. */
const other = (of: World): { mirror: Mirror; ledger: Ledger } =>
  of.open(elsewhere(of.store), 'theirs', new SharedSyncState());

const writesOf = (of: World, task: () => Promise<unknown>): Promise<(string | undefined)[]> =>
  requestsOf(of.simulator, task);

describe('a push', () => {
  it('a push writes what is pending, releases the lease, and sends nothing more', async () => {
    const of = await world();
    await of.say('one', 'two');
    expect(await of.mirror.push()).toBe(0);
    expect(of.listed()).toEqual(['one', 'two']);
    expect((await of.ledger.read()).lease).toBeUndefined();
    expect(await writesOf(of, () => of.mirror.push())).toEqual([]);
    expect(of).toMatchObject({ failures: [], compared: [] });
    expect(of.mirror.failure).toBeUndefined();
  });

  it('a push writes what another process has appended since, after a comparison', async () => {
    const of = await world();
    await of.say('one');
    await of.mirror.push();
    await other(of).ledger.append(() => [saying(true, 'two')]);
    expect(await other(of).mirror.push()).toBe(0);
    await other(of).ledger.append(() => [saying(true, 'three')]);
    of.sync.lastWriter = undefined;
    expect(await of.mirror.push()).toBe(0);
    expect(of.listed()).toEqual(['one', 'two', 'three']);
    expect(of.compared.length).toBeGreaterThan(0);
  });

  it('a removed item leaves the conversation after later items were written', async () => {
    const of = await world();
    await of.say('one', 'two');
    await of.mirror.push();
    await of.ledger.append(() => [{ type: 'pop' }, saying(true, 'three')]);
    const requests = await writesOf(of, () => of.mirror.push());
    expect(requests).toEqual([WRITE, 'conversations.items.delete']);
    expect(of.listed()).toEqual(['one', 'three']);
  });

  it('an item that the API has no form for is skipped, and told', async () => {
    const of = await world();
    const foreign: AgentInputItem = {
      type: 'reasoning',
      content: [{ type: 'input_text', text: 'x' }],
      providerData: { model: 'other:model' },
    };
    const items = [foreign, user('one')].map((item) => ledgerItem(item, true));
    await of.ledger.append(() => [{ type: 'items', items }]);
    expect(await of.mirror.push()).toBe(0);
    expect(of.skipped).toEqual(['reasoning the SDK leaves it out of a conversation']);
    expect(of.listed()).toEqual(['one']);
    expect(of.failures).toEqual([]);
  });

  it('a push reads only the end of the ledger', async () => {
    const store = memoryLedger();
    const asked: number[] = [];
    const watched: LedgerStore = {
      ...elsewhere(store),
      read: (id, from, ...rest) => {
        asked.push(from ?? 0);
        return store.read(id, from, ...rest);
      },
    };
    const of = await world({ store: watched });
    await of.say(...Array.from({ length: 45 }, (_, at) => `line ${at}`));
    await of.mirror.push();
    await of.say('last');
    await of.mirror.push();
    await of.ledger.release();
    asked.length = 0;
    await of.ledger.append(() => [saying(true, 'one', 'two')], { scope: 'tail' });
    expect(await of.mirror.push()).toBe(0);
    expect(of.listed().slice(-2)).toEqual(['one', 'two']);
    expect(asked.every((from) => from > 0)).toBe(true);
    of.simulator.fault(WRITE, { status: 403 });
    await of.ledger.append(() => [saying(true, 'three')], { scope: 'tail' });
    expect(await of.mirror.push()).toBe(1);
    expect(asked.every((from) => from > 0)).toBe(true);
  });

  it('turns share a push that has not begun, and the app has one of its own', async () => {
    const of = await world();
    await of.say('one');
    const asked = of.mirror.push({ isExplicit: true });
    const [first, second] = [of.mirror.push(), of.mirror.push()];
    expect(second).toBe(first);
    expect(asked).not.toBe(first);
    expect(await Promise.all([first, second, asked])).toEqual([0, 0, 0]);
    const later = of.mirror.push({ afterResponse: true });
    expect(of.mirror.push()).toBe(later);
    await later;
    expect(of.mirror.push()).not.toBe(later);
    await of.mirror.idle();
  });

  it('a push ends the comparison in the background, unless the app asks for it', async () => {
    const of = await world();
    const compare = new AbortController();
    of.sync.backgroundCompare = compare;
    await of.mirror.push({ isExplicit: true });
    expect(compare.signal.aborted).toBe(false);
    await of.mirror.push();
    expect(compare.signal.aborted).toBe(true);
  });
});

describe('a push that fails', () => {
  it('a failed push leaves its items pending, and keeps the reason', async () => {
    const of = await world();
    await of.say('one', 'two');
    const lift = of.simulator.fault(WRITE, { status: 500 });
    expect(await of.mirror.push()).toBe(2);
    expect(of.failures).toEqual([expect.stringMatching(/^2 .*500/)]);
    expect(of.mirror.failure).toMatchObject({ status: 500 });
    expect([...of.sync.unacknowledged]).toEqual([0, 1]);
    expect(of.sync.rechecksDue).toBe(2);
    lift();
    expect(await of.mirror.push()).toBe(0);
    expect(of.compared).toHaveLength(2);
    expect(of.mirror.failure).toBeUndefined();
    expect(of.listed()).toEqual(['one', 'two']);
  });

  it('a temporary refusal is searched once, and a permanent one is not', async () => {
    const busy = await world();
    await busy.say('one');
    const lift = busy.simulator.fault(WRITE, { status: 429 });
    await busy.mirror.push();
    expect([busy.sync.rechecksDue, busy.sync.unacknowledged.size]).toEqual([1, 1]);
    lift();
    await busy.mirror.push();
    expect(busy.compared).toHaveLength(1);
    const refused = await world();
    await refused.say('one');
    refused.simulator.fault(WRITE, { status: 403 });
    expect(await refused.mirror.push()).toBe(1);
    expect([refused.sync.rechecksDue, refused.sync.unacknowledged.size]).toEqual([0, 0]);
  });

  it('a push is retried as often as the client says, half a second and more apart', async () => {
    const of = await world({ maxRetries: 2 });
    await of.say('one');
    of.simulator.fault(WRITE, { status: 409 });
    const began = clock.now();
    const requests = await writesOf(of, () => of.mirror.push());
    expect(requests.filter((one) => one === WRITE)).toHaveLength(3);
    expect(clock.now() - began).toBe(500 + 1000);
    const refused = await world({ maxRetries: 2 });
    await refused.say('one');
    refused.simulator.fault(WRITE, { status: 403 });
    expect(await writesOf(refused, () => refused.mirror.push())).toEqual([WRITE]);
  });

  it('a turn sends nothing during an outage, and the app does', async () => {
    const of = await world({ maxRetries: 2 });
    await of.say('one');
    const breaker = circuitBreakerOf(of.client);
    for (let nth = 0; nth < 3; nth += 1) breaker.failed({ name: 'APIError', status: 503 });
    expect(await writesOf(of, async () => expect(await of.mirror.push()).toBe(1))).toEqual([]);
    expect(of.failures).toEqual(['1 APIError (503)']);
    expect(await of.mirror.push({ isExplicit: true })).toBe(0);
    expect(of.listed()).toEqual(['one']);
  });

  it('a push without pending changes does not fail during an outage', async () => {
    const of = await world();
    for (let nth = 0; nth < 3; nth += 1) circuitBreakerOf(of.client).failed({ status: 503 });
    expect(await of.mirror.push()).toBe(0);
    expect(of.failures).toEqual([]);
  });

  it('an unreadable ledger counts one change, and a replaced conversation is an error', async () => {
    const store = memoryLedger();
    let problem: Error | undefined;
    const failing: LedgerStore = {
      ...elsewhere(store),
      read: (...args) => (problem === undefined ? store.read(...args) : Promise.reject(problem)),
      checkpoint: (id) => (problem === undefined ? store.checkpoint(id) : Promise.reject(problem)),
    };
    const of = await world({ store: failing });
    problem = new Error('down');
    expect(await of.mirror.push()).toBe(1);
    expect(of.failures).toHaveLength(1);
    problem = new ConversationReplaced('conv_1');
    await expect(of.mirror.push()).rejects.toThrow('another conversation');
    expect(of.failures).toHaveLength(1);
  });

  it('a push whose conversation was replaced, or that the app ended, is not retried', async () => {
    const of = await world({ maxRetries: 2 });
    await of.say('one');
    of.sync.rechecksDue = 1;
    of.onCompare(new ConversationReplaced('conv_1'));
    await expect(of.mirror.push()).rejects.toThrow('another conversation');
    expect(of.compared).toHaveLength(1);
    const ended = await world({ maxRetries: 2 });
    await ended.say('one');
    const abort = new AbortController();
    ended.simulator.fault(WRITE, { status: 409 });
    ended.sync.rechecksDue = 1;
    ended.onCompare(undefined, () => abort.abort());
    const requests = await writesOf(ended, () =>
      ended.mirror.push({ isExplicit: true, signal: abort.signal }),
    );
    expect(requests.filter((one) => one === WRITE).length).toBeLessThanOrEqual(1);
  });

  it('an aborted push sends nothing', async () => {
    const of = await world({ maxRetries: 2 });
    await of.say('one');
    const signal = AbortSignal.abort();
    expect(await writesOf(of, () => of.mirror.push({ isExplicit: true, signal }))).toEqual([]);
  });
});

describe('the wait of a turn', () => {
  it('a turn waits ten seconds for its push, and the push goes on', async () => {
    const of = await world();
    await of.say('one', 'two');
    of.simulator.fault(WRITE, { name: 'no_answer' });
    let left: number | undefined;
    void of.mirror.pushWithTimeout().then((pending) => (left = pending));
    await turns(30);
    passTime(6000);
    await turns(30);
    expect(left).toBeUndefined();
    passTime(4000);
    await turns(30);
    expect(left).toBe(2);
    expect(of.failures).toContain('2 TimeoutError');
  });

  it('a second turn waits only for the rest of the time of the first', async () => {
    const of = await world();
    await of.say('one');
    of.simulator.fault(WRITE, { name: 'no_answer' });
    void of.mirror.pushWithTimeout();
    await turns(30);
    passTime(6000);
    let left: number | undefined;
    let isIdle: unknown;
    void of.mirror.pushWithTimeout().then((pending) => (left = pending));
    void of.mirror.idleWithTimeout().catch((error: unknown) => (isIdle = error));
    await turns(30);
    expect([left, isIdle]).toEqual([undefined, undefined]);
    passTime(4000);
    await turns(30);
    expect(left).toBe(1);
    expect(isIdle).toMatchObject({
      name: 'TimeoutError',
      message: 'The conversation is still being written',
    });
  });

  it('a turn behind a finished push has the whole time again', async () => {
    const of = await world();
    await of.say('one');
    expect(await of.mirror.pushWithTimeout()).toBe(0);
    passTime(60_000);
    await of.say('two');
    expect(await of.mirror.pushWithTimeout()).toBe(0);
    await of.mirror.idleWithTimeout();
    expect(of.sync.activePushes).toBe(0);
  });
});

/** A world in which another process has the lease for so long. */
async function leased(until: number) {
  const of = await world();
  await of.say('one');
  await other(of).ledger.append(() => [{ type: 'lease', writer: 'theirs', until: clock.now() + until }]);
  return of;
}

describe('the lease of another process', () => {
  it('a turn waits two seconds for the process with the lease, and leaves its items to it', async () => {
    const of = await leased(600_000);
    const began = clock.now();
    expect(await writesOf(of, async () => expect(await of.mirror.push()).toBe(1))).toEqual([]);
    expect(clock.now() - began).toBe(2000);
    expect(of.failures).toEqual(['1 another process holds the lease']);
  });

  it('a turn writes as soon as the lease has expired', async () => {
    const of = await leased(1000);
    const began = clock.now();
    expect(await of.mirror.push()).toBe(0);
    expect(clock.now() - began).toBeGreaterThanOrEqual(1000);
    expect(of.listed()).toEqual(['one']);
  });

  it('the app waits until the lease of a crashed process has expired', async () => {
    const of = await leased(10_000);
    expect(await of.mirror.push({ isExplicit: true })).toBe(0);
    expect(of.listed()).toEqual(['one']);
    // The last write of the crashed process is unknown.
    expect(of.compared.length).toBeGreaterThan(0);
  });
});

describe('items whose content another process has', () => {
  it('items in flight are left to their writer, and told as pending', async () => {
    const of = await world();
    await other(of).ledger.append(() => [saying(false, 'theirs')]);
    await of.say('ours');
    of.sync.lastWriter = undefined;
    expect(await writesOf(of, async () => expect(await of.mirror.push()).toBe(2))).not.toContain(WRITE);
    expect(of.failures).toEqual(['2 the content of a pending item was not found']);
  });

  it('items whose writer is gone are passed over, and later items are written', async () => {
    const of = await world();
    await other(of).ledger.append(() => [saying(false, 'theirs')]);
    passTime(60_000);
    await of.say('ours');
    of.sync.lastWriter = undefined;
    expect(await of.mirror.push()).toBe(1);
    expect(of.listed()).toEqual(['ours']);
    expect(of.failures).toEqual(['1 the content of a pending item was not found']);
  });

  it('an item whose content turns up later is written in its place', async () => {
    const of = await world();
    const theirs = other(of);
    await theirs.ledger.append(() => [saying(false, 'theirs')]);
    passTime(60_000);
    await of.say('ours');
    of.sync.lastWriter = undefined;
    await of.mirror.push();
    await of.ledger.append(() => [
      { type: 'replace', keep: 0, items: [ledgerItem(user('theirs'), true), { seq: 1 }] },
    ]);
    expect(await of.mirror.push()).toBe(0);
    expect(of.listed()).toEqual(['theirs', 'ours']);
  });
});

describe('cleared conversations', () => {
  it('a conversation that is cleared after a push is deleted by the next one', async () => {
    const of = await world();
    await of.say('one');
    await of.mirror.push();
    const { id: old } = await of.client.conversations.create({});
    await of.ledger.append(() => [{ type: 'conversation', id: old }, { type: 'clear' }]);
    await of.ledger.append(() => [{ type: 'conversation', id: of.conversationId }]);
    await of.mirror.push();
    expect(of.simulator.snapshot().conversations.map(({ id }) => id)).not.toContain(old);
  });

  it('a cleared conversation is deleted with the next push, once by turns and again by the app', async () => {
    const of = await world();
    const { id: old } = await of.client.conversations.create({});
    await of.ledger.append(() => [{ type: 'conversation', id: old }, { type: 'clear' }]);
    await of.ledger.append(() => [{ type: 'conversation', id: of.conversationId }]);
    const remaining = (): string[] => of.simulator.snapshot().conversations.map(({ id }) => id);
    const lift = of.simulator.fault('conversations.delete', { status: 500 });
    const deletions = async (task: () => Promise<unknown>): Promise<number> =>
      (await writesOf(of, task)).filter((one) => one === 'conversations.delete').length;
    expect(await deletions(() => of.mirror.push())).toBe(1);
    expect(await deletions(() => of.mirror.push())).toBe(0);
    expect(await deletions(() => of.mirror.push({ isExplicit: true }))).toBe(1);
    expect(remaining()).toContain(old);
    lift();
    await of.mirror.push({ isExplicit: true });
    expect(remaining()).toEqual([of.conversationId]);
    expect(await deletions(() => of.mirror.push({ isExplicit: true }))).toBe(0);
  });
});
