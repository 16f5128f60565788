import { CONTESTANTS } from './contestants.mjs';
import { figuresOf } from './figures.mjs';
import { startPart } from './start-part.mjs';
import {
  ratiosOf,
  summariseAppends,
  summariseColdStarts,
  summariseDigests,
  summariseFirstTurns,
  summariseLedgerWrites,
  summarisePeakMemory,
  summariseThroughput,
  summariseTurns,
} from './summary.mjs';

export const PARTS = [
  'turns',
  'peakMemory',
  'coldStarts',
  'firstTurns',
  'appends',
  'ledgerWrites',
  'liveSessions',
  'throughput',
  'digests',
];

/** Runs the parts, each in processes of its own, and summarises their measurements. */
export async function measure(parts, settings, profile) {
  const { latency, points, short, only, rounds } = settings;
  const asked = (part) => parts.includes(part);
  const start = (part, options) => startPart(part, options, profile);
  const entries = CONTESTANTS.filter(({ name }) => only === undefined || only.includes(name));
  const results = {};

  const runs = [];
  for (let run = 1; asked('turns') && run <= rounds; run += 1) {
    say(`run ${run} of ${rounds}`);
    runs.push(await start('turns', { latency, points, short, only, first: run }));
  }
  if (asked('peakMemory')) results.peakMemory = summarisePeakMemory(await peaks());
  if (asked('coldStarts')) {
    const { coldTurns: turns, repeats, processes } = settings;
    results.coldStarts = summariseColdStarts(
      await start('coldStarts', { latency, turns, repeats, processes }),
    );
  }
  if (asked('firstTurns')) {
    results.firstTurns = summariseFirstTurns(
      await start('firstTurns', { latency, processes: settings.processes }),
    );
  }
  if (asked('appends'))
    results.appends = summariseAppends(await start('appends', { appends: settings.appends }));
  if (asked('ledgerWrites')) {
    results.ledgerWrites = summariseLedgerWrites(
      await start('ledgerWrites', { turns: settings.ledgerTurns }),
    );
  }
  if (asked('liveSessions')) {
    results.liveSessions = [];
    for (const kind of ['idle', 'sqlite', 'memory', 'mirrored']) {
      const sessions = kind === 'mirrored' ? settings.mirroredSessions : settings.sessions;
      results.liveSessions.push(await start('liveSessions', { kind, sessions }));
    }
  }
  if (asked('throughput')) {
    const { sessions, blocks } = settings;
    results.throughput = summariseThroughput(await start('throughput', { sessions, blocks }));
  }
  if (asked('digests')) {
    const { seconds, digestRuns } = settings;
    results.digests = summariseDigests(await start('digests', { seconds, runs: digestRuns }));
  }

  const last = points.at(-1);
  return {
    turns: summariseTurns(runs, CONTESTANTS),
    comparisons: runs.length === 0 ? [] : entries.map((entry) => comparison(runs, entry, last)),
    ...results,
    figures: figuresOf({ ...results, runs, points }),
  };

  async function peaks() {
    const shown = points.filter((point) => [1, 10, 100, 1000].includes(point));
    const measured = [];
    for (const { name } of entries) {
      say(`memory: ${name}`);
      measured.push({
        contestant: name,
        runs: [await start('peakMemory', { contestant: name, points: shown })],
      });
    }
    return measured;
  }
}

function comparison(runs, { name, label }, last) {
  const to = (contestant, keys) =>
    Object.fromEntries(
      keys.map((key) => [key, ratiosOf(runs, { contestant: name, point: last, key }, { contestant })]),
    );
  return {
    name,
    label,
    hand: to('hand', ['wall', 'cpu', 'up']),
    stock: to('stock', ['wall', 'cpu', 'bytes']),
  };
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
