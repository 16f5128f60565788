import { describe, expect, it } from 'vitest';
import { inTimeOrder } from '../../../src/doctor/reconstruct/chronology.ts';
import { itemIndex, keyOf, readResponse, type ToldResponse } from '../told-responses.ts';

/** The order of responses, those of one second unless they have a time. */
function order(
  told: Readonly<Record<string, ToldResponse>>,
  place: (id: string | undefined, key: number) => number | undefined = () => undefined,
): string {
  const responses = Object.entries(told).map(([id, one]) => readResponse(id, { time: 1000, ...one }));
  return inTimeOrder(responses, itemIndex, place)
    .map(({ id }) => id)
    .join(' ');
}

/** The position of an item in a list of words. */
const listOf =
  (...words: string[]) =>
  (_: string | undefined, key: number): number | undefined => {
    const at = words.findIndex((word) => keyOf(word) === key);
    return at === -1 ? undefined : at;
  };

const placeById = (id: string | undefined): number | undefined => ({ id_a: 0, id_b: 1 })[id ?? ''];

describe('the order of responses', () => {
  it('responses follow each other by their time, and those without one come last', () => {
    expect(order({ x: {}, late: { time: 3000 }, none: { time: undefined }, early: { time: 500 } })).toBe(
      'early x late none',
    );
  });

  it('responses of one second keep the order of discovery where nothing else is known', () => {
    expect(order({ b: {}, a: {}, c: {} })).toBe('b a c');
  });

  it('a response follows its parent', () => {
    expect(order({ b: { parent: 'a' }, c: { parent: 'b' }, a: {} })).toBe('a b c');
    expect(order({ b: { parent: 'elsewhere' }, a: {} })).toBe('b a');
  });

  it('a response follows the producer of an item in its input, by ID, content or call', () => {
    expect(order({ b: { input: ['u x@id_of_a'] }, a: { output: ['u y@id_of_a'] } })).toBe('a b');
    expect(order({ b: { input: ['a yes', 'u more'] }, a: { output: ['a yes'] } })).toBe('a b');
    expect(order({ b: { input: ['r call_a'] }, a: { output: ['c call_a'] } })).toBe('a b');
  });

  it('reasoning and items without a call name no producer by their content', () => {
    expect(order({ b: { input: ['t'] }, a: { output: ['t'] } })).toBe('b a');
    expect(order({ b: { input: ['u hi'] }, a: { output: ['a hi'] } })).toBe('b a');
  });

  it('an output of several responses says nothing of their order', () => {
    expect(order({ b: { input: ['a yes'] }, a: { output: ['a yes'] }, c: { output: ['a yes'] } })).toBe(
      'b a c',
    );
  });

  it('a response does not wait for itself, nor for an older one', () => {
    expect(order({ b: { input: ['a yes'], output: ['a yes'] }, a: {} })).toBe('b a');
    expect(order({ b: { parent: 'a' }, c: {}, a: { time: 500 } })).toBe('a b c');
  });

  it('responses that seem to follow each other in a circle keep their order', () => {
    expect(order({ b: { parent: 'a' }, a: { parent: 'b' }, c: {} })).toBe('c b a');
    expect(order({ b: { parent: 'a' }, a: { parent: 'b' } })).toBe('b a');
  });

  it('the place of an output in the list decides within a second', () => {
    const list = listOf('a first', 'a second', 'a third');
    expect(
      order({ c: { output: ['a third'] }, a: { output: ['a first'] }, b: { output: ['a second'] } }, list),
    ).toBe('a b c');
    expect(order({ b: { output: ['t', 'a second'] }, a: { output: ['t', 'a first'] } }, list)).toBe('a b');
  });

  it('the place of the last input decides where no output is listed, and no earlier input does', () => {
    const list = listOf('u one', 'u two', 'u three');
    expect(order({ b: { input: ['u one', 'u three'] }, a: { input: ['u two'] } }, list)).toBe('a b');
    expect(order({ b: { input: ['u two', 'u x'] }, a: { input: ['u one', 'u x'] } }, list)).toBe('b a');
  });

  it('a response without a place keeps its turn, and the others are placed around it', () => {
    const list = listOf('a first', 'a second');
    const [first, second] = [{ output: ['a first'] }, { output: ['a second'] }];
    expect(order({ x: {}, b: second, a: first }, list)).toBe('x a b');
    expect(order({ b: second, x: {}, a: first }, list)).toBe('a b x');
  });

  it('an item is placed by its ID', () => {
    expect(order({ b: { output: ['a x@id_b'] }, a: { output: ['a y@id_a'] } }, placeById)).toBe('a b');
    expect(order({ b: { input: ['u x@id_b'] }, a: { input: ['u y@id_a'] } }, placeById)).toBe('a b');
  });
});
