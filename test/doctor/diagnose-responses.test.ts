import { describe, expect, it } from 'vitest';
import { TURNS } from '../flows/support/story.ts';
import { lane, look, said, stockConversation } from './support.ts';

describe('a diagnosis without a ledger', () => {
  it.each(['own', 'inherited'] as const)(
    'a diagnosis without a ledger finds every lost answer in its response (input items: %s)',
    async (inputItems) => {
      const told = await stockConversation(TURNS, { inputItems });
      const found = await look(told, { responses: told.responses });
      expect(lane(found)).toBe('u,A,u,A,u,A,u,a');
      expect(said(found)).toEqual(TURNS.flatMap((turn, index) => [turn, told.answers[index]]));
      expect(found).toMatchObject({ verdict: 'repairable', evidence: 'responses', length: 8, listed: 5 });
      const lost = found.timeline.filter(({ status }) => status === 'lost');
      expect(lost.map(({ sources, findings }) => [sources[0], findings])).toEqual(
        told.responses.slice(0, 3).map((responseId) => [{ source: 'response', responseId }, ['lost']]),
      );
      expect(found.findings.map(({ type, index }) => [type, index])).toEqual([
        ['lost', 1],
        ['lost', 3],
        ['lost', 5],
      ]);
      expect(found.caveats.map(({ kind }) => kind)).toEqual(['before_first']);
    },
  );

  it('a diagnosis without a ledger finds an undamaged conversation whole', async () => {
    const told = await stockConversation(TURNS, { unlink: 'none' });
    const found = await look(told, { responses: told.responses });
    expect(lane(found)).toBe('u,a,u,a,u,a,u,a');
    expect(found).toMatchObject({ verdict: 'whole', findings: [], listed: 8 });
  });

  it('a diagnosis without ledger and responses has an unknown verdict', async () => {
    const told = await stockConversation(TURNS);
    const found = await look(told);
    expect(lane(found)).toBe('u,u,u,u,a');
    expect(found).toMatchObject({ verdict: 'unknown', evidence: 'list', findings: [] });
    expect(found.caveats).toEqual([
      { kind: 'no_evidence', count: 1, indexes: [] },
      { kind: 'unanswered', count: 3, indexes: [0, 1, 2] },
    ]);
  });

  it.each(['own', 'inherited'] as const)(
    'a diagnosis ignores the order of the given responses (%s)',
    async (inputItems) => {
      const told = await stockConversation(TURNS, { inputItems });
      const found = await look(told, { responses: told.responses.toReversed() });
      expect(said(found)).toEqual(TURNS.flatMap((turn, index) => [turn, told.answers[index]]));
    },
  );
});
