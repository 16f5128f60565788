import { describe, expect, it } from 'vitest';
import { TURNS } from '../flows/support/story.ts';
import { lane, look, said, stockConversation } from './support.ts';

describe('a diagnosis without a ledger', () => {
  it.each(['own', 'inherited'] as const)(
    'finds every lost answer in its response (input items: %s)',
    async (inputItems) => {
      const told = await stockConversation(TURNS, { inputItems });
      const found = await look(told, { responses: told.responses });
      expect(lane(found)).toBe('u,A,u,A,u,A,u,a');
      expect(said(found)).toEqual(TURNS.flatMap((turn, index) => [turn, told.answers[index]]));
      expect(found).toMatchObject({ verdict: 'repairable', proof: 'responses', length: 8, listed: 5 });
      const lost = found.timeline.filter(({ standing }) => standing === 'lost');
      expect(lost.map(({ places, findings }) => [places[0], findings])).toEqual(
        told.responses.slice(0, 3).map((responseId) => [{ source: 'response', responseId }, ['lost']]),
      );
      expect(found.findings.map(({ type, index }) => [type, index])).toEqual([
        ['lost', 1],
        ['lost', 3],
        ['lost', 5],
      ]);
      expect(found.limits.map(({ kind }) => kind)).toEqual(['before_first']);
    },
  );

  it('calls the same conversation whole when nothing was lost', async () => {
    const told = await stockConversation(TURNS, { unlink: 'none' });
    const found = await look(told, { responses: told.responses });
    expect(lane(found)).toBe('u,a,u,a,u,a,u,a');
    expect(found).toMatchObject({ verdict: 'whole', findings: [], listed: 8 });
  });

  it('cannot tell without any response', async () => {
    const told = await stockConversation(TURNS);
    const found = await look(told);
    expect(lane(found)).toBe('u,u,u,u,a');
    expect(found).toMatchObject({ verdict: 'unknown', proof: 'list', findings: [] });
    expect(found.limits).toEqual([
      { kind: 'no_evidence', count: 1, indexes: [] },
      { kind: 'unanswered', count: 3, indexes: [0, 1, 2] },
    ]);
  });

  it.each(['own', 'inherited'] as const)(
    'does not care in which order they are named (%s)',
    async (inputItems) => {
      const told = await stockConversation(TURNS, { inputItems });
      const found = await look(told, { responses: told.responses.toReversed() });
      expect(said(found)).toEqual(TURNS.flatMap((turn, index) => [turn, told.answers[index]]));
    },
  );
});
