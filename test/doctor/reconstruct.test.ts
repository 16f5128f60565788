import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reconstruct, type Reconstruction } from '../../src/doctor/reconstruct/reconstruct.ts';
import {
  livedThrough,
  randomTurns,
  type RandomConversation,
  type RandomOptions,
  type Style,
} from './random-conversation.ts';

const FEW = ['ok', 'go on', 'thanks'];
const MANY = Array.from({ length: 400 }, (_, index) => `word ${index}`);

type Check = (lived: RandomConversation, found: Reconstruction) => boolean;

/** @returns fast-check's counterexample, or null. */
function failureOf(
  check: Check,
  options: RandomOptions & { readonly styles?: readonly Style[] },
): string | null {
  const details = fc.check(
    fc.property(
      randomTurns(options),
      fc.constantFrom(...(options.styles ?? ['replay', 'chain', 'attached'])),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom(300, 1000, 60_000),
      (turns, style, inherits, isCut, ticks) => {
        const lived = livedThrough(turns, { ...options, style, inherits, isCut, ticks });
        return check(lived, reconstruct(lived.responses, { conversationId: 'conv_1', ...lived }));
      },
    ),
    { seed: 7, numRuns: 500 },
  );
  return details.failed ? JSON.stringify(details.counterexample) : null;
}

const wordsOf = (lived: RandomConversation, { nodes }: Reconstruction): string[] =>
  nodes.map(({ key }) => lived.word(key));

const isExact: Check = (lived, found) => wordsOf(lived, found).join('|') === lived.timeline.join('|');

/** In order, without extra items, and with all items of the used responses. */
const lacksOnlyTheUntied: Check = (lived, found) => {
  const words = wordsOf(lived, found);
  const untied = lived.responses.filter(({ id }) => found.statuses.get(id) !== 'used');
  const keys = untied.flatMap(({ input, output }) => [...input.keys, ...output.map(({ key }) => key)]);
  const possible = new Set(keys.map((key) => lived.word(key)));
  let at = 0;
  for (const word of lived.timeline) {
    if (word === words[at]) at += 1;
    else if (!possible.has(word)) return false;
  }
  return at === words.length;
};

describe('a conversation of which all responses are known', () => {
  it('reconstruct restores a conversation exactly after any loss of answers and calls', () => {
    expect(failureOf(isExact, { words: MANY, losesInput: false })).toBeNull();
  });

  it('reconstruct restores a conversation exactly when users repeat words', () => {
    expect(failureOf(isExact, { words: FEW, losesInput: false })).toBeNull();
  });

  it('reconstruct restores a conversation exactly when answers repeat as well', () => {
    expect(failureOf(isExact, { words: FEW, answers: ['yes', 'no'], losesInput: false })).toBeNull();
  });

  it('reconstruct restores a conversation exactly when inputs are lost, if responses were made in it', () => {
    const options = { words: FEW, isUnique: true, losesInput: true, styles: ['attached'] } as const;
    expect(failureOf(isExact, options)).toBeNull();
  });

  it('reconstruct lacks only turns without any link, and invents no item', () => {
    const options = { words: FEW, isUnique: true, losesInput: true, styles: ['replay', 'chain'] } as const;
    expect(failureOf(lacksOnlyTheUntied, options)).toBeNull();
  });
});
