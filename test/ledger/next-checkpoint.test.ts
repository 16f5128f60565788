import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { emptyState } from '../../src/ledger/state.ts';
import { nextCheckpoint } from '../../src/ledger/checkpoint.ts';
import { ledgerRecords } from '../support/records.ts';

test('a look at what comes next leaves what is as it is', () => {
  fc.assert(
    fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
      const state = emptyState();
      applyRecords(state, before);
      const copy = structuredClone(state);
      nextCheckpoint(state, batch);
      expect(state).toEqual(copy);
    }),
    { seed: 20261129, numRuns: 1_000 },
  );
});
