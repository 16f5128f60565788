import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { copyState, emptyState } from '../../src/ledger/state.ts';
import { nextCheckpoint, wholeCheckpoint } from '../../src/ledger/checkpoint.ts';
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

test('the next checkpoint is that of the state to which the records lead', () => {
  fc.assert(
    fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
      const state = emptyState();
      applyRecords(state, before);
      const after = copyState(state);
      applyRecords(after, batch);
      expect(nextCheckpoint(state, batch)).toEqual(wholeCheckpoint(after));
    }),
    { seed: 20261201, numRuns: 1_000 },
  );
});
