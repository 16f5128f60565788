import { Agent } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedClient, type Simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { dyingClient } from './support/dying.ts';
import { elsewhere } from './support/elsewhere.ts';
import { FULL } from '../support/runs.ts';

// A lease of a process that died runs out while the next one waits.
useVirtualTime();

/** More than one piece of 20. */
const TURNS = 11;

/** Every request where time is no matter, as in CI; enough to see it work elsewhere. */
const STRIDE = FULL ? 1 : 6;

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

interface Damaged extends Simulated {
  readonly old: string;
  readonly said: readonly string[];
  readonly ledger: LedgerStore;
}

/** A conversation that has lost all answers but the newest. */
async function damaged(bookmark = false): Promise<Damaged> {
  const world = simulated({ unlink: 'every-turn' });
  const { client } = world;
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, bookmark });
  const runner = new HybridRunner({ tracingDisabled: true });
  for (let turn = 0; turn < TURNS; turn += 1) await runner.run(agent, `line ${turn}`, { session });
  return { ...world, ledger, old: await session.getSessionId(), said: texts(await session.getItems()) };
}

/** A process that dies at a request. */
function dying(
  world: Damaged,
  at: number,
  moment: 'before' | 'after',
  ledger: LedgerStore = elsewhere(world.ledger),
): { session: HybridSession; count: () => number } {
  const { client, count } = dyingClient(world.simulator, at, moment);
  return { session: new HybridSession({ client, ledger, conversationId: world.old }), count };
}

/** Another process, later. */
function later({ client, ledger, old }: Damaged): HybridSession {
  return new HybridSession({ client, ledger: elsewhere(ledger), conversationId: old });
}

/** The state of the server after a heal: the old list, one whole new one, and at most one empty one. */
function expectHealed({ simulator, old, said }: Damaged, healedTo: string): void {
  const { conversations } = simulator.snapshot();
  const shown = conversations.filter(({ id, items }) => id !== old && items.length > 0);
  expect(shown.map(({ id }) => id)).toEqual([healedTo]);
  const content = shown.flatMap(({ items }) => items.map((item) => JSON.stringify(item)));
  expect(content).toHaveLength(said.length);
  for (const [index, text] of said.entries()) expect(content[index]).toContain(JSON.stringify(text));
  expect(new Set(shown.flatMap(({ items }) => items.map(({ id }) => id))).size).toBe(said.length);
  expect(conversations.filter(({ items }) => items.length === 0).length).toBeLessThanOrEqual(1);
}

describe('a heal', () => {
  it.each(['before', 'after'] as const)(
    'a heal that dies at any request, %s its effect, is finished by the next one',
    async (moment) => {
      let at = 0;
      for (let hasDied = true; hasDied;) {
        at += 1;
        const world = await damaged();
        const { session, count } = dying(world, at, moment);
        const outcome = await session.heal().catch((error: unknown) => error);
        hasDied = count() >= at;
        const whole = { items: world.said.length, verified: true };
        expect(hasDied ? whole : outcome).toMatchObject(whole);
        const healed = await later(world).heal();
        expect(healed).toMatchObject({ from: world.old, items: world.said.length, verified: true });
        expectHealed(world, healed.conversationId);
        const again = later(world);
        expect(texts(await again.getItems())).toEqual(world.said);
        expect(await again.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
        expect(await again.getSessionId()).toBe(world.old);
      }
      expect(at).toBeGreaterThan(6);
    },
  );

  it.each(['before', 'after'] as const)(
    'a heal with deletion that dies at any request, %s its effect, is finished by the next one',
    async (moment) => {
      let at = 1 - STRIDE;
      for (let hasDied = true; hasDied;) {
        at += STRIDE;
        const world = await damaged();
        const { session, count } = dying(world, at, moment);
        await session.heal({ previous: 'delete' }).catch(() => undefined);
        hasDied = count() >= at;
        const healed = await later(world).heal({ previous: 'delete' });
        const { conversations } = world.simulator.snapshot();
        const shown = conversations.filter(({ items }) => items.length > 0);
        expect(shown.map(({ id }) => id)).toEqual([healed.conversationId]);
        expect(shown[0]?.items).toHaveLength(world.said.length);
        const again = later(world);
        expect(texts(await again.getItems())).toEqual(world.said);
        expect(await again.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
      }
    },
  );

  it.each(['before', 'after'] as const)(
    'a heal without a ledger that dies at any request, %s its effect, leaves conversation and bookmark whole',
    async (moment) => {
      let at = 1 - STRIDE;
      for (let hasDied = true; hasDied;) {
        at += STRIDE;
        const world = await damaged(true);
        const { session, count } = dying(world, at, moment, memoryLedger());
        await session.heal().catch(() => undefined);
        hasDied = count() >= at;
        const { client, old, said } = world;
        const again = new HybridSession({ client, conversationId: old });
        expect(texts(await again.getItems())).toEqual(said);
        expect(await again.verify()).toMatchObject({ verified: true, unproven: 0, pending: 0 });
      }
    },
  );
});

describe('a heal in a process that survives', () => {
  const FAULTS = [
    { name: 'rate_limit', retryAfter: 0 },
    { name: 'server_error', moment: 'before' },
    { name: 'server_error', moment: 'after' },
    { name: 'connection_reset', moment: 'after' },
    { name: 'lagging_items', count: 3 },
    { name: 'dropped_items', count: 2 },
    { name: 'duplicated_items' },
    { name: 'reordered_items' },
    { name: 'missing_cursor' },
    { status: 409 },
  ] as const;

  it.each(FAULTS)('a heal survives $name $moment at any request', async (fault) => {
    for (let skip = 0, isOver = false; !isOver; skip += 1) {
      const world = await damaged();
      const { simulator, old, ledger } = world;
      const client = simulatedClient(simulator, 2);
      const session = new HybridSession({ client, ledger, conversationId: old, bookmark: false });
      const before = simulator.log.length;
      const lift = simulator.fault('*', { ...fault, skip, times: 1 });
      const first = await session.heal().catch((error: unknown) => error);
      isOver = simulator.log.length - before <= skip;
      lift();
      expect(first instanceof Error ? Reflect.get(first, 'code') : 'heal_failed').toBe('heal_failed');
      expect(session.sessionId).toBe(old);
      const healed = await session.heal();
      expectHealed(world, healed.conversationId);
      expect(texts(await session.getItems())).toEqual(world.said);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
    }
  });

  it('a heal is finished after any append to its ledger failed or lost its answer', async () => {
    for (const moment of ['before', 'after'] as const) {
      for (let at = 1, isOver = false; !isOver; at += 1) {
        const world = await damaged();
        let count = 0;
        const store: LedgerStore = {
          ...elsewhere(world.ledger),
          async append(...args) {
            count += 1;
            if (count !== at) return world.ledger.append(...args);
            if (moment === 'after') await world.ledger.append(...args);
            throw new Error('the disk is full');
          },
        };
        const { client, old } = world;
        const session = new HybridSession({ client, ledger: store, conversationId: old });
        await session.heal().catch((error: unknown) => error);
        isOver = count < at;
        const healed = await later(world).heal();
        expect(healed).toMatchObject({ from: old, verified: true });
        expectHealed(world, healed.conversationId);
        expect(texts(await later(world).getItems())).toEqual(world.said);
      }
    }
  });
});
