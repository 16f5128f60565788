// Load: many sessions at once in one process, against the simulator in a process of its own with faults on; then events.
// `npm run load`, or `npm run load -- --sessions 200 --turns 5 --events 100000`. Exits with 1 when a bound is broken.
import { parseArgs } from 'node:util';
import { heap, MIB } from './load/heap.mjs';
import { runEvents } from './load/run-events.mjs';
import { differing, runTurns } from './load/run-turns.mjs';
import { startSimulator } from './load/start-simulator.mjs';
import { growing } from './load/watch-queues.mjs';
import { countChecks, writeTotals } from './write-totals.mjs';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '2000' },
    turns: { type: 'string', default: '20' },
    events: { type: 'string', default: '1000000' },
  },
});
const [SESSIONS, TURNS, EVENTS] = [values.sessions, values.turns, values.events].map(Number);

/** Bounds for any machine: the memory that a turn keeps, and ratios. */
const BOUNDS = {
  // Two items, a response and the records of both, with their digests; measured: about 8.
  heapPerTurnKiB: 24,
  // The additional memory of a burst of requests.
  peakRssMiB: 512 + (SESSIONS * TURNS * 40) / 1024,
  // The slowest session's mean turn against the fastest one's: all share one process and one server.
  unfairness: 8,
  p99ToP50: 12,
  heapGrowthMiB: 4 + (16 * EVENTS) / 1_000_000,
};

const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

if (globalThis.gc === undefined) throw new Error('Run it with: node --expose-gc scripts/load.mjs');

const started = performance.now();
const { url, close } = await startSimulator();
// Modules that the first turns load stay in memory, for any number of turns.
const warm = await runTurns(url, { sessions: Math.min(SESSIONS, 50), turns: 2 });
await differing(warm);
const before = heap();
const result = await runTurns(url, { sessions: SESSIONS, turns: TURNS });
const { lost, listsWrong } = await differing(result);
const stay = heap() - before;
const leftUnderWay = result.underWay();
const { told, missing, grown } = await runEvents(EVENTS);
close();

const { latencies, means, seconds, quarters, peakRss, collector } = result;
const queues = growing(quarters, SESSIONS);
const measured = {
  sessions: SESSIONS,
  turns: TURNS,
  seconds: Math.round(seconds),
  turnsPerSecond: Math.round((SESSIONS * TURNS) / seconds),
  lost,
  listsWrong,
  heapPerTurnKiB: Number((stay / 1024 / (SESSIONS * TURNS)).toFixed(2)),
  peakRssMiB: Math.round(peakRss / MIB),
  p50: Math.round(quantile(latencies, 0.5)),
  p99: Math.round(quantile(latencies, 0.99)),
  unfairness: Number((Math.max(...means) / Math.min(...means)).toFixed(2)),
  faults: collector.stats().events,
  events: told,
  heapGrowthByEventsMiB: Number((grown / MIB).toFixed(2)),
};
const checks = {
  'no session has lost, doubled or moved anything': lost === 0,
  'every list holds what was said': listsWrong === 0,
  'the heap keeps no more for a turn than it should': measured.heapPerTurnKiB <= BOUNDS.heapPerTurnKiB,
  'the peak of memory is bounded': measured.peakRssMiB <= BOUNDS.peakRssMiB,
  'nothing queues up': queues.length === 0,
  'nothing goes on when everything is written': leftUnderWay === 0,
  'the slowest turns are not far from the others':
    measured.p99 <= Math.max(1, measured.p50) * BOUNDS.p99ToP50,
  'no session is starved': measured.unfairness <= BOUNDS.unfairness,
  'there were events of every kind': missing.length === 0,
  'events leave nothing behind': grown / MIB <= BOUNDS.heapGrowthMiB,
};
console.log(JSON.stringify(measured, undefined, 2));
console.table(quarters);
for (const queue of queues) console.log(`GROWS  ${queue}`);
for (const kind of missing) console.log(`NEVER  ${kind}`);
const broken = Object.keys(checks).filter((name) => !checks[name]);
for (const name of Object.keys(checks)) console.log(`${checks[name] ? 'ok    ' : 'BROKEN'} ${name}`);
console.log(`load: ${((performance.now() - started) / 1000).toFixed(1)} s`);
writeTotals(countChecks(checks), { ...measured, quarters });
process.exit(broken.length === 0 ? 0 : 1);
