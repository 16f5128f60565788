import { afterEach, describe, expect, test, vi } from 'vitest';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { LONGEST_LEASE, MirrorLease } from '../../src/session/mirror-lease.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedTexts } from '../flows/support/story.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
const LASTS = 10_000;

/** Two processes on one ledger, the first with a clock of its own. */
function twoProcesses() {
  const store = memoryLedger();
  const clock = { theirs: 1_800_000_000_000, ours: 1_800_000_000_000 };
  const leaseOf = (whose: keyof typeof clock): { lease: MirrorLease; ledger: Ledger } => {
    const now = (): number => clock[whose];
    const ledger = new Ledger({ store: elsewhere(store), sessionId: 'conv_1', now });
    return { ledger, lease: new MirrorLease({ ledger, writer: whose, milliseconds: LASTS, now }) };
  };
  return { store, clock, theirs: leaseOf('theirs'), ours: leaseOf('ours') };
}

describe('a lease that another process took', () => {
  test('keeps this one away as long as it lasts, and no longer', async () => {
    const { clock, theirs, ours } = twoProcesses();
    expect(await theirs.lease.take()).toBe(true);
    clock.ours += LASTS - 1;
    expect(await ours.lease.take()).toBe(false);
    clock.ours += 1;
    expect(await ours.lease.take()).toBe(true);
    expect(ours.lease.inherited).toBe(true);
  });

  test.each([
    ['an hour', 60 * MINUTE],
    ['a year', YEAR],
  ])('whose clock is %s ahead lasts no longer, from when it was seen', async (_, ahead) => {
    const { clock, theirs, ours } = twoProcesses();
    clock.theirs += ahead;
    expect(await theirs.lease.take()).toBe(true);
    expect(await ours.lease.take()).toBe(false);
    clock.ours += LASTS - 1;
    expect(await ours.lease.take()).toBe(false);
    clock.ours += 1;
    expect(await ours.lease.take()).toBe(true);
  });

  test('is believed anew each time it is prolonged', async () => {
    const { clock, theirs, ours } = twoProcesses();
    clock.theirs += YEAR;
    for (let times = 0; times < 5; times += 1) {
      expect(await theirs.lease.take()).toBe(true);
      expect(await ours.lease.take()).toBe(false);
      clock.theirs += LASTS - 1;
      clock.ours += LASTS - 1;
    }
  });

  test.each([0, -YEAR, YEAR])(
    'and says that it lasts for years is believed as long as one can last (taken %i ms from now)',
    async (from) => {
      const { store, clock, ours } = twoProcesses();
      const until = clock.ours + 10 * YEAR;
      const now = (): number => clock.ours + from;
      const foreign = new Ledger({ store, sessionId: 'conv_1', now });
      await foreign.commit(() => [{ type: 'lease', writer: 'theirs', until }]);
      expect(await ours.lease.take()).toBe(false);
      clock.ours += LONGEST_LEASE - 1;
      expect(await ours.lease.take()).toBe(false);
      clock.ours += 1;
      expect(await ours.lease.take()).toBe(true);
    },
  );
});

describe("a process's own lease", () => {
  test('is no longer held when its clock was set back by more than it lasts', async () => {
    const { clock, theirs, ours } = twoProcesses();
    expect(await theirs.lease.take()).toBe(true);
    clock.theirs -= 60 * MINUTE;
    expect(theirs.lease.isHeld(await theirs.ledger.tip())).toBe(true);
    clock.theirs += LASTS;
    expect(theirs.lease.isHeld(await theirs.ledger.tip())).toBe(false);
    clock.ours += LASTS;
    expect(await ours.lease.take()).toBe(true);
  });
});

describe('a session', () => {
  afterEach(() => void vi.useRealTimers());

  test('writes to its conversation again after a lease for ever was left in its ledger', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, mirror: 'background' });
    const id = await session.getSessionId();
    const foreign = new Ledger({ store: ledger, sessionId: id, now: () => Date.now() });
    await foreign.commit(() => [{ type: 'lease', writer: 'theirs', until: Date.now() + YEAR }]);
    await session.addItems([user('one')]);
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + LONGEST_LEASE);
    await session.flush();
    expect(listedTexts(simulator, id)).toEqual(['one']);
  });

  test('cannot have a lease that others would not believe', () => {
    expect(() => new HybridSession({ mirrorLease: LONGEST_LEASE + 1 })).toThrow(/mirrorLease/);
    expect(() => new HybridSession({ mirrorLease: LONGEST_LEASE })).not.toThrow();
  });
});
