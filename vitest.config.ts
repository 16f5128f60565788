import { availableParallelism } from 'node:os';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { FailureReporter } from './test/support/failure-reporter.ts';

const outputFile = process.env['TEST_RESULTS'] ?? 'test-results/unit.json';

/** Tests that replace modules or globals of the process, and tests of requests that name neither a session nor a client. */
const ISOLATED = [
  'test/chaining/{digest-work,session-for-request}.test.ts',
  'test/conversation/client.test.ts',
  'test/errors/errors.test.ts',
  'test/flows/{chain-web-socket,rollout,secrets}.test.ts',
  'test/mocks/**/{example,msw-handlers,profiles,responses-socket}.test.ts',
  'test/runner/{hybrid-runner,tracing}.test.ts',
  'test/telemetry/{open-telemetry,sdk-tracing}.test.ts',
];

/** Tests of child processes, which coverage does not see: `.ci/run` runs all of each after `npm test`. */
const LATER = ['test/{package,examples,flows/processes,doctor/html}/**'];
const isCoverage = process.argv.includes('--coverage');

const config: ViteUserConfig = defineConfig({
  test: {
    // Loading the SDK takes longer than most tests, so the other files share one copy.
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...ISOLATED, ...(isCoverage ? LATER : [])],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'isolated', include: ISOLATED } },
    ],
    // No test depends on the machine's speed: these end what hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000 } },
    // Vitest leaves one core idle, which of two is half the time.
    maxWorkers: availableParallelism(),
    // A CI run reads its totals from the file.
    reporters: [
      'default',
      new FailureReporter(),
      ...(process.env['CI'] ? [['json', { outputFile }] satisfies ['json', unknown]] : []),
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**', 'mocks/**'],
      reporter: ['text-summary'],
      // The rooms in which a rule without a test can lose a turn.
      thresholds: {
        'src/ledger/**': { lines: 95, branches: 95 },
        'src/history/**': { lines: 95, branches: 95 },
        'src/chaining/**': { lines: 95, branches: 95 },
        'src/items/**': { lines: 95, branches: 94 },
      },
    },
  },
});
export default config;
