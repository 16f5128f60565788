import { expect, test } from 'vitest';
import { runs } from '../../support/runs.ts';
import { proveEquivalence } from './prove-equivalence.ts';
import { shareOf } from './share-of.ts';

test.each([11, 12, 13, 14, 15, 16])(
  'a chained request shows the model what a full replay shows it where there is no conversation (seed %i)',
  async (seed) => {
    const decisions = await proveEquivalence({ seed, cases: runs(40), conversation: false });
    expect(shareOf('extends', decisions)).toBeGreaterThan(0.5);
  },
);
