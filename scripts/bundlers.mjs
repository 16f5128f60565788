// Bundles a small server app with each bundler, and runs it: the drivers of the ledgers must be found at run time.
//
// node scripts/bundlers.mjs [--only NAME] [--keep]
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CELLS, runCell } from './bundlers/cells.mjs';
import { pack } from './matrix/install.mjs';
import { writeTotals } from './write-totals.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' }, keep: { type: 'boolean' } } });
const cells = CELLS.filter(({ name }) => values.only === undefined || name.startsWith(values.only));
if (cells.length === 0) {
  console.error(`bundlers: unknown: ${values.only}`);
  process.exit(64);
}

const MISSING = /^no_driver: .*'redis' is needed for it and is not installed/;
const EXPECTED = 'Answer 2: I see 3 items (2u 1a): u "my name is Ada", a1, u "what is my name?"';
const work = mkdtempSync(join(tmpdir(), 'bundlers-'));
let passed = 0;
try {
  const tarball = pack(work);
  renameSync(tarball, join(work, 'agents-hybrid-session.tgz'));
  const folder = join(work, 'app');
  cpSync(join(import.meta.dirname, 'bundlers'), folder, { recursive: true });
  for (const app of ['worker', 'next-chat'])
    cpSync(join(import.meta.dirname, '..', 'examples', app), join(folder, app), { recursive: true });
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', ...flags], { cwd: folder, stdio: 'inherit' });
  // The pack above has built it.
  const { createSimulatorCore } = await import('../dist/esm/mocks/simulator.js');
  for (const cell of cells) {
    const simulator = createSimulatorCore({ unlink: 'every-turn' });
    const { url } = await simulator.listen();
    const begun = performance.now();
    try {
      const found = await runCell(cell, {
        folder,
        env: { ...process.env, OPENAI_BASE_URL: url, OPENAI_API_KEY: 'test' },
      });
      assert.ok(found.answers.length > 0);
      for (const answer of found.answers) assert.equal(answer, EXPECTED);
      if (!cell.isExample) assert.match(found.missing, MISSING);
      passed += 1;
      console.log(`passed  ${cell.name}  ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    } catch (error) {
      console.log(`FAILED  ${cell.name}\n${error.message}`);
    } finally {
      await simulator.close();
    }
  }
} finally {
  if (values.keep) console.log(`bundlers: kept ${work}`);
  else rmSync(work, { recursive: true, force: true });
}

const failed = cells.length - passed;
writeTotals({ passed, failed, skipped: 0 });
process.exitCode = failed === 0 ? 0 : 1;
