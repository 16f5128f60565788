// Breaks each rule of a room in turn and counts the breaks that a test notices.
//
// node scripts/mutation.mjs [ROOM|FILE ...] [--sample COUNT [--seed TEXT]] [--report]
// node scripts/mutation.mjs --check
//
// The rooms and their tests are in scripts/mutation/rooms.mjs. A whole room takes minutes, or hours where stories test it;
// --sample tries some mutants of each. The results are kept in .mutation/; with --report no mutant is tried. Mutants that
// cannot be noticed are listed, with the reason, in scripts/mutation/equivalent.json. Fails below the score, and when a listed
// mutant was noticed or does not exist any more; --check looks for the latter alone.
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isEquivalent, readEquivalents, staleEquivalents } from './mutation/equivalent.mjs';
import { instrument } from './mutation/instrument.mjs';
import { lastEntry, readLog } from './mutation/log.mjs';
import { ENGINES, filesOf, ROOMS } from './mutation/rooms.mjs';
import { sampleOf } from './mutation/sample.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Per cent of the mutants that can be noticed. */
const MIN_SCORE = 90;
/** The longest duration of one try, in milliseconds: of one test, or of all tests that belong to a file. */
const MAX_TRY_MS = { test: 30_000, file: 300_000 };

const { values, positionals } = parseArgs({
  options: {
    check: { type: 'boolean' },
    report: { type: 'boolean' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
  allowPositionals: true,
});
const sample = values.sample === undefined ? undefined : Number(values.sample);
if (sample !== undefined && !(Number.isInteger(sample) && sample > 0)) {
  console.error('mutation: --sample takes the number of mutants to try');
  process.exit(64);
}
if (values.check) {
  const stale = await staleEquivalents(root);
  for (const { file, line } of stale)
    console.error(`mutation: listed as equivalent, and gone: ${file}: ${line}`);
  process.exit(stale.length === 0 ? 0 : 1);
}
const chosen = positionals.length === 0 ? ROOMS : positionals;
const roomOf = (one) => (ROOMS.includes(one) ? one : one.split('/')[1]);
const unknown = chosen.filter(
  (one) => !ROOMS.includes(roomOf(one)) || (one !== roomOf(one) && !filesOf(root, roomOf(one)).includes(one)),
);
if (unknown.length > 0) {
  console.error(`mutation: neither a room nor a file of one: ${unknown.join(', ')}`);
  process.exit(64);
}

const equivalent = readEquivalents(root);
let failed = false;
/** The process in which mutants are tried, which must not outlive this one. */
let running;
process.on('exit', () => running?.kill('SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
for (const one of chosen) {
  const room = roomOf(one);
  const files = one === room ? filesOf(root, room) : [one];
  const folder = join(root, '.mutation', one.replaceAll('/', '-'));
  const began = Date.now();
  if (!values.report) await tryAll(room, files, folder);
  const report = join(folder, 'report.json');
  if (!existsSync(report)) {
    console.log(`${one}: not tried yet`);
    continue;
  }
  const listed = equivalent.filter(({ file }) => files.includes(file));
  if (!describe(one, JSON.parse(readFileSync(report, 'utf8')), listed)) failed = true;
  if (!values.report) console.log(`${one}: took ${Math.round((Date.now() - began) / 1000)} s`);
}
process.exitCode = failed ? 1 : 0;

async function tryAll(room, files, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { sources, mutants } = await instrument(root, files);
  const tried = sample === undefined ? mutants : sampleOf(mutants, sample, values.seed);
  writeFileSync(join(folder, 'mutants.json'), JSON.stringify({ sources, mutants: tried }));
  console.log(`${room}: ${tried.length} of ${mutants.length} mutants`);
  while (!(await trial(room, folder)));
  const { fixed, tests } = JSON.parse(readFileSync(join(folder, 'coverage.json'), 'utf8'));
  const reached = new Set([
    ...Object.keys(fixed),
    ...Object.values(tests).flatMap(({ hits }) => Object.keys(hits)),
  ]);
  const { noticed, late } = readLog(folder);
  const statusOf = (id) =>
    late.has(id) ? 'Timeout' : noticed.has(id) ? 'Killed' : reached.has(id) ? 'Survived' : 'NoCoverage';
  writeFileSync(
    join(folder, 'report.json'),
    JSON.stringify({
      isWhole: tried.length === mutants.length,
      mutants: tried.map((mutant) => ({ ...mutant, status: statusOf(mutant.id) })),
    }),
  );
}

/** One process. @returns whether it came to an end by itself. */
function trial(room, folder) {
  const child = spawn(process.execPath, [join(root, 'scripts', 'mutation', 'trial.mjs'), folder, root], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      NODE_ENV: 'test',
      NODE_NO_WARNINGS: '1',
      MUTATION_ROOM: room,
      MUTATION_FOLDER: folder,
      TEST_ENGINES: ENGINES,
    },
  });
  running = child;
  return new Promise((resolve) => {
    const log = join(folder, 'log');
    const sizeOf = () => statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    let size = sizeOf();
    let heard = Date.now();
    const watch = setInterval(() => {
      if (sizeOf() !== size) {
        [size, heard] = [sizeOf(), Date.now()];
        // It waits for its end.
        if (lastEntry(folder).isEnding) child.kill('SIGKILL');
        return;
      }
      const { begin, test } = lastEntry(folder);
      const longest = MAX_TRY_MS[test === undefined ? 'file' : 'test'];
      if (begin === undefined || Date.now() - heard < longest) return;
      appendFileSync(log, `${JSON.stringify({ late: begin })}\n`);
      child.kill('SIGKILL');
    }, 250);
    child.on('exit', (code) => {
      clearInterval(watch);
      if (code !== null && code !== 0) process.exit(code);
      resolve(code === 0);
    });
  });
}

/** Prints a score and the surviving mutants. @returns whether the score is high enough. */
function describe(name, { isWhole, mutants }, listed) {
  const found = new Set();
  const survivors = [];
  let killed = 0;
  for (const mutant of mutants) {
    if (mutant.status === 'Killed' || mutant.status === 'Timeout') {
      killed += 1;
      continue;
    }
    const known = listed.findIndex((one) => isEquivalent(one, mutant));
    if (known === -1) survivors.push(mutant);
    else found.add(known);
  }
  const total = killed + survivors.length;
  const score = total === 0 ? 100 : (100 * killed) / total;
  for (const { fileName, line, text, replacement, mutatorName, status } of survivors)
    console.log(
      `  ${fileName}:${line} ${mutatorName}${status === 'NoCoverage' ? ' (not reached)' : ''}: ${text}  ->  ` +
        String(replacement).replaceAll(/\s+/g, ' ').slice(0, 80),
    );
  const stale = isWhole ? listed.filter((_, index) => !found.has(index)) : [];
  for (const { file, line } of stale)
    console.log(`  ${file}: listed as equivalent, and noticed or gone: ${line}`);
  console.log(
    `${name}: ${score.toFixed(1)} % of ${total} mutants noticed, ${found.size} rules listed as equivalent`,
  );
  return score >= MIN_SCORE && stale.length === 0;
}
