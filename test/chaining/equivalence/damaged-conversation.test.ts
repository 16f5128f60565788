import { expect, test } from 'vitest';
import { runs } from '../../support/runs.ts';
import { proveEquivalence } from './prove-equivalence.ts';
import { shareOf } from './share-of.ts';

test.each([31, 32, 33, 34])(
  'a chained request shows the model what a full replay shows it though the conversation loses its answers (seed %i)',
  async (seed) => {
    const decisions = await proveEquivalence({ seed, cases: runs(40), damaged: true });
    expect(shareOf('extends', decisions)).toBeGreaterThan(0.5);
  },
);
