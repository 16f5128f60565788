import { describe, expect, it } from 'vitest';
import { confirmedResponses } from '../../../src/doctor/reconstruct/confirm-responses.ts';
import { itemIndex, occurrences, readResponses, type ToldResponse } from '../told-responses.ts';

function confirmed(
  base: readonly string[],
  told: Readonly<Record<string, ToldResponse>>,
  accepted: readonly string[] = [],
): string[] {
  const options = { conversationId: 'conv_1', itemIndex, base: occurrences(base) };
  return [...confirmedResponses(readResponses(told), { ...options, accepted: new Set(accepted) })].toSorted();
}

describe('the responses that belong to a conversation', () => {
  it('a response that was made in the conversation belongs', () => {
    expect(confirmed(['u hi'], { a: { conversationId: 'conv_1' }, b: { conversationId: 'conv_2' } })).toEqual(
      ['a'],
    );
  });

  it('an accepted response belongs, and the set given stays as it is', () => {
    const accepted = ['a'];
    expect(confirmed(['u hi'], { a: { parent: 'z' }, b: {} }, accepted)).toEqual(['a', 'z']);
    expect(accepted).toEqual(['a']);
  });

  it('a response with an output in the list belongs, by ID or by content', () => {
    expect(confirmed(['t@id_a', 'a yes'], { a: { output: ['t@id_a'] }, b: { output: ['a yes'] } })).toEqual([
      'a',
      'b',
    ]);
    expect(confirmed(['u hi'], { a: { output: ['a yes'] } })).toEqual([]);
  });

  it('reasoning is not recognised by its content', () => {
    expect(confirmed(['t'], { a: { output: ['t'] } })).toEqual([]);
  });

  it('an item whose ID is known stands for the response that made it, and for no other', () => {
    expect(confirmed(['a yes@id_a'], { a: { output: ['a yes@id_a'] }, b: { output: ['a yes'] } })).toEqual([
      'a',
    ]);
  });

  it('each item stands for one response, and for the newest', () => {
    const alike = { a: { output: ['a yes'] }, b: { output: ['a yes'] }, c: { output: ['a yes'] } };
    expect(confirmed(['a yes'], alike)).toEqual(['c']);
    expect(confirmed(['a yes', 'a yes'], alike)).toEqual(['b', 'c']);
  });

  it('the parent of a response that belongs belongs, and so on', () => {
    const chain = { a: {}, b: { parent: 'a' }, c: { parent: 'b', output: ['a last'] } };
    expect(confirmed(['a last'], chain)).toEqual(['a', 'b', 'c']);
    expect(confirmed(['u hi'], chain)).toEqual([]);
  });

  it('the producers of an input belong, of equal ones the newest before it', () => {
    const told = {
      a: { output: ['a yes'] },
      b: { output: ['a yes'] },
      c: { input: ['a yes', 'u more'], output: ['a last'] },
      d: { output: ['a yes'] },
    };
    expect(confirmed(['a last'], told)).toEqual(['b', 'c']);
    expect(
      confirmed(['a last'], { a: { output: ['t@id_a'] }, c: { input: ['t@id_a'], output: ['a last'] } }),
    ).toEqual(['a', 'c']);
  });

  it('the newest response belongs where there is nothing to compare', () => {
    expect(confirmed([], { a: { output: ['a one'] }, b: { output: ['a two'] } })).toEqual(['b']);
    expect(confirmed(['u hi'], { a: {}, b: {} })).toEqual([]);
    expect(confirmed([], { a: { conversationId: 'conv_1' }, b: {} })).toEqual(['a']);
    expect(confirmed([], {})).toEqual([]);
  });
});
