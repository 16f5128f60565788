import { describe, expect, test } from 'vitest';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { MAX_LEASE_MS, ProcessLease } from '../../src/mirror/lease.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedTexts } from '../flows/support/story.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
const LASTS = 10_000;

/** Two processes on one ledger, the first with a clock of its own. */
function twoProcesses() {
  const store = memoryLedger();
  const clock = { theirs: 1_800_000_000_000, ours: 1_800_000_000_000 };
  const leaseOf = (whose: keyof typeof clock) => {
    const now = (): number => clock[whose];
    const ledger = new Ledger({ store: elsewhere(store), sessionId: 'conv_1', now });
    const lease = new ProcessLease({ ledger, writer: whose, milliseconds: LASTS, now });
    const take = async (): Promise<boolean> =>
      (await lease.take(await ledger.read({ scope: 'tail' }))) !== undefined;
    return { ledger, lease, take };
  };
  return { store, clock, theirs: leaseOf('theirs'), ours: leaseOf('ours') };
}

describe('a lease that another process took', () => {
  test('the lease of another process excludes this one until it expires', async () => {
    const { clock, theirs, ours } = twoProcesses();
    expect(await theirs.take()).toBe(true);
    clock.ours += LASTS - 1;
    expect(await ours.take()).toBe(false);
    clock.ours += 1;
    expect(await ours.take()).toBe(true);
    expect(ours.lease.takenOver).toBe(true);
  });

  test.each([
    ['an hour', 60 * MINUTE],
    ['a year', YEAR],
  ])(
    'the lease of a process with a clock %s ahead lasts its own duration from the moment it was seen',
    async (_, ahead) => {
      const { clock, theirs, ours } = twoProcesses();
      clock.theirs += ahead;
      expect(await theirs.take()).toBe(true);
      expect(await ours.take()).toBe(false);
      clock.ours += LASTS - 1;
      expect(await ours.take()).toBe(false);
      clock.ours += 1;
      expect(await ours.take()).toBe(true);
    },
  );

  test('a renewed lease of another process lasts its own duration again', async () => {
    const { clock, theirs, ours } = twoProcesses();
    clock.theirs += YEAR;
    for (let times = 0; times < 5; times += 1) {
      expect(await theirs.take()).toBe(true);
      expect(await ours.take()).toBe(false);
      clock.theirs += LASTS - 1;
      clock.ours += LASTS - 1;
    }
  });

  test.each([0, -YEAR, YEAR])(
    'a lease of years lasts at most the longest lease (taken %i ms from now)',
    async (from) => {
      const { store, clock, ours } = twoProcesses();
      const until = clock.ours + 10 * YEAR;
      const now = (): number => clock.ours + from;
      const foreign = new Ledger({ store, sessionId: 'conv_1', now });
      await foreign.append(() => [{ type: 'lease', writer: 'theirs', until }]);
      expect(await ours.take()).toBe(false);
      clock.ours += MAX_LEASE_MS - 1;
      expect(await ours.take()).toBe(false);
      clock.ours += 1;
      expect(await ours.take()).toBe(true);
    },
  );
});

describe("a process's own lease", () => {
  test('a process loses its lease when its clock is set back by more than the duration', async () => {
    const { clock, theirs, ours } = twoProcesses();
    expect(await theirs.take()).toBe(true);
    clock.theirs -= 60 * MINUTE;
    expect(theirs.lease.isHeld(await theirs.ledger.read({ scope: 'tail' }))).toBe(true);
    clock.theirs += LASTS;
    expect(theirs.lease.isHeld(await theirs.ledger.read({ scope: 'tail' }))).toBe(false);
    clock.ours += LASTS;
    expect(await ours.take()).toBe(true);
  });
});

describe('a session', () => {
  useVirtualTime();

  test('a session writes again after a lease without an end', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, mirror: 'background' });
    const id = await session.getSessionId();
    const foreign = new Ledger({ store: ledger, sessionId: id });
    await foreign.append(() => [{ type: 'lease', writer: 'theirs', until: Date.now() + YEAR }]);
    await session.addItems([user('one')]);
    passTime(MAX_LEASE_MS);
    await session.flush();
    expect(listedTexts(simulator, id)).toEqual(['one']);
  });

  test('a session refuses an option longer than the longest lease', () => {
    expect(() => new HybridSession({ advanced: { mirrorLease: MAX_LEASE_MS + 1 } })).toThrow(/mirrorLease/);
    expect(() => new HybridSession({ advanced: { mirrorLease: MAX_LEASE_MS } })).not.toThrow();
  });
});

describe('the release of a lease', () => {
  test('a lease that its holder released is taken at once by another process', async () => {
    const { theirs, ours } = twoProcesses();
    expect(await theirs.take()).toBe(true);
    expect(await ours.take()).toBe(false);
    await theirs.ledger.append((state) => theirs.lease.releaseSteps(state));
    expect(await ours.take()).toBe(true);
    expect(ours.lease.takenOver).toBe(false);
  });

  test('a process releases its own lease alone, and nothing else with it', async () => {
    const { theirs, ours } = twoProcesses();
    await theirs.take();
    const state = await ours.ledger.read();
    expect(ours.lease.releaseSteps(state)).toEqual([]);
    expect(theirs.lease.releaseSteps(state)).toEqual([
      { type: 'mirror', added: [], removed: [], released: true },
    ]);
  });
});
