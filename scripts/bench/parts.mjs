/** Every part of the benchmark. Each is loaded when it runs, so that the imports of one take no memory of another. */
export const parts = {
  turns: async (options) => (await import('./turns.mjs')).runTurns(options),
  peakMemory: async (options) => (await import('./peak-memory.mjs')).runPeakMemory(options),
  coldStarts: async (options) => (await import('./cold-starts.mjs')).runColdStarts(options),
  firstTurns: async (options) => (await import('./first-turns.mjs')).runFirstTurns(options),
  appends: async (options) => (await import('./appends.mjs')).runAppends(options),
  ledgerWrites: async (options) => (await import('./ledger-writes.mjs')).runLedgerWrites(options),
  liveSessions: async (options) => (await import('./live-sessions.mjs')).runLiveSessions(options),
  throughput: async (options) => (await import('./throughput.mjs')).runThroughput(options),
  digests: async (options) => (await import('./digests.mjs')).runDigests(options),
};
