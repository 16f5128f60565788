import { expect, test } from 'vitest';
import { runs } from '../../support/runs.ts';
import { proveEquivalence } from './prove-equivalence.ts';
import { shareOf } from './share-of.ts';

test.each([41, 42, 43, 44])(
  'a run with a history reference shows the model the same as a full replay (seed %i)',
  async (seed) => {
    const decisions = await proveEquivalence({ seed, cases: runs(40), usesReference: true });
    expect(shareOf('extends', decisions)).toBeGreaterThan(0.5);
  },
);

test.each([45, 46])(
  'a run with a history reference and no conversation shows the model the same as a full replay (seed %i)',
  async (seed) => {
    const decisions = await proveEquivalence({
      seed,
      cases: runs(40),
      usesReference: true,
      conversation: false,
    });
    expect(shareOf('extends', decisions)).toBeGreaterThan(0.5);
  },
);
