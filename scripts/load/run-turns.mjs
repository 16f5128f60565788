// Many sessions at once, every second one with its mirror in the background.
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { HybridRunner, HybridSession, memoryLedger, statsCollector } from '../../dist/esm/src/index.js';
import { watchQueues } from './watch-queues.mjs';

/** @returns the sessions, the texts of each, and the measurements. */
export async function runTurns(url, { sessions: count, turns }) {
  const queues = watchQueues(count * turns);
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: url,
    timeout: 600_000,
    fetch: (...args) => queues.fetch(...args),
  });
  const runner = new HybridRunner({ tracingDisabled: true });
  const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
  const collector = statsCollector();
  const ledger = memoryLedger();
  const sessions = Array.from(
    { length: count },
    (_, index) =>
      new HybridSession({
        client,
        ledger,
        bookmark: false,
        mirror: index % 2 === 0 ? 'await' : 'background',
        observers: [collector, queues.observer],
        advanced: { mirrorLease: 600_000 },
      }),
  );
  const said = [];
  const latencies = [];
  const means = [];
  const begun = performance.now();
  await Promise.all(
    sessions.map(async (session, index) => {
      const texts = [];
      let own = 0;
      for (let turn = 0; turn < turns; turn += 1) {
        const text = `session ${index} turn ${turn}`;
        const from = performance.now();
        const { finalOutput } = await runner.run(agent, text, { session });
        const took = performance.now() - from;
        texts.push(text, finalOutput);
        latencies.push(took);
        own += took;
        queues.turnEnded(took);
      }
      said[index] = texts;
      means.push(own / turns);
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  const { quarters, peakRss } = queues.end();
  return {
    client,
    sessions,
    said,
    latencies: latencies.toSorted((a, b) => a - b),
    means,
    seconds,
    quarters,
    peakRss,
    collector,
    underWay: () => queues.underWay,
  };
}

/** Compares every history and every conversation with the texts. @returns how many sessions differ. */
export async function differing({ client, sessions, said }) {
  let lost = 0;
  let listsWrong = 0;
  const queue = sessions.entries();
  const worker = async () => {
    for (const [index, session] of queue) {
      await flushed(session);
      const expected = said[index].join('\n');
      const items = await session.getItems();
      if (items.map((item) => textOf(item)).join('\n') !== expected) lost += 1;
      const listed = [];
      const page = client.conversations.items.list(await session.getSessionId(), {
        order: 'asc',
        limit: 100,
      });
      for await (const item of page) listed.push(textOf(item));
      if (listed.join('\n') !== expected) listsWrong += 1;
    }
  };
  await Promise.all(Array.from({ length: 50 }, worker));
  return { lost, listsWrong };
}

async function flushed(session) {
  for (let tries = 0; tries < 5; tries += 1) {
    const isDone = await session.flush().then(
      () => true,
      () => false,
    );
    // A fault: the next try looks and goes on.
    if (isDone) return;
  }
}

function textOf({ content }) {
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('');
}
