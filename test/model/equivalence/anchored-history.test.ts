import { expect, test } from 'vitest';
import { proveEquivalence } from './prove-equivalence.ts';
import { shareOf } from './share-of.ts';

test.each([41, 42, 43, 44])(
  'shows the model what a full replay shows it, though the runner is handed an anchor (seed %i)',
  { timeout: 120_000 },
  async (seed) => {
    const decisions = await proveEquivalence({ seed, cases: 100, anchored: true });
    expect(shareOf('extends', decisions)).toBeGreaterThan(0.5);
  },
);

test.each([45, 46])(
  'shows the model what a full replay shows it, though the runner is handed an anchor and there is no conversation (seed %i)',
  { timeout: 120_000 },
  async (seed) => {
    const decisions = await proveEquivalence({ seed, cases: 100, anchored: true, conversation: false });
    expect(shareOf('extends', decisions)).toBeGreaterThan(0.5);
  },
);
