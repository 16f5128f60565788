import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startProgram } from './package/run-program.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A file that goes on until the failure of its first test was read. Vitest sends results together with later ones. */
const TESTS = `
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
test('fails', () => expect({ count: 1 }).toEqual({ count: 2 }));
for (let index = 0; index < 1000; index += 1)
  test('waits ' + index, async () => {
    if (!existsSync(process.env.GO_ON)) await new Promise((resolve) => setTimeout(resolve, 20));
  });
`;

const CONFIG = `
import { FailureReporter } from '${ROOT}test/support/failure-reporter.ts';
export default { test: { reporters: ['default', new FailureReporter()], testTimeout: 600_000 } };
`;

test('the reporter prints a failure before the run has ended', async () => {
  // Within the repository, where the package `vitest` is found.
  mkdirSync(join(ROOT, 'test-results'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'test-results', 'reporter-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'two.test.ts'), TESTS);
  writeFileSync(join(folder, 'vitest.config.ts'), CONFIG);
  const goOn = join(folder, 'go-on');
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--root', folder];
  const running = startProgram('node', args, { cwd: folder, env: { GO_ON: goOn, CI: '1' } });
  expect(await running.line(/^FAILED /)).toBe('FAILED two.test.ts > fails');
  expect(await running.line(/expected \{ count: 1 \} to deeply equal/)).toContain('AssertionError');
  writeFileSync(goOn, '');
  expect((await running.finished).code).toBe(1);
});
