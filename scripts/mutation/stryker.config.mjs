// How mutants are made and tried; `npm run mutation` chooses the rooms.
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'scripts/mutation/vitest.config.mjs', related: true },
  plugins: ['@stryker-mutator/vitest-runner'],
  // This compiler has no API with which the configuration could be rewritten.
  tsconfigFile: 'no-tsconfig.json',
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env['MUTATION_CONCURRENCY'] ?? 1),
  tempDirName: '.mutation/sandbox',
  reporters: ['progress-append-only', 'json'],
  timeoutMS: 2500,
  timeoutFactor: 2,
};
