// `npm test`: every check in order, the quick ones first. Stops at the first that fails and names it. In CI the tests are measured:
// coverage takes two thirds more time.
import { spawnSync } from 'node:child_process';

const STEPS = ['format:check', 'lint', 'types', 'unused', 'build', 'package:check'];
const tests = process.env.CI ? 'coverage' : 'unit';

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const started = performance.now();
for (const step of [...STEPS, tests]) {
  const begun = performance.now();
  console.log(`\n> ${step}`);
  const { status } = spawnSync('npm', ['run', '--silent', step], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(
      `\nnpm test stopped: '${step}' failed after ${seconds(begun)}. Again alone: npm run ${step}`,
    );
    process.exit(1);
  }
  console.log(`> ${step}: ${seconds(begun)}`);
}
console.log(`\nAll ${STEPS.length + 1} checks passed in ${seconds(started)}.`);
