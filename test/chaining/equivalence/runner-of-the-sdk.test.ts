import { expect, test } from 'vitest';
import { runs } from '../../support/runs.ts';
import { proveEquivalence } from './prove-equivalence.ts';
import { shareOf } from './share-of.ts';

test.each([21, 22, 23, 24])(
  "a chained request shows the model what a full replay shows it with the SDK's own runner and a chained provider (seed %i)",
  async (seed) => {
    const decisions = await proveEquivalence({ seed, cases: runs(40), ownRunner: true, conversation: false });
    expect(shareOf('extends', decisions)).toBeGreaterThan(0.5);
  },
);
