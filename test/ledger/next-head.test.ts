import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/apply-records.ts';
import { emptyState } from '../../src/ledger/ledger-state.ts';
import { nextHead } from '../../src/ledger/next-head.ts';
import { ledgerRecords } from '../support/records.ts';

test('a look at what comes next leaves what is as it is', () => {
  fc.assert(
    fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
      const state = emptyState();
      applyRecords(state, before);
      const copy = structuredClone(state);
      nextHead(state, batch);
      expect(state).toEqual(copy);
    }),
    { numRuns: 1_000 },
  );
});
