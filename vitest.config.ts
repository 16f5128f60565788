import { availableParallelism } from 'node:os';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 180_000,
    // Vitest leaves one core idle, which of two is half the time.
    maxWorkers: availableParallelism(),
    // A CI run reads its totals from the file.
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: process.env['TEST_RESULTS'] ?? 'test-results/unit.json' }]]
      : ['default'],
    coverage: {
      provider: 'v8',
      include: ['src/**', 'mocks/**'],
      reporter: ['text-summary'],
      // The rooms in which a rule without a test can lose a turn.
      thresholds: {
        'src/ledger/**': { lines: 95, branches: 95 },
        'src/history/**': { lines: 95, branches: 95 },
        'src/model/**': { lines: 95, branches: 95 },
      },
    },
  },
});
export default config;
