// Breaks each rule of the pure rooms in turn and counts the breaks that a test notices.
//
// node scripts/mutation.mjs [ledger|history|model ...] [--report]
//
// Each room has a report of its own in .mutation/, which is also what is known already: only what has changed since is
// tried again. With --report nothing is tried. Mutants that nobody could notice are listed, with the reason, in
// scripts/mutation/equivalent.json. Fails below the score, and when a listed mutant does not exist any more.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ROOMS = ['ledger', 'history', 'model'];
/** Per cent of the mutants that somebody could notice. */
const LEAST = 85;
const KILLED = new Set(['Killed', 'Timeout']);

const { values, positionals } = parseArgs({
  options: { report: { type: 'boolean' } },
  allowPositionals: true,
});
const rooms = positionals.length === 0 ? ROOMS : positionals;
const unknown = rooms.filter((room) => !ROOMS.includes(room));
if (unknown.length > 0) {
  console.error(`mutation: unknown room: ${unknown.join(', ')}`);
  process.exit(64);
}

const equivalent = JSON.parse(readFileSync(join(root, 'scripts', 'mutation', 'equivalent.json'), 'utf8'));
mkdirSync(join(root, '.mutation'), { recursive: true });
let failed = false;
for (const room of rooms) {
  const report = join('.mutation', `${room}.json`);
  if (!values.report) {
    const { status } = spawnSync(
      process.execPath,
      [
        join('node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js'),
        'run',
        join('scripts', 'mutation', 'stryker.config.mjs'),
        '--mutate',
        `src/${room}/*.ts`,
        '--incremental',
        '--incrementalFile',
        report,
      ],
      { cwd: root, stdio: 'inherit' },
    );
    if (status !== 0) failed = true;
  }
  if (!existsSync(join(root, report))) {
    console.log(`${room}: not tried yet`);
    continue;
  }
  if (!describe(room, JSON.parse(readFileSync(join(root, report), 'utf8')))) failed = true;
}
process.exitCode = failed ? 1 : 0;

/** Prints a room's score and what survived. @returns whether it is good enough. */
function describe(room, { files }) {
  const listed = equivalent.filter(({ file }) => file.startsWith(`src/${room}/`));
  const found = new Set();
  const survivors = [];
  let killed = 0;
  for (const [file, { source, mutants }] of Object.entries(files)) {
    if (!file.startsWith(`src/${room}/`)) continue;
    const lines = source.split('\n');
    for (const { status, replacement, mutatorName, location } of mutants) {
      if (KILLED.has(status)) killed += 1;
      if (status !== 'Survived' && status !== 'NoCoverage') continue;
      const line = (lines[location.start.line - 1] ?? '').trim();
      const known = listed.findIndex(
        (one) => one.file === file && one.line === line && (one.replacement ?? replacement) === replacement,
      );
      if (known === -1) survivors.push({ file, at: location.start.line, line, replacement, mutatorName });
      else found.add(known);
    }
  }
  const total = killed + survivors.length;
  const score = total === 0 ? 100 : (100 * killed) / total;
  for (const { file, at, line, replacement, mutatorName } of survivors)
    console.log(
      `  ${file}:${at} ${mutatorName}: ${line}  ->  ${String(replacement).replaceAll(/\s+/g, ' ').slice(0, 80)}`,
    );
  for (const [index, { file, line }] of listed.entries())
    if (!found.has(index)) console.log(`  ${file}: listed as equivalent, and noticed or gone: ${line}`);
  console.log(
    `${room}: ${score.toFixed(1)} % of ${total} mutants noticed, ${found.size} rules listed as equivalent`,
  );
  return score >= LEAST;
}
