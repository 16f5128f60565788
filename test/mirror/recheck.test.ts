import { describe, expect, it } from 'vitest';
import { memoryLedger } from '../../src/index.ts';
import { MAX_DELAY_MS } from '../../src/history/duplicate-writes.ts';
import { ConversationReplaced } from '../../src/ledger/attached-conversation.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import type { LedgerState } from '../../src/ledger/state.ts';
import { ProcessLease } from '../../src/mirror/lease.ts';
import { checkForLateDuplicates, recheckBeforeRetry, type RecheckOptions } from '../../src/mirror/recheck.ts';
import { isWriteInFlight, SharedSyncState, sharedSyncState } from '../../src/mirror/shared-sync-state.ts';
import { clock } from '../../src/util/clock.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { user } from '../support/conversation.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const items = (...texts: string[]): LedgerStep => ({
  type: 'items',
  items: texts.map((text) => ledgerItem(user(text), true)),
});

interface World {
  readonly ledger: Ledger;
  readonly sync: SharedSyncState;
  readonly lease: ProcessLease;
  /** The times of the comparisons. */
  readonly compared: number[];
  readonly check: RecheckOptions['check'];
  /** Takes effect during a comparison. */
  during: () => Promise<unknown>;
}

function world(store = memoryLedger()): World {
  const ledger = new Ledger({ store, sessionId: 'conv_1' });
  const lease = new ProcessLease({ ledger, writer: 'ours', milliseconds: 10_000 });
  const made: World = {
    ledger,
    lease,
    sync: new SharedSyncState(),
    compared: [],
    check: {
      read: async () => {
        made.compared.push(clock.now());
        await made.during();
        return { list: [], findings: [], adopted: 0 };
      },
    },
    during: () => Promise.resolve(),
  };
  return made;
}

const again = ({ possibleDuplicates }: LedgerState): number[] => [...possibleDuplicates.keys()];

async function recheck(of: World): Promise<LedgerState> {
  return recheckBeforeRetry(of, await of.ledger.read());
}

describe('the comparison before a retry', () => {
  it('own items without a failed write are not searched', async () => {
    const of = world();
    const state = await of.ledger.append(() => [items('one')]);
    expect(await recheck(of)).toBe(state);
    expect(of.compared).toEqual([]);
  });

  it('a failed write is searched as often as it is due, half a second apart, and then recorded', async () => {
    const of = world();
    await of.ledger.append(() => [items('one', 'two', 'three')]);
    of.sync.rechecksDue = 2;
    for (const seq of [1, 2, 9]) of.sync.unacknowledged.add(seq);
    const state = await recheck(of);
    const [first = 0, second = 0] = of.compared;
    expect(of.compared).toHaveLength(2);
    expect(second - first).toBe(500);
    expect(again(state)).toEqual([1, 2]);
    expect(of.sync).toMatchObject({
      rechecksDue: 0,
      unacknowledged: new Set(),
      lateWritesUntil: clock.now() + MAX_DELAY_MS,
      lateWritesCheckedAt: clock.now(),
    });
  });

  it('a failed write that the first search finds is not searched again, and not recorded', async () => {
    const of = world();
    await of.ledger.append(() => [items('one')]);
    of.sync.rechecksDue = 2;
    of.sync.unacknowledged.add(0);
    of.during = () =>
      of.ledger.append(() => [{ type: 'mirror', added: [{ seq: 0, id: 'msg_1' }], removed: [] }]);
    const { version } = await of.ledger.read();
    const state = await recheck(of);
    expect(of.compared).toHaveLength(1);
    expect(state.version).toBe(version + 1);
    expect(of.sync).toMatchObject({ rechecksDue: 0, lateWritesUntil: 0, unacknowledged: new Set() });
  });

  it('a write of a removed item is searched, and counts as settled', async () => {
    const of = world();
    await of.ledger.append(() => [items('one'), { type: 'pop' }]);
    const state = await of.ledger.read();
    expect(state.dropped.size).toBe(1);
    const rechecked = await recheck(of);
    expect(of.compared).toHaveLength(1);
    expect(rechecked.dropped.size).toBe(0);
    // It may still show up late.
    expect(again(rechecked)).toEqual([0]);
  });

  it('items of another process are searched once', async () => {
    const store = memoryLedger();
    await new Ledger({ store: elsewhere(store), sessionId: 'conv_1' }).append(() => [items('one')]);
    const of = world(store);
    const state = await recheck(of);
    expect(of.compared).toHaveLength(1);
    expect(again(state)).toEqual([]);
  });

  it('a lease that was taken over makes its first request unsure', async () => {
    const of = world();
    await of.ledger.append(() => [items(...Array.from({ length: 25 }, (_, at) => `item ${at}`))]);
    of.lease.takenOver = true;
    const state = await recheck(of);
    expect(of.compared).toHaveLength(2);
    expect(again(state)).toEqual(Array.from({ length: 20 }, (_, at) => at));
    expect(of.lease.takenOver).toBe(false);
    await recheck(of);
    expect(of.compared).toHaveLength(2);
  });

  it('a store that lost records makes every pending write unsure, once', async () => {
    const of = world();
    await of.ledger.append(() => [items(...Array.from({ length: 25 }, (_, at) => `item ${at}`))]);
    of.sync.rewinds = 2;
    const state = await recheck(of);
    expect(of.compared).toHaveLength(2);
    expect(again(state)).toHaveLength(25);
    expect(of.sync.rewindsChecked).toBe(2);
    await recheck(of);
    expect(of.compared).toHaveLength(2);
  });
});

/** A world with a write that may have been applied, made `age` milliseconds ago. */
async function unsure(age = 0): Promise<World> {
  const of = world();
  await of.ledger.append(() => [items('one')]);
  await of.ledger.append(() => [{ type: 'mirror', added: [], removed: [], again: [0] }]);
  passTime(age);
  return of;
}

const check = async (of: World, isExplicit = false): Promise<number> => {
  await checkForLateDuplicates(of, await of.ledger.read(), isExplicit);
  return of.compared.length;
};

describe('the comparisons for late duplicates', () => {
  it('a list without an unsure write is not compared', async () => {
    expect(await check(world())).toBe(0);
    expect(await check(world(), true)).toBe(0);
  });

  it('an unsure write is searched at most once a minute, unless the app asks', async () => {
    const of = await unsure();
    expect(await check(of)).toBe(1);
    expect(of.sync.lateWritesUntil).toBe(clock.now() + MAX_DELAY_MS);
    passTime(59_999);
    expect(await check(of)).toBe(1);
    expect(await check(of, true)).toBe(2);
    passTime(60_000);
    expect(await check(of)).toBe(3);
  });

  it('the last search is made when the write can no longer take effect', async () => {
    const of = await unsure(MAX_DELAY_MS);
    of.sync.lateWritesCheckedAt = clock.now();
    expect(await check(of)).toBe(1);
    expect(of.sync.lateWritesUntil).toBe(0);
  });

  it('the search goes on where the write can still take effect, or the search failed', async () => {
    const of = await unsure(MAX_DELAY_MS - 1);
    expect(await check(of)).toBe(1);
    expect(of.sync.lateWritesUntil).toBe(clock.now() + 1);
    passTime(1);
    of.during = () => Promise.reject(new Error('The list is down'));
    expect(await check(of)).toBe(2);
    expect(of.sync.lateWritesUntil).toBe(clock.now());
  });

  it('a session with another conversation is told so', async () => {
    const of = await unsure();
    of.during = () => Promise.reject(new ConversationReplaced('conv_1'));
    await expect(check(of)).rejects.toBeInstanceOf(ConversationReplaced);
  });

  it('the writes of another process are read from the whole ledger where the app asks, unless the list was compared', async () => {
    const of = await unsure();
    const tail = { ...(await of.ledger.read()), possibleDuplicates: new Map() };
    await checkForLateDuplicates(of, tail, false);
    expect(of.compared).toHaveLength(0);
    of.sync.listComparedAt = 1;
    await checkForLateDuplicates(of, tail, true);
    expect(of.compared).toHaveLength(0);
    of.sync.listComparedAt = 0;
    await checkForLateDuplicates(of, tail, true);
    expect(of.compared).toHaveLength(1);
  });
});

describe('the shared state of a session', () => {
  it('sessions of one name on one store share their state, and others do not', () => {
    const store = memoryLedger();
    const state = sharedSyncState(store, 'a');
    expect(sharedSyncState(store, 'a')).toBe(state);
    expect(sharedSyncState(store, 'b')).not.toBe(state);
    expect(sharedSyncState(memoryLedger(), 'a')).not.toBe(state);
  });

  it('an item of another session is in flight for ten seconds, unless it is skipped', async () => {
    const store = memoryLedger();
    const theirs = new Ledger({ store: elsewhere(store), sessionId: 'conv_1' });
    const { entries } = await theirs.append(() => [items('one')]);
    const [entry] = entries;
    if (entry === undefined) throw new Error('The ledger is empty');
    const ours = new Ledger({ store, sessionId: 'conv_1' });
    expect(isWriteInFlight(entry, ours, entry.due + 9999)).toBe(true);
    expect(isWriteInFlight(entry, ours, entry.due + 10_000)).toBe(false);
    expect(isWriteInFlight({ ...entry, skipped: 'no form' }, ours, entry.due)).toBe(false);
    expect(isWriteInFlight(entry, theirs, entry.due)).toBe(false);
  });
});
