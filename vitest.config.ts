import { availableParallelism } from 'node:os';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { FailureReporter } from './test/support/failure-reporter.ts';

const outputFile = process.env['TEST_RESULTS'] ?? 'test-results/unit.json';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
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
        'src/ledger/**': { lines: 90, branches: 90 },
        'src/history/**': { lines: 90, branches: 90 },
        'src/chaining/**': { lines: 90, branches: 90 },
        'src/items/**': { lines: 90, branches: 85 },
      },
    },
  },
});
export default config;
