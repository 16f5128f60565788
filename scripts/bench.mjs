// Measures the costs of a turn: ours in every mode, the SDK's sessions, and chaining by hand. See docs/benchmarks.md.
//
// npm run bench -- [--quick] [--runs 3] [--latency 5] [--turns 1000] [--only hand,stock] [--parts turns,appends] [--json FILE]
//   [--svg FILE] [--write] [--profile FOLDER]
// node scripts/bench.mjs --check    whether docs/benchmarks.md and docs/bench/ agree with docs/bench/results.json
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { publish, unlike } from './bench/publish.mjs';
import { fullReport } from './bench/markdown.mjs';
import { plot } from './bench/plot.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    latency: { type: 'string' },
    turns: { type: 'string' },
    only: { type: 'string' },
    parts: { type: 'string' },
    json: { type: 'string' },
    svg: { type: 'string' },
    write: { type: 'boolean', default: false },
    profile: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});

if (values.check) {
  const wrong = unlike();
  for (const path of wrong) console.error(`bench: ${path} is not what docs/bench/results.json makes it`);
  process.exit(wrong.length === 0 ? 0 : 1);
}

// Not before it is needed: it loads the built package.
const { measure, PARTS } = await import('./bench/measure.mjs');
const parts = values.parts?.split(',') ?? PARTS;
const unknown = parts.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  console.error(`bench: unknown parts: ${unknown.join(', ')}; there are ${PARTS.join(', ')}`);
  process.exit(64);
}

const FULL = {
  points: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  short: 4,
  rounds: 3,
  coldTurns: 1000,
  repeats: 15,
  processes: 7,
  appends: 200,
  ledgerTurns: 30,
  sessions: 10_000,
  blocks: 10,
  mirroredSessions: 1000,
  seconds: 0.5,
  digestRuns: 7,
};
const QUICK = {
  points: [1, 2, 5, 10, 20, 50, 100],
  short: 1,
  rounds: 1,
  coldTurns: 100,
  repeats: 3,
  processes: 2,
  appends: 50,
  ledgerTurns: 5,
  sessions: 1000,
  blocks: 2,
  mirroredSessions: 100,
  seconds: 0.1,
  digestRuns: 3,
  only: ['stock', 'memory', 'hand', 'rebuild', 'chain-background', 'anchored-background', 'anchored-off'],
};
const given = values.quick ? QUICK : FULL;
const settings = {
  ...given,
  quick: values.quick,
  rounds: values.runs === undefined ? given.rounds : Number(values.runs),
  latency: values.latency === undefined ? 5 : Number(values.latency),
  points: given.points.filter((point) => point <= Number(values.turns ?? Number.POSITIVE_INFINITY)),
  ...(values.only === undefined ? {} : { only: values.only.split(',') }),
};

const begun = performance.now();
const results = {
  version: 1,
  made: new Date().toISOString().slice(0, 10),
  machine: {
    node: `Node ${process.version.slice(1)}`,
    cpu: (cpus()[0]?.model ?? 'unknown').trim(),
    cores: cpus().length,
    load: loadavg()[0],
  },
  settings,
  ...(await measure(parts, settings, values.profile)),
};
console.log(fullReport(results));
console.error(`bench: ${Math.round((performance.now() - begun) / 1000)} s`);
if (settings.quick)
  console.error(`bench: quick: the figures are about turn 1,000, not ${settings.points.at(-1)}`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
if (values.svg !== undefined) writeFileSync(values.svg, plot(results));
if (values.write) publish(results);
