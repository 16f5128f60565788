import { plansIn } from '../support/story.ts';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../../mocks/simulator.ts';
import { HybridRunner, HybridSession, type HybridSessionEvent } from '../../../src/index.ts';
import { clock } from '../../../src/util/clock.ts';
import { afterRequests } from '../../support/after-requests.ts';
import { roles, texts } from '../../support/conversation.ts';
import { work, type SharedStore } from '../../support/processes.ts';
import { missingServer, openStore, type OpenedStore } from './shared-stores.ts';
import { FULL } from '../../support/runs.ts';

const PROCESSES = FULL ? 8 : 3;
const TURNS = FULL ? 25 : 8;
const KILLS = FULL ? 16 : 4;
const CLEARS = FULL ? 10 : 2;
/** So long that no process that lives loses its lease on a slow machine; the clock of the next one is that much ahead. */
const MIRROR_LEASE = 120_000;

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

interface World {
  readonly simulator: SimulatorCore;
  readonly store: OpenedStore;
  readonly baseURL: string;
  readonly client: OpenAI;
  readonly conversationId: string;
  /** A session in this process that knows the conversation's ID and the store. */
  readonly open: (events?: HybridSessionEvent[]) => HybridSession;
}

const closing: (() => Promise<unknown>)[] = [];

/** @param seed another one for each world: a server keeps the objects of a former world under its IDs. */
async function world(kind: SharedStore['kind'], seed: number): Promise<World> {
  const simulator = createSimulatorCore({ unlink: 'none', retain: 5000, seed });
  const server = await simulator.listen();
  const store = await openStore(kind);
  closing.push(store.close, () => server.close());
  const client = new OpenAI({ apiKey: 'test', baseURL: server.url });
  const conversationId = (await client.conversations.create()).id;
  await store.ledger.delete(conversationId);
  const open = (events: HybridSessionEvent[] = []): HybridSession =>
    new HybridSession({
      client,
      conversationId,
      ledger: store.ledger,
      advanced: { mirrorLease: MIRROR_LEASE },
      onEvent: (event) => void events.push(event),
    });
  return { simulator, store, baseURL: server.url, client, conversationId, open };
}

/** The user messages in the conversation's list. */
async function listed(client: OpenAI, conversationId: string): Promise<string[]> {
  const said: string[] = [];
  for await (const item of client.conversations.items.list(conversationId, { order: 'asc', limit: 100 })) {
    if (item.type !== 'message' || item.role !== 'user') continue;
    said.push(item.content.map((part) => ('text' in part ? part.text : '')).join(''));
  }
  return said;
}

beforeAll(() => {
  const built = fileURLToPath(new URL('../../../dist/esm/src/index.js', import.meta.url));
  if (!existsSync(built)) throw new Error('The workers read the built package; run: npm run build');
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Proves for one kind of store the view of an independent process. */
export function proveManyProcesses(kind: SharedStore['kind']): void {
  const missing = missingServer(kind);
  const title = missing === undefined ? kind : `${kind} (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(
    `many processes on one session, in ${title}`,
    { timeout: 1_200_000 },
    () => {
      it(`${PROCESSES} processes take ${TURNS} turns each: every turn once, in one order, in the ledger and in the conversation`, async () => {
        const { store, baseURL, client, conversationId, open } = await world(kind, 1);
        const names = Array.from({ length: PROCESSES }, (_, index) => `process ${index}`);
        const results = await Promise.all(
          names.map((name) =>
            work({
              store: store.shared,
              conversationId,
              baseURL,
              name,
              turns: TURNS,
              mirrorLease: MIRROR_LEASE,
              later: 0,
            }),
          ),
        );
        for (const { finished, errors } of results)
          expect({ finished, errors: finished ? '' : errors }).toEqual({ finished: true, errors: '' });
        const events: HybridSessionEvent[] = [];
        const session = open(events);
        const items = await session.getItems();
        const said = texts(items).filter((_, index) => index % 2 === 0);
        expect(roles(items)).toBe(Array.from({ length: PROCESSES * TURNS }, () => 'u,a').join(','));
        expect(said.toSorted()).toEqual(results.flatMap(({ resolved }) => resolved).toSorted());
        for (const { resolved } of results)
          expect(said.filter((text) => resolved.includes(text))).toEqual(resolved);
        expect(await listed(client, conversationId)).toEqual(said);
        expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
        // The turns of the other processes were never in one chain: the next turn replays once, then it chains again.
        const runner = new HybridRunner({ tracingDisabled: true });
        await runner.run(agent, 'and now?', { session });
        await runner.run(agent, 'thanks', { session });
        expect(plansIn(events).at(-1)?.plan).toBe('chain');
      });

      it(`a session cleared ${CLEARS} times during the turns of ${PROCESSES} processes keeps the turns after the last clear, in one conversation`, async () => {
        const { simulator, store, baseURL, client, conversationId, open } = await world(kind, 3);
        const session = open();
        const clearing = async (): Promise<void> => {
          for (let clear = 0; clear < CLEARS; clear += 1) {
            await afterRequests(simulator, 17);
            await session.clearSession();
          }
        };
        const [results] = await Promise.all([
          Promise.all(
            Array.from({ length: PROCESSES }, (_, index) =>
              work({
                store: store.shared,
                conversationId,
                baseURL,
                name: `process ${index}`,
                turns: TURNS,
                mirrorLease: MIRROR_LEASE,
                later: 0,
              }),
            ),
          ),
          clearing(),
        ]);
        for (const { finished, errors } of results)
          expect({ finished, errors: finished ? '' : errors }).toEqual({ finished: true, errors: '' });
        await session.flush();
        const items = await session.getItems();
        const said = texts(items).filter((_, index) => index % 2 === 0);
        expect(roles(items)).toBe(said.map(() => 'u,a').join(','));
        expect(said.length).toBeLessThan(PROCESSES * TURNS);
        for (const { resolved } of results) {
          const own = said.filter((text) => resolved.includes(text));
          expect(own).toEqual(resolved.slice(resolved.length - own.length));
        }
        expect(await session.getSessionId()).toBe(conversationId);
        const filled = simulator.snapshot().conversations.filter(({ items: held }) => held.length > 0);
        expect(filled.map(({ id }) => id)).toEqual(said.length === 0 ? [] : [session.conversationId]);
        const shown = said.length === 0 ? [] : await listed(client, session.conversationId ?? '');
        expect(shown).toEqual(said);
        expect(await open().verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
      });

      it(`a process killed ${KILLS} times keeps every answer once, and the conversation catches up`, async () => {
        const { simulator, store, baseURL, client, conversationId, open } = await world(kind, 2);
        const answered: string[] = [];
        for (let kill = 0; kill < KILLS; kill += 1) {
          const order = {
            store: store.shared,
            conversationId,
            baseURL,
            name: `life ${kill}`,
            turns: 1000,
            mirrorLease: MIRROR_LEASE,
            later: kill * MIRROR_LEASE,
          };
          // Spread over the first turns of a process: reading, asking, appending, mirroring.
          const { resolved } = await work(order, afterRequests(simulator, 1 + ((kill * 5) % 13)));
          answered.push(...resolved);
        }
        const now = vi.spyOn(clock, 'now').mockImplementation(() => Date.now() + KILLS * MIRROR_LEASE);
        onTestFinished(() => now.mockRestore());
        const session = open();
        await session.flush();
        const items = await session.getItems();
        const said = texts(items).filter((_, index) => index % 2 === 0);
        // A turn is one append: it is there with its answer, or not at all.
        expect(roles(items)).toBe(said.map(() => 'u,a').join(','));
        expect(new Set(said).size).toBe(said.length);
        expect(said.filter((text) => answered.includes(text))).toEqual(answered);
        // At most the one turn that was under way when its process died was stored without having been answered for.
        expect(said.length - answered.length).toBeLessThanOrEqual(KILLS);
        expect(await listed(client, conversationId)).toEqual(said);
        expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
      });
    },
  );
}
