import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyRecords } from '../../src/ledger/apply-records.ts';
import { recordOf, type LedgerRecord } from '../../src/ledger/ledger-record.ts';
import { digestOf, emptyState, type LedgerState } from '../../src/ledger/ledger-state.ts';
import { copySteps } from '../../src/session/copy-steps.ts';
import { ledgerRecords } from '../support/records.ts';

function stateOf(records: readonly LedgerRecord[]): LedgerState {
  const state = emptyState();
  applyRecords(state, records);
  return state;
}

function copied(from: LedgerState, to: LedgerState): LedgerState {
  applyRecords(
    to,
    copySteps(from, to).map((step) => recordOf(step, { commit: 'copy', time: 1 })),
  );
  return to;
}

const outline = (state: LedgerState): object => ({
  digest: digestOf(state),
  items: state.entries.map(({ kind, digest }) => ({ kind, digest })),
  responses: state.responses.map(({ id, time, store, model, parent, context, history }) => ({
    id,
    time,
    store,
    model,
    parent,
    context,
    history,
  })),
  contexts: [...state.contexts.keys()],
  refused: [...state.refused].toSorted(),
  operations: [...state.operations],
});

it('a copy says the same history, responses and operations, and nothing is left to copy', () => {
  fc.assert(
    fc.property(ledgerRecords, (records) => {
      const from = stateOf(records);
      const to = copied(from, emptyState());
      expect(outline(to)).toEqual(outline(from));
      expect(to.unproven).toBe(Math.min(from.unproven, from.entries.length));
      expect(copySteps(from, to)).toEqual([]);
    }),
  );
});

it('a copy is brought up to date with whatever came in since', () => {
  fc.assert(
    fc.property(ledgerRecords, ledgerRecords, (first, second) => {
      // A session that was cleared meanwhile is not copied any further.
      const later = second.filter(({ type }) => type !== 'clear');
      const to = copied(stateOf(first), emptyState());
      const from = stateOf([...first, ...later]);
      copied(from, to);
      expect(digestOf(to)).toBe(digestOf(from));
      expect(to.entries.map(({ kind, digest }) => [kind, digest])).toEqual(
        from.entries.map(({ kind, digest }) => [kind, digest]),
      );
      expect(to.responses.map(({ id }) => id)).toEqual(from.responses.map(({ id }) => id));
      expect(copySteps(from, to)).toEqual([]);
    }),
  );
});

it('an ID is asked for once: the API lists none twice', () => {
  fc.assert(
    fc.property(ledgerRecords, (records) => {
      const links = copied(stateOf(records), emptyState()).entries.flatMap(({ link }) => link ?? []);
      expect(new Set(links).size).toBe(links.length);
    }),
  );
});
