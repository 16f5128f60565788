// Runs the flows against the built modules with other SDKs and other Nodes, and the packed package with every SDK and runtime.
//
// node scripts/matrix.mjs [--sdk 0.8.5,0.20.0] [--runtime node24,bun] [--keep]
//
// Each SDK is a folder of its own: the tarball, that version, the modules that the tarball bundles, and a copy of the tests, whose
// imports of the sources lead to these modules. The older ones run on this Node, the newest on every Node. Without arguments
// everything runs, some cells at a time. Ends with a table, and fails when a cell does.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { install, pack } from './matrix/install.mjs';
import { cellsOf, NEWEST, unknownIn } from './matrix/plan.mjs';
import { runSmoke } from './matrix/run-smoke.mjs';
import { runSuites } from './matrix/run-suites.mjs';
import { writeTotals } from './write-totals.mjs';

const { values } = parseArgs({
  options: { sdk: { type: 'string' }, runtime: { type: 'string' }, keep: { type: 'boolean' } },
});
const unknown = unknownIn(values);
if (unknown.length > 0) {
  console.error(`matrix: unknown: ${unknown.join(', ')}`);
  process.exit(64);
}

const started = performance.now();
const work = mkdtempSync(join(tmpdir(), 'matrix-'));
const cells = cellsOf(values);
const rows = [];
try {
  const tarball = pack(work);
  const folders = new Map();
  /** One installation for all cells of an SDK; the newest has every other program that is to run it. */
  const folderOf = (sdk) => {
    const programs = sdk === NEWEST ? cells.flatMap(({ program }) => program ?? []) : [];
    if (!folders.has(sdk)) folders.set(sdk, install({ work, sdk, tarball, programs }));
    return folders.get(sdk);
  };
  // Some tests wait for a while: one cell more than there are cores keeps all of them busy.
  const queue = cells.entries();
  const worker = async () => {
    for (const [index, cell] of queue) {
      rows[index] = await run(cell, await folderOf(cell.sdk));
      tell(rows[index]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker));
} finally {
  if (values.keep) console.log(`matrix: kept ${work}`);
  else rmSync(work, { recursive: true, force: true });
}

console.log(`\nmatrix: ${((performance.now() - started) / 1000).toFixed(0)} s`);
for (const row of rows) console.log(`  ${summary(row)}`);
const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
const isFine = rows.length > 0 && total('failed') === 0;
writeTotals({ passed: total('passed'), failed: total('failed'), skipped: total('skipped') });
process.exitCode = isFine ? 0 : 1;

async function run(cell, folder) {
  const begun = performance.now();
  const outcomes = [await runSmoke(cell, folder)];
  if (cell.suites !== undefined) outcomes.push(await runSuites(cell, folder));
  const failures = outcomes.flatMap((outcome) => outcome.failures);
  const [passed, skipped] = ['passed', 'skipped'].map((key) =>
    outcomes.reduce((sum, outcome) => sum + outcome[key], 0),
  );
  const seconds = (performance.now() - begun) / 1000;
  return { name: cell.name, passed, skipped, failed: failures.length, failures, seconds };
}

function tell(row) {
  console.log(`> ${summary(row)}`);
  for (const failure of row.failures) console.log(`  FAILED ${failure}`);
}

function summary({ name, passed, failed, skipped, seconds }) {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  return `${name.padEnd(20)} ${counts.padEnd(36)} ${seconds.toFixed(0)} s`;
}
