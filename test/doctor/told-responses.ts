import type { ItemFacts, ItemOccurrence } from '../../src/doctor/evidence/item-index.ts';
import type { ReadResponse } from '../../src/doctor/evidence/responses.ts';
import type { TimelineNode } from '../../src/doctor/reconstruct/reconstructed-timeline.ts';

/** A response as a test gives it: items as words, such as `u hi`, `a yes@msg_1`, `c call_1`, `r call_1` or `t`. */
export interface ToldResponse extends Partial<Omit<ReadResponse, 'id' | 'input' | 'output'>> {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  /** Whether the input begins with the first item of the conversation. */
  readonly isWhole?: boolean;
}

const KINDS: Readonly<Record<string, string>> = {
  u: 'message:user',
  a: 'message:assistant',
  c: 'function_call',
  r: 'function_call_result',
  t: 'reasoning',
};

const words: string[] = [];

/** The key of an item by its word. */
export function keyOf(word: string): number {
  const known = words.indexOf(word);
  return known === -1 ? words.push(word) - 1 : known;
}

export const wordOf = (key: number): string => words[key] ?? '';

/** The facts of an item follow from its word. */
export const itemIndex = {
  facts(key: number): ItemFacts {
    const [letter = '', callId = ''] = wordOf(key).split(' ');
    return {
      digest: letter === 't' ? null : wordOf(key),
      kind: KINDS[letter] ?? letter,
      role: letter === 't' ? 'reasoning' : letter === 'u' || letter === 'r' ? 'input' : 'output',
      id: `first ${wordOf(key)}`,
      callId: letter === 'c' || letter === 'r' ? callId : '',
      item: undefined,
    };
  },
};

/** An item given as a word, with `@id` behind it when its ID is known. */
export function seen(told: string): { readonly id: string | undefined; readonly key: number } {
  const [word = '', id] = told.split('@');
  return { id, key: keyOf(word) };
}

let count = 0;

/** Items of a list or an output: each has an ID. */
export const occurrences = (told: readonly string[]): ItemOccurrence[] =>
  told.map((one) => {
    const { id, key } = seen(one);
    return { id: id ?? `id_${(count += 1)}`, key };
  });

/** A response that was read; each is a second younger than the one before, unless it has a time. */
export function readResponse(
  id: string,
  { input = [], output = [], isWhole = true, ...more }: ToldResponse,
): ReadResponse {
  return {
    id,
    from: 'given',
    parent: undefined,
    apiStatus: 'completed',
    conversationId: undefined,
    time: undefined,
    output: occurrences(output),
    input: {
      keys: Int32Array.from(input, (one) => seen(one).key),
      ids: input.map((one) => seen(one).id),
      isWhole,
    },
    ...more,
  };
}

/** Responses by their IDs, each a second younger than the one before. */
export const readResponses = (told: Readonly<Record<string, ToldResponse>>): ReadResponse[] =>
  Object.entries(told).map(([id, response], at) => readResponse(id, { time: 1000 * (at + 1), ...response }));

/** Each node as its word, with `<` the response that made it, or `>` the first one that was given it. */
export const nodeWords = (nodes: readonly TimelineNode[]): string[] =>
  nodes.map(({ key, producedBy, firstGivenTo }) =>
    [
      wordOf(key),
      ...(producedBy === undefined ? [] : [`< ${producedBy}`]),
      ...(firstGivenTo === undefined ? [] : [`> ${firstGivenTo}`]),
    ].join(' '),
  );
