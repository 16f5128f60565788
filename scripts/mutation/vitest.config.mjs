// The tests that a mutant has to get past: those of the three rooms, and a few stories.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'test/{ledger,history,model}/*.test.ts',
      'test/session/keep-content.test.ts',
      'test/flows/{unreliable-list,conversation-ledger}.test.ts',
    ],
    exclude: ['test/model/digest-work.test.ts'],
    // One copy of the SDK for all files: loading it takes longer than most tests.
    isolate: false,
    testTimeout: 10_000,
  },
});
