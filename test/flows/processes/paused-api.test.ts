import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore } from '../../../mocks/simulator.ts';
import { HybridRunner, HybridSession, memoryLedger, type HybridSessionOptions } from '../../../src/index.ts';
import { texts } from '../../support/conversation.ts';
import { listedTexts } from '../support/story.ts';
import { FULL } from '../../support/runs.ts';

const RELAY = fileURLToPath(new URL('../../support/relay.mjs', import.meta.url));
const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
const runner = new HybridRunner({ tracingDisabled: true });

/** A session whose model answers, while a process of its own is the way to the Conversations API. */
async function world(options: HybridSessionOptions) {
  const simulator = createSimulatorCore({ unlink: 'none' });
  const server = await simulator.listen();
  const relay = spawn(process.execPath, [RELAY, server.url], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface({ input: relay.stdout }), 'line')) as [string];
  onTestFinished(async () => {
    relay.kill('SIGKILL');
    await server.close();
  });
  const fetch: typeof globalThis.fetch = (input, init) => {
    const asked = new Request(input, init);
    const target = asked.url.includes('/conversations') ? asked.url.replace(server.url, url) : asked.url;
    return globalThis.fetch(new Request(target, asked));
  };
  const client = new OpenAI({ apiKey: 'test', baseURL: server.url, fetch });
  const open = (more: HybridSessionOptions = {}): HybridSession =>
    new HybridSession({ client, ...options, ...more });
  return {
    simulator,
    open,
    session: open(),
    pause: () => relay.kill('SIGSTOP'),
    go: () => relay.kill('SIGCONT'),
  };
}

const took = async (act: () => Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await act();
  return performance.now() - from;
};

describe.skipIf(!FULL)('while the Conversations API does not answer', () => {
  it.each([
    // The limit of a run, and time for a slow machine; the client itself gives up after ten minutes.
    { mirror: 'await', limit: 30_000 },
    { mirror: 'background', limit: 8_000 },
  ] as const)('a run with mirror $mirror returns its answer in time', async ({ mirror, limit }) => {
    const { session, simulator, pause, go } = await world({ mirror });
    await runner.run(agent, 'one', { session });
    await session.flush();
    pause();
    const times: number[] = [];
    for (const text of ['two', 'three']) times.push(await took(() => runner.run(agent, text, { session })));
    const history = await session.getItems();
    go();
    for (const time of times) expect(time).toBeLessThan(limit);
    expect(texts(history).filter((_, at) => at % 2 === 0)).toEqual(['one', 'two', 'three']);
    await session.flush();
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(texts(history));
    expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0, length: 6 });
  });

  it('a session that the ledger knows serves its history at once to a new process', async () => {
    const ledger = memoryLedger();
    const { session, open, pause, go } = await world({ ledger });
    await runner.run(agent, 'one', { session });
    const conversationId = await session.getSessionId();
    pause();
    const other = open({ ledger: { ...ledger }, conversationId });
    let history: unknown[] = [];
    const time = await took(async () => (history = texts(await other.getItems())));
    go();
    expect(time).toBeLessThan(8000);
    expect(history).toHaveLength(2);
  });
});
