// Runs real clients against the simulator of the packed package.
//
// node scripts/clients.mjs [NAME,...] [--keep]
//
// `scripts/clients/` has a script for each client, whose tests are its expectations, and the lock file of them all. The
// scripts run on Node 24; jest runs in a CommonJS project on this Node and on the newest one. Ends with a table, and fails
// when a test does.
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { pack } from './matrix/install.mjs';
import { ROOT } from './matrix/plan.mjs';
import { writeTotals } from './write-totals.mjs';

const SOURCE = join(ROOT, 'scripts', 'clients');
/** The module that the scripts share. */
const SHARED = 'served.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { keep: { type: 'boolean' } } });
const work = mkdtempSync(join(tmpdir(), 'clients-'));
const nodeOf = (name) => join(work, 'node_modules', name, 'bin', 'node');

const scripts = readdirSync(SOURCE).filter((name) => name.endsWith('.mjs') && name !== SHARED);
const cells = [
  ...scripts.map((file) => ({
    name: file.replace('.mjs', ''),
    run: () => runScript(nodeOf('node24'), file),
  })),
  { name: 'jest', run: () => runJest(process.execPath, 'jest.json') },
  { name: 'jest-newest', run: () => runJest(nodeOf('node26'), 'jest-newest.json') },
];
const asked = positionals.flatMap((names) => names.split(','));
const unknown = asked.filter((name) => !cells.some((cell) => cell.name === name));
if (unknown.length > 0) {
  console.error(
    `clients: unknown: ${unknown.join(', ')}; there are ${cells.map(({ name }) => name).join(', ')}`,
  );
  process.exit(64);
}

const rows = [];
try {
  await install();
  for (const { name, run } of cells) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const begun = performance.now();
    const counts = await run();
    rows.push({ name, ...counts, seconds: (performance.now() - begun) / 1000 });
    if (counts.failed > 0) console.log(counts.output);
    console.log(`> ${summary(rows.at(-1))}`);
  }
} finally {
  if (values.keep) console.log(`clients: kept ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
writeTotals({ passed: total('passed'), failed: total('failed'), skipped: total('skipped') });
process.exitCode = rows.length > 0 && total('failed') === 0 ? 0 : 1;

/** Installs the clients by their lock file, and the tarball next to them. */
async function install() {
  cpSync(SOURCE, work, { recursive: true, filter: (path) => !path.includes('node_modules') });
  const run = promisify(execFile);
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
  await run('npm', ['ci', ...options], { cwd: work });
  const folder = join(work, 'node_modules', 'agents-hybrid-session');
  mkdirSync(folder);
  await run('tar', ['xzf', pack(work), '--strip-components=1', '-C', folder]);
}

/** @returns the counts of a script's tests, and its output. */
async function runScript(node, file) {
  const { status, output } = await run(node, ['--test', '--test-reporter=tap', file]);
  const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const [passed, skipped] = [count('pass'), count('skipped')];
  const failed = count('fail') + count('cancelled');
  return { passed, skipped, failed: status === 0 && passed > 0 ? failed : Math.max(failed, 1), output };
}

async function runJest(node, report) {
  const jest = join('node_modules', 'jest', 'bin', 'jest.js');
  const options = ['--ci', '--no-cache', '--json', `--outputFile=${report}`];
  const { status, output } = await run(node, [jest, '--config', join('jest', 'jest.config.cjs'), ...options]);
  const path = join(work, report);
  if (!existsSync(path)) return { passed: 0, skipped: 0, failed: 1, output };
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(path, 'utf8'));
  const isBroken = status !== 0 && numFailedTests === 0;
  return {
    passed: numPassedTests,
    skipped: numPendingTests,
    failed: numFailedTests + Number(isBroken),
    output,
  };
}

/** Runs a program to its end; it gets ten minutes. */
function run(program, args) {
  const child = spawn(program, args, {
    cwd: work,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 600_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve({ status: 1, output: message }));
    child.once('close', (status) => resolve({ status, output }));
  });
}

function summary({ name, passed, failed, skipped, seconds }) {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  return `${name.padEnd(14)} ${counts.padEnd(36)} ${seconds.toFixed(0)} s`;
}
