import { describe, expect, it } from 'vitest';
import { shownId, syntheticState } from '../../../src/doctor/reconstruct/synthetic-state.ts';
import {
  ReconstructedTimeline,
  type TimelineNode,
} from '../../../src/doctor/reconstruct/reconstructed-timeline.ts';
import { ledgerItem, recordOf, type LedgerStep } from '../../../src/ledger/record.ts';
import { applyRecords } from '../../../src/ledger/reducer.ts';
import { emptyState, type LedgerState } from '../../../src/ledger/state.ts';
import { assistant, user } from '../../support/conversation.ts';
import { itemIndex, seen } from '../told-responses.ts';

/** Nodes as words, those of the base with their position in it. */
function nodes(...told: readonly (string | readonly [string, number])[]): TimelineNode[] {
  const timeline = new ReconstructedTimeline(itemIndex);
  for (const one of told) {
    const [word, base] = typeof one === 'string' ? [one, undefined] : one;
    timeline.append({ ...seen(word), base });
  }
  return timeline.nodes;
}

function ledger(...steps: readonly LedgerStep[]): LedgerState {
  const state = emptyState();
  applyRecords(
    state,
    steps.map((step) => recordOf(step, { commit: 'commit', time: 0 })),
  );
  return state;
}

const ids = (state: LedgerState): (string | undefined)[] => state.entries.map(({ mirrorId }) => mirrorId);

const picked = ({ kind, digest, id, item, mirrorId, skipped }: LedgerState['entries'][number]) => ({
  kind,
  digest,
  id,
  item,
  mirrorId,
  skipped,
});

describe('the state of a ledger that had recorded a reconstruction', () => {
  it('items without an entry are in the conversation, under the ID that is known', () => {
    const state = syntheticState(nodes('u one@1', 't@2', 'a two'), itemIndex, undefined, () => undefined);
    expect(state.entries.map(({ kind, digest, mirrorId }) => [kind, digest, mirrorId])).toEqual([
      ['message:user', 'u one', '1'],
      ['reasoning', null, '2'],
      ['message:assistant', 'a two', 'first a two'],
    ]);
    expect(state.unmirrored.size).toBe(0);
  });

  it('an item whose ID is taken has a stand-in, which is never shown', () => {
    const state = syntheticState(
      nodes('u ok', 'u ok', 'a one@first a two', 'a two'),
      itemIndex,
      undefined,
      () => undefined,
    );
    expect(ids(state)).toEqual(['first u ok', '(no ID) 1', 'first a two', '(no ID) 3']);
    expect(ids(state).map((id) => shownId(id))).toEqual(['first u ok', null, 'first a two', null]);
    expect(shownId(undefined)).toBeNull();
  });

  it('items with an entry are recorded as in the ledger, also what it never writes', () => {
    const real = ledger(
      {
        type: 'items',
        items: [
          { ...ledgerItem(user('one'), true), mirrorId: '1' },
          ledgerItem(assistant('two', 'own'), false),
          ledgerItem(user('three'), false),
        ],
      },
      { type: 'mirror', added: [], removed: [], skipped: [{ seq: 1, reason: 'no form' }] },
    );
    const state = syntheticState(
      nodes(['u x@9', 0], 'a lost@5', ['a y', 1], ['u z', 2]),
      itemIndex,
      real,
      (at) => real.entries[at],
    );
    const [first, second, third] = real.entries.map((entry) => picked(entry));
    const lost = {
      kind: 'message:assistant',
      digest: 'a lost',
      id: undefined,
      item: undefined,
      mirrorId: '5',
      skipped: undefined,
    };
    expect(state.entries.map((entry) => picked(entry))).toEqual([first, lost, second, third]);
    expect(second?.skipped).toBe('no form');
  });

  it('items that the conversation may still hold are removed there, and no others', () => {
    const items = ['1', '2'].map((mirrorId) => ({ ...ledgerItem(user(mirrorId), true), mirrorId }));
    const real = ledger(
      { type: 'items', items },
      { type: 'replace', keep: 0, items: [] },
      { type: 'mirror', added: [], removed: ['1'] },
    );
    const state = syntheticState(nodes('u one@5'), itemIndex, real, () => undefined);
    expect([...state.removed]).toEqual([['2', true]]);
    expect(syntheticState([], itemIndex, undefined, () => undefined).removed.size).toBe(0);
  });
});
