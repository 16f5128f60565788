// Load: many sessions at once in one process, against the simulator in a process of its own with faults on.
// `npm run load`, or `npm run load -- --sessions 200 --turns 5 --events 100000`. Exits with 1 when a bound is broken.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { HybridRunner, HybridSession, memoryLedger, statsCollector } from '../dist/esm/src/index.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '2000' },
    turns: { type: 'string', default: '20' },
    events: { type: 'string', default: '1000000' },
  },
});
const [SESSIONS, TURNS, EVENTS] = [values.sessions, values.turns, values.events].map(Number);

/** Bounds that hold on any machine: what one turn keeps, and ratios. */
const BOUNDS = {
  // Two items, a response and the records of both, with their digests; measured: about 8.
  heapPerTurnKiB: 24,
  // What a burst of requests takes on top of what stays.
  peakRssMiB: 512 + (SESSIONS * TURNS * 40) / 1024,
  // The slowest session's mean turn against the fastest one's: all share one process and one server.
  unfairness: 8,
  p99ToP50: 12,
  // What nobody has written to the conversation yet, sampled: at most what is under way.
  pendingPerSession: 4,
  heapGrowthPerMillionEventsMiB: 16,
};

const MIB = 1024 * 1024;
const heap = () => {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

if (globalThis.gc === undefined) throw new Error('Run it with: node --expose-gc scripts/load.mjs');

/** The simulator's process and its URL. */
async function server() {
  const child = spawn(process.execPath, [fileURLToPath(new URL('load/simulator.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`The simulator ended with ${code}`)));
  });
  return { url, close: () => child.stdin.end() };
}

/** Every session's turns, all sessions at once. */
async function load(url, count = SESSIONS, turns = TURNS) {
  const client = new OpenAI({ apiKey: 'test', baseURL: url, timeout: 600_000 });
  const runner = new HybridRunner({ tracingDisabled: true });
  const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
  const collector = statsCollector();
  const ledger = memoryLedger();
  const said = [];
  const latencies = [];
  const means = [];
  const sessions = Array.from(
    { length: count },
    () => new HybridSession({ client, ledger, observers: [collector], mirrorLease: 600_000 }),
  );
  const state = { pending: new Map(), peak: 0, samples: [], failures: 0 };
  const sample = setInterval(() => {
    state.peak = Math.max(state.peak, process.memoryUsage().rss);
    state.samples.push(state.underWay);
  }, 500);
  state.underWay = 0;
  const begun = performance.now();
  await Promise.all(
    sessions.map(async (session, index) => {
      const texts = [];
      let own = 0;
      for (let turn = 0; turn < turns; turn += 1) {
        const text = `session ${index} turn ${turn}`;
        const from = performance.now();
        state.underWay += 1;
        try {
          const { finalOutput } = await runner.run(agent, text, { session });
          texts.push(text, finalOutput);
        } finally {
          state.underWay -= 1;
        }
        const took = performance.now() - from;
        latencies.push(took);
        own += took;
      }
      said[index] = texts;
      means.push(own / turns);
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(sample);
  state.peak = Math.max(state.peak, process.memoryUsage().rss);
  return {
    client,
    sessions,
    said,
    latencies: latencies.toSorted((a, b) => a - b),
    means,
    seconds,
    state,
    collector,
  };
}

const textOf = ({ content }) =>
  typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('');

/** Compares every history and every list with what was said. @returns how many sessions differ. */
async function differing({ client, sessions, said }) {
  let lost = 0;
  let listsWrong = 0;
  const queue = sessions.entries();
  const worker = async () => {
    for (const [index, session] of queue) {
      for (let tries = 0; tries < 5; tries += 1)
        if (
          await session.flush().then(
            () => true,
            () => false,
          )
        )
          break;
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

/** A million events through a session and its observers. @returns how much the heap has grown, in bytes. */
async function eventsWithoutLeak() {
  const collector = statsCollector();
  let seen = 0;
  const session = new HybridSession({
    mirror: 'off',
    sessionId: 'events',
    rollout: () => {
      throw new Error('never decides');
    },
    observers: [collector],
    onEvent: () => {
      seen += 1;
    },
  });
  const until = async (count) => {
    for (let left = count - seen; left > 0; left = count - seen) await session.getItems(0);
  };
  await until(Math.ceil(EVENTS / 10));
  const before = heap();
  await until(EVENTS + Math.ceil(EVENTS / 10));
  return { grown: heap() - before, seen };
}

const started = performance.now();
const { url, close } = await server();
// What the first turns load stays, however few or many there are.
const warm = await load(url, Math.min(SESSIONS, 50), 2);
await differing(warm);
const before = heap();
const result = await load(url);
const { lost, listsWrong } = await differing(result);
const stay = heap() - before;
const { grown, seen } = await eventsWithoutLeak();
close();

const { latencies, means, state, seconds, collector } = result;
const half = Math.floor(state.samples.length / 2);
const measured = {
  sessions: SESSIONS,
  turns: TURNS,
  seconds: Math.round(seconds),
  turnsPerSecond: Math.round((SESSIONS * TURNS) / seconds),
  lost,
  listsWrong,
  heapPerTurnKiB: Number((stay / 1024 / (SESSIONS * TURNS)).toFixed(2)),
  peakRssMiB: Math.round(state.peak / MIB),
  underWay: Math.max(0, ...state.samples.slice(half)),
  p50: Math.round(quantile(latencies, 0.5)),
  p99: Math.round(quantile(latencies, 0.99)),
  unfairness: Number((Math.max(...means) / Math.min(...means)).toFixed(2)),
  events: seen,
  heapGrowthByEventsMiB: Number((grown / MIB).toFixed(2)),
  told: collector.stats().events,
};
const checks = {
  'no session has lost, doubled or moved anything': lost === 0,
  'every list holds what was said': listsWrong === 0,
  'the heap keeps no more for a turn than it should': measured.heapPerTurnKiB <= BOUNDS.heapPerTurnKiB,
  'the peak of memory is bounded': measured.peakRssMiB <= BOUNDS.peakRssMiB,
  'nothing queues up': measured.underWay <= SESSIONS,
  'the slowest turns are not far from the others':
    measured.p99 <= Math.max(1, measured.p50) * BOUNDS.p99ToP50,
  'no session is starved': measured.unfairness <= BOUNDS.unfairness,
  'events leave nothing behind':
    grown / MIB <= (BOUNDS.heapGrowthPerMillionEventsMiB * EVENTS) / 1_000_000 + 4,
};
console.log(JSON.stringify(measured, undefined, 2));
const broken = Object.keys(checks).filter((name) => !checks[name]);
for (const name of Object.keys(checks)) console.log(`${checks[name] ? 'ok    ' : 'BROKEN'} ${name}`);
console.log(`load: ${((performance.now() - started) / 1000).toFixed(1)} s`);
if (process.env.TEST_RESULTS !== undefined) {
  mkdirSync('test-results', { recursive: true });
  const count = Object.keys(checks).length;
  const totals = {
    success: broken.length === 0,
    numPassedTests: count - broken.length,
    numFailedTests: broken.length,
    numPendingTests: 0,
    numTodoTests: 0,
    measured,
  };
  writeFileSync(process.env.TEST_RESULTS, JSON.stringify(totals));
}
process.exit(broken.length === 0 ? 0 : 1);
