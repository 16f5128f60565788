import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore } from '../../../mocks/simulator.ts';
import { HybridSession } from '../../../src/index.ts';
import { texts } from '../../support/conversation.ts';
import { listedTexts } from '../support/story.ts';
import { openStore } from './shared-stores.ts';

const WORKER = fileURLToPath(new URL('../../support/closing-worker.mjs', import.meta.url));

interface Order {
  readonly listener: 'on' | 'once' | 'none';
  readonly signal: 'SIGTERM' | 'SIGINT';
  /** How often the conversation refuses the item. */
  readonly refusals: number;
  readonly timeout: number;
}

/** Stops a process whose item the conversation lacks. */
async function stopped({ listener, signal, refusals, timeout }: Order) {
  const simulator = createSimulatorCore({ unlink: 'none' });
  const server = await simulator.listen();
  const { shared, ledger, close } = await openStore('sqlite');
  onTestFinished(async () => {
    await close();
    await server.close();
  });
  const client = new OpenAI({ apiKey: 'test', baseURL: server.url });
  const { id: conversationId } = await client.conversations.create();
  simulator.fault('conversations.items.create', { status: 500, times: refusals });
  const order = { baseURL: server.url, path: shared.at, conversationId, listener, timeout };
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') child.kill(signal);
    else lines.push(line);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const reread = async (): Promise<string[]> =>
    texts(await new HybridSession({ client, ledger, conversationId }).getItems());
  return {
    code,
    listed: listedTexts(simulator, conversationId),
    reread,
    conversationId,
    result: JSON.parse(lines[0] ?? 'null') as unknown,
  };
}

beforeAll(() => {
  const built = fileURLToPath(new URL('../../../dist/esm/src/index.js', import.meta.url));
  if (!existsSync(built)) throw new Error('The workers read the built package; run: npm run build');
});

it.each(['SIGTERM', 'SIGINT'] as const)(
  "closeAll() in a listener of %s writes pending items before the SDK's listener ends the process",
  async (signal) => {
    const { code, listed, result } = await stopped({ listener: 'on', signal, refusals: 1, timeout: 60_000 });
    expect({ code, listed, result }).toEqual({
      code: 0,
      listed: ['one'],
      result: { flushed: 1, unfinished: [] },
    });
  },
);

it("the SDK's listener ends the process first without a listener of the app, or with one that was added by once()", async () => {
  for (const listener of ['none', 'once'] as const) {
    const order = { listener, signal: 'SIGTERM', refusals: 1, timeout: 60_000 } as const;
    const { code, listed, result, reread } = await stopped(order);
    expect({ code, listed, result }).toEqual({ code: 0, listed: [], result: null });
    expect(await reread()).toEqual(['one']);
  }
});

it('closeAll() names the sessions that it could not flush, and their items stay in the ledger', async () => {
  const order = { listener: 'on', signal: 'SIGTERM', refusals: 1000, timeout: 1500 } as const;
  const { code, listed, result, reread, conversationId } = await stopped(order);
  const unfinished = [{ sessionId: conversationId, conversationId, pending: 1 }];
  expect({ code, listed, result }).toMatchObject({ code: 0, listed: [], result: { flushed: 0, unfinished } });
  expect(await reread()).toEqual(['one']);
});
