import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createSimulatorCore } from '../../../mocks/simulator.ts';
import { HybridRunner, HybridSession, type HybridSessionEvent } from '../../../src/index.ts';
import { roles, texts } from '../../support/conversation.ts';
import { work, type SharedStore } from '../../support/processes.ts';
import { missingServer, openStore, type OpenedStore } from './shared-stores.ts';

/** All of it where time is no matter, as in CI; enough to see it work elsewhere. */
const FULL = process.env['TEST_FULL'] === '1';
const PROCESSES = FULL ? 8 : 3;
const TURNS = FULL ? 50 : 8;
const KILLS = FULL ? 200 : 6;
const MIRROR_LEASE = 1000;

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

interface World {
  readonly store: OpenedStore;
  readonly baseURL: string;
  readonly client: OpenAI;
  readonly conversationId: string;
  /** A session in this process that knows the conversation's ID and the store. */
  readonly open: (events?: HybridSessionEvent[]) => HybridSession;
}

const closing: (() => Promise<unknown>)[] = [];

/** @param seed another one for each world: a server keeps what is stored under an ID that another world had. */
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
      mirrorLease: MIRROR_LEASE,
      onEvent: (event) => void events.push(event),
    });
  return { store, baseURL: server.url, client, conversationId, open };
}

/** What users said in the conversation's own list. */
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

/** Proves for one kind of store what an independent process would see. */
export function proveManyProcesses(kind: SharedStore['kind']): void {
  const missing = missingServer(kind);
  const title = missing === undefined ? kind : `${kind} (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(
    `Many processes on one session, in ${title}`,
    { timeout: 1_200_000 },
    () => {
      it(`${PROCESSES} processes take ${TURNS} turns each: every turn once, in one order, in the ledger and in the list`, async () => {
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
            }),
          ),
        );
        for (const { finished, errors } of results)
          expect({ finished, errors }).toMatchObject({ finished: true });
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
        // What the others said was never in one chain: the next turn replays once, then it chains again.
        const runner = new HybridRunner({ tracingDisabled: true });
        await runner.run(agent, 'and now?', { session });
        await runner.run(agent, 'thanks', { session });
        const plans = events.flatMap((event) => (event.type === 'planned' ? [event.plan] : []));
        expect(plans.at(-1)).toBe('chain');
      });

      it(`a process is killed ${KILLS} times: what was answered stays, once, and the list catches up`, async () => {
        const { store, baseURL, client, conversationId, open } = await world(kind, 2);
        const answered: string[] = [];
        for (let kill = 0; kill < KILLS; kill += 1) {
          const order = { store: store.shared, conversationId, baseURL, name: `life ${kill}`, turns: 1000 };
          // Spread over the first turns of a process: reading, asking, appending, mirroring.
          const { resolved } = await work({ ...order, mirrorLease: MIRROR_LEASE }, (kill * 37) % 211);
          answered.push(...resolved);
        }
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
