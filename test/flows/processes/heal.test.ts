import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../../mocks/simulator.ts';
import { HybridSession } from '../../../src/index.ts';
import { texts, user } from '../../support/conversation.ts';
import { healElsewhere, type HealOrder } from '../../support/heal-process.ts';
import { listedTexts } from '../support/story.ts';
import { openStore } from './shared-stores.ts';

/** Every request where time is no matter, as in CI; enough to see it work elsewhere. */
const STRIDE = process.env['TEST_FULL'] === '1' ? 1 : 4;
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
  const order = { path: shared.at, conversationId, baseURL: server.url, mirrorLease: 500 };
  return { simulator, order, open: () => new HybridSession({ client, ledger, conversationId }) };
}

/** Resolves when the simulator has seen that many more requests: the newest one has had its effect. */
function requests(simulator: SimulatorCore, count: number): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    const lift = simulator.onRequest(() => {
      left -= 1;
      if (left > 0) return;
      lift();
      resolve();
    });
  });
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

it('a process that is killed after any request of a heal leaves nothing twice and nothing behind', async () => {
  for (let at = 1; ; at += STRIDE) {
    const made = await world();
    const first = await healElsewhere(made.order, requests(made.simulator, at));
    const second = await healElsewhere(made.order);
    expect(second).toEqual({ to: expect.stringMatching(/^conv_/), errors: '' });
    await expectOneWhole(made, second.to ?? '');
    if (first.to !== undefined) break;
  }
}, 240_000);

it('a process that is killed again and again gets there', async () => {
  const made = await world();
  let to: string | undefined;
  for (let life = 0; to === undefined && life < 12; life += 1)
    to = (await healElsewhere(made.order, requests(made.simulator, 7))).to;
  to ??= (await healElsewhere(made.order)).to;
  expect(to).toMatch(/^conv_/);
  await expectOneWhole(made, to ?? '');
}, 240_000);

it('four processes that heal at once write one conversation', async () => {
  const made = await world();
  const ends = await Promise.all([1, 2, 3, 4].map(() => healElsewhere(made.order)));
  expect(ends.map(({ errors }) => errors).join('')).toBe('');
  const [to = ''] = ends.map((end) => end.to ?? '');
  expect(ends.map((end) => end.to)).toEqual([to, to, to, to]);
  await expectOneWhole(made, to);
}, 120_000);
