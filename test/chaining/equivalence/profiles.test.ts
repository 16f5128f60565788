import { expect, test } from 'vitest';
import { CONTINUING, hasConversations, PROFILES } from '../../support/profiles.ts';
import { runs } from '../../support/runs.ts';
import { proveEquivalence } from './prove-equivalence.ts';
import { shareOf } from './share-of.ts';

test.each(PROFILES)(
  'a chained request shows the model what a full replay shows it on a server of profile %s',
  { timeout: 120_000 },
  async (profile) => {
    const least = CONTINUING.includes(profile) ? 0.5 : 0;
    const options = { profile, seed: 51, cases: runs(10), conversation: hasConversations(profile) };
    for (const usesReference of [false, true]) {
      const decisions = await proveEquivalence({ ...options, usesReference });
      expect(shareOf('extends', decisions)).toBeGreaterThanOrEqual(least);
    }
  },
);
