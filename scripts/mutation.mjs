// Breaks each rule of the pure rooms in turn and counts the breaks that a test notices.
//
// node scripts/mutation.mjs [ledger|history|model|FILE ...] [--report]
//
// Takes some minutes a room. What was found is kept in .mutation/; with --report nothing is tried. Mutants that nobody
// could notice are listed, with the reason, in scripts/mutation/equivalent.json. Fails below the score, and when a listed
// mutant does not exist any more.
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { instrument } from './mutation/instrument.mjs';
import { lastEntry, readLog } from './mutation/log.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ROOMS = ['ledger', 'history', 'model'];
/** Per cent of the mutants that somebody could notice. */
const LEAST = 85;
/** How long one try takes at most, in milliseconds: one test, or all that belong to a file. */
const LONGEST_TRY = { test: 12_000, file: 90_000 };

const { values, positionals } = parseArgs({
  options: { report: { type: 'boolean' } },
  allowPositionals: true,
});
const chosen = positionals.length === 0 ? ROOMS : positionals;
const unknown = chosen.filter(
  (one) => !ROOMS.includes(one) && !/^src\/(ledger|history|model)\/[^/]+\.ts$/.test(one),
);
if (unknown.length > 0) {
  console.error(`mutation: neither a room nor a file of one: ${unknown.join(', ')}`);
  process.exit(64);
}

const equivalent = JSON.parse(readFileSync(join(root, 'scripts', 'mutation', 'equivalent.json'), 'utf8'));
let failed = false;
/** The process in which mutants are tried, which must not outlive this one. */
let running;
process.on('exit', () => running?.kill('SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
for (const one of chosen) {
  const isRoom = ROOMS.includes(one);
  const room = isRoom ? one : one.split('/')[1];
  const files = isRoom ? readdirSync(join(root, 'src', room)).map((name) => `src/${room}/${name}`) : [one];
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
  writeFileSync(join(folder, 'mutants.json'), JSON.stringify({ sources, mutants }));
  console.log(`${room}: ${mutants.length} mutants`);
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
    JSON.stringify(mutants.map((mutant) => ({ ...mutant, status: statusOf(mutant.id) }))),
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
      const longest = LONGEST_TRY[test === undefined ? 'file' : 'test'];
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

/** Prints a score and what survived. @returns whether it is good enough. */
function describe(name, mutants, listed) {
  const found = new Set();
  const survivors = [];
  let killed = 0;
  for (const { status, fileName: file, line: at, text, replacement, mutatorName } of mutants) {
    if (status === 'Killed' || status === 'Timeout') {
      killed += 1;
      continue;
    }
    const known = listed.findIndex(
      (one) => one.file === file && one.line === text && (one.replacement ?? replacement) === replacement,
    );
    if (known === -1) survivors.push({ file, at, text, replacement, mutatorName, status });
    else found.add(known);
  }
  const total = killed + survivors.length;
  const score = total === 0 ? 100 : (100 * killed) / total;
  for (const { file, at, text, replacement, mutatorName, status } of survivors)
    console.log(
      `  ${file}:${at} ${mutatorName}${status === 'NoCoverage' ? ' (not reached)' : ''}: ${text}  ->  ` +
        String(replacement).replaceAll(/\s+/g, ' ').slice(0, 80),
    );
  const stale = listed.filter((_, index) => !found.has(index));
  for (const { file, line } of stale)
    console.log(`  ${file}: listed as equivalent, and noticed or gone: ${line}`);
  console.log(
    `${name}: ${score.toFixed(1)} % of ${total} mutants noticed, ${found.size} rules listed as equivalent`,
  );
  return score >= LEAST && stale.length === 0;
}
