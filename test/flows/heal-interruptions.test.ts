import { Agent } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import {
  conversationLedger,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type LedgerStore,
} from '../../src/index.ts';
import { tamperedClient } from '../session/support/tampered.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedClient, type Simulated } from '../support/simulated.ts';
import { elsewhere } from './support/elsewhere.ts';

/** Short enough for a test to outlive a process that died. */
const mirrorLease = 40;

/** More than one piece of 20. */
const TURNS = 11;

/** Every request where time is no matter, as in CI; enough to see it work elsewhere. */
const STRIDE = process.env['TEST_FULL'] === '1' ? 1 : 3;

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

interface Damaged extends Simulated {
  readonly old: string;
  readonly said: readonly string[];
  readonly ledger: LedgerStore;
}

type StoreOf = (client: Simulated['client']) => LedgerStore;

const STORES: Readonly<Record<string, StoreOf>> = {
  memory: () => memoryLedger(),
  'the conversation': (client) => conversationLedger({ client }),
};

/** A conversation that has lost all answers but the newest. */
async function damaged(storeOf: StoreOf): Promise<Damaged> {
  const world = simulated({ unlink: 'every-turn' });
  const { client } = world;
  const ledger = storeOf(client);
  const session = new HybridSession({ client, ledger });
  const runner = new HybridRunner({ tracingDisabled: true });
  for (let turn = 0; turn < TURNS; turn += 1) await runner.run(agent, `line ${turn}`, { session });
  return { ...world, ledger, old: await session.getSessionId(), said: texts(await session.getItems()) };
}

/** A process that dies at a request: that one gets no answer, with or without an effect, and none comes after. */
function dying(
  world: Damaged,
  storeOf: StoreOf,
  at: number,
  moment: 'before' | 'after',
): { session: HybridSession; count: () => number } {
  let count = 0;
  const client = tamperedClient(world.simulator, async (_, answer) => {
    count += 1;
    if (count < at) return undefined;
    if (count === at && moment === 'after') await answer();
    throw new TypeError('fetch failed');
  });
  const ledger = storeOf === STORES['the conversation'] ? storeOf(client) : elsewhere(world.ledger);
  const session = new HybridSession({ client, ledger, conversationId: world.old, mirrorLease });
  return { session, count: () => count };
}

/** Another process, later. */
function later({ client, ledger, old }: Damaged): HybridSession {
  return new HybridSession({ client, ledger: elsewhere(ledger), conversationId: old, mirrorLease });
}

/** What the world holds after a heal: the old list, one whole new one, and at most one that nothing was written to. */
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

describe.each(Object.entries(STORES))('a heal with the ledger in %s', (_, storeOf) => {
  it.each(['before', 'after'] as const)(
    'that dies at any request, %s its effect, is finished by the next one',
    async (moment) => {
      const stride = storeOf === STORES['memory'] ? 1 : STRIDE;
      let at = 0;
      for (let hasDied = true; hasDied;) {
        at += stride;
        const world = await damaged(storeOf);
        const { session, count } = dying(world, storeOf, at, moment);
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
      }
      expect(at).toBeGreaterThan(6);
    },
    120_000,
  );
});

describe('a heal in a process that lives on', () => {
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

  it.each(FAULTS)('outlives $name $moment at any request', { timeout: 120_000 }, async (fault) => {
    for (let skip = 0, isOver = false; !isOver; skip += 1) {
      const world = await damaged(() => memoryLedger());
      const { simulator, old, ledger } = world;
      const client = simulatedClient(simulator, 2);
      const session = new HybridSession({ client, ledger, conversationId: old, mirrorLease });
      const before = simulator.log.length;
      const lift = simulator.fault('*', { ...fault, skip, times: 1 });
      const first = await session.heal().catch((error: unknown) => error);
      isOver = simulator.log.length - before <= skip;
      lift();
      expect(first instanceof Error ? Reflect.get(first, 'code') : 'heal_failed').toBe('heal_failed');
      const healed = await session.heal();
      expectHealed(world, healed.conversationId);
      expect(texts(await session.getItems())).toEqual(world.said);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
    }
  });

  it('is finished when any append to its ledger fails, or its answer gets lost', async () => {
    for (const moment of ['before', 'after'] as const) {
      for (let at = 1, isOver = false; !isOver; at += 1) {
        const world = await damaged(() => memoryLedger());
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
        const session = new HybridSession({ client, ledger: store, conversationId: old, mirrorLease });
        await session.heal().catch((error: unknown) => error);
        isOver = count < at;
        const healed = await later(world).heal();
        expect(healed).toMatchObject({ from: old, verified: true });
        expectHealed(world, healed.conversationId);
        expect(texts(await later(world).getItems())).toEqual(world.said);
      }
    }
  }, 60_000);
});
