import { expect, test } from 'vitest';
import { runs } from '../../support/runs.ts';
import { proveEquivalence } from './prove-equivalence.ts';
import { shareOf } from './share-of.ts';

test.each([1, 2, 3, 4, 5, 6])(
  'a chained request shows the model what a full replay shows it, and mostly chains (seed %i)',
  async (seed) => {
    const decisions = await proveEquivalence({ seed, cases: runs(40) });
    expect(shareOf('extends', decisions)).toBeGreaterThan(0.5);
  },
);
