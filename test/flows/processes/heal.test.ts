import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../../mocks/simulator.ts';
import { HybridSession } from '../../../src/index.ts';
import { afterRequests } from '../../support/after-requests.ts';
import { texts, user } from '../../support/conversation.ts';
import { healElsewhere, type HealOrder } from '../../support/heal-process.ts';
import { listedTexts } from '../support/story.ts';
import { openStore } from './shared-stores.ts';
import { FULL } from '../../support/runs.ts';

/** So long that no process that lives loses its lease on a slow machine; the clock of the next one is that much ahead. */
const LEASE = 120_000;
/** How often a process is killed at most. */
const LIVES = 12;
const LINES = Array.from({ length: 90 }, (_, index) => `line ${index}`);

interface World {
  readonly simulator: SimulatorCore;
  readonly order: HealOrder;
  readonly open: () => HybridSession;
}

async function world(): Promise<World> {
  const simulator = createSimulatorCore({ unlink: 'none', latency: 5 });
  const server = await simulator.listen();
  const store = await openStore('sqlite');
  onTestFinished(async () => {
    await store.close();
    await server.close();
  });
  const client = new OpenAI({ apiKey: 'test', baseURL: server.url });
  const { ledger, shared } = store;
  const session = new HybridSession({ client, ledger });
  await session.addItems(LINES.map((text) => user(text)));
  const conversationId = await session.getSessionId();
  const order = { path: shared.at, conversationId, baseURL: server.url, mirrorLease: LEASE, later: 0 };
  return { simulator, order, open: () => new HybridSession({ client, ledger, conversationId }) };
}

async function expectOneWhole({ simulator, order, open }: World, to: string): Promise<void> {
  const { conversations } = simulator.snapshot();
  const copies = conversations.filter(({ id, items }) => id !== order.conversationId && items.length > 0);
  expect(copies.map(({ id }) => id)).toEqual([to]);
  expect(listedTexts(simulator, to)).toEqual(LINES);
  const session = open();
  expect(texts(await session.getItems())).toEqual(LINES);
  expect(await session.verify()).toMatchObject({
    conversationId: to,
    verified: true,
    findings: [],
    pending: 0,
  });
}

beforeAll(() => {
  const built = fileURLToPath(new URL('../../../dist/esm/src/index.js', import.meta.url));
  if (!existsSync(built)) throw new Error('The workers read the built package; run: npm run build');
});

it.runIf(FULL)('a process killed after any request of a heal leaves no copy and no leftover', async () => {
  for (let at = 1; ; at += 1) {
    const made = await world();
    const first = await healElsewhere(made.order, afterRequests(made.simulator, at));
    const second = await healElsewhere({ ...made.order, later: LEASE });
    expect(second).toEqual({ to: expect.stringMatching(/^conv_/), errors: '' });
    await expectOneWhole(made, second.to ?? '');
    if (first.to !== undefined) break;
  }
});

it('a heal ends after its process was killed again and again', async () => {
  const made = await world();
  const inLife = (life: number): HealOrder => ({ ...made.order, later: life * LEASE });
  let to: string | undefined;
  for (let life = 0; to === undefined && life < LIVES; life += 1)
    to = (await healElsewhere(inLife(life), afterRequests(made.simulator, 7))).to;
  to ??= (await healElsewhere(inLife(LIVES))).to;
  expect(to).toMatch(/^conv_/);
  await expectOneWhole(made, to ?? '');
});

it('four processes that heal at once write one conversation', async () => {
  const made = await world();
  const ends = await Promise.all([1, 2, 3, 4].map(() => healElsewhere(made.order)));
  expect(ends.map(({ errors }) => errors).join('')).toBe('');
  const [to = ''] = ends.map((end) => end.to ?? '');
  expect(ends.map((end) => end.to)).toEqual([to, to, to, to]);
  await expectOneWhole(made, to);
});
