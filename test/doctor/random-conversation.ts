import * as fc from 'fast-check';
import type { ItemOccurrence } from '../../src/doctor/evidence/item-index.ts';
import type { ReadResponse } from '../../src/doctor/evidence/responses.ts';

/** How a conversation was led: everything sent again, continued by the response's ID, or made in the conversation. */
export type Style = 'replay' | 'chain' | 'attached';

/** One turn: its inputs, the number of calls before the answer, and the later losses of the list. */
export interface RandomTurn {
  readonly said: readonly string[];
  readonly calls: number;
  readonly answer: string | undefined;
  /** For each item of the list whether it is lost; repeated as often as the list is long. */
  readonly losses: readonly boolean[];
}

/** Options of a random conversation. */
export interface RandomOptions {
  readonly words: readonly string[];
  /** Texts of answers; by default each is different. */
  readonly answers?: readonly string[];
  /** Whether inputs can be lost, too. */
  readonly losesInput: boolean;
  /** Whether all inputs differ. */
  readonly isUnique?: boolean;
}

/** Turns with losses. */
export function randomTurns({ words, answers }: RandomOptions): fc.Arbitrary<RandomTurn[]> {
  return fc.array(
    fc.record({
      said: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 2 }),
      calls: fc.nat({ max: 2 }),
      answer: answers === undefined ? fc.constant(undefined) : fc.constantFrom(...answers),
      losses: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
    }),
    { minLength: 1, maxLength: 8 },
  );
}

/** A conversation as it was, as its list is, and its responses. */
export interface RandomConversation {
  /** The whole history, as words. */
  readonly timeline: readonly string[];
  readonly base: readonly ItemOccurrence[];
  readonly responses: readonly ReadResponse[];
  readonly word: (key: number) => string;
  readonly itemIndex: { facts: (key: number) => ReturnType<typeof factsOf> };
}

function factsOf(word: string) {
  const [kind = ''] = word.split(' ');
  const isInput = kind === 'u' || kind === 'r';
  return {
    digest: word,
    kind:
      { u: 'message:user', a: 'message:assistant', c: 'function_call', r: 'function_call_result' }[kind] ??
      kind,
    role: isInput ? ('input' as const) : ('output' as const),
    id: `first ${word}`,
    callId: kind === 'c' || kind === 'r' ? (word.split(' ')[1] ?? '') : '',
    item: undefined,
  };
}

/** Lives through the turns. */
export function livedThrough(
  turns: readonly RandomTurn[],
  {
    losesInput,
    isUnique = false,
    isCut = false,
    style,
    inherits,
    ticks,
  }: Pick<RandomOptions, 'losesInput' | 'isUnique'> & {
    readonly style: Style;
    readonly inherits: boolean;
    /** Whether of each input only the end is known, from the newest that one earlier response alone has made. */
    readonly isCut?: boolean;
    /** Milliseconds between two responses. */
    readonly ticks: number;
  },
): RandomConversation {
  const words: string[] = [];
  const key = (word: string): number => {
    const known = words.indexOf(word);
    return known === -1 ? words.push(word) - 1 : known;
  };
  const timeline: ItemOccurrence[] = [];
  let list: ItemOccurrence[] = [];
  const responses: ReadResponse[] = [];
  let count = 0;
  const fresh = (prefix: string): string => `${prefix}_${(count += 1)}`;
  for (const [at, { said, calls, answer, losses }] of turns.entries()) {
    let spoken = said.map((text, nth) => `u ${text}${isUnique ? ` ${at}.${nth}` : ''}`);
    const before = [...list];
    const sent: ItemOccurrence[] = [];
    const steps = calls + 1;
    for (let step = 0; step < steps; step += 1) {
      const own = spoken.map((word): ItemOccurrence => ({ id: fresh('in'), key: key(word) }));
      const outputs = (step < calls ? [`c call${at}.${step}`] : [`a ${answer ?? `answer ${at}`}`]).map(
        (word): ItemOccurrence => ({ id: fresh('out'), key: key(word) }),
      );
      const id = fresh('resp');
      const shown =
        style === 'replay'
          ? [...before, ...sent].map((one): ItemOccurrence => ({ id: fresh('copy'), key: one.key }))
          : inherits
            ? style === 'chain'
              ? [...timeline]
              : [...before, ...sent]
            : [];
      const input = [...shown, ...own];
      responses.push({
        id,
        from: 'given',
        parent: style === 'chain' ? responses.at(-1)?.id : undefined,
        apiStatus: 'completed',
        conversationId: style === 'attached' ? 'conv_1' : undefined,
        time: Math.floor((responses.length * ticks) / 1000) * 1000,
        output: outputs,
        input: {
          keys: Int32Array.from(input, (one) => one.key),
          ids: input.map((one) => one.id),
          isWhole: true,
        },
      });
      sent.push(...own, ...outputs);
      timeline.push(...own, ...outputs);
      spoken = step < calls ? [`r call${at}.${step}`] : [];
    }
    // Only items made in the conversation keep their ID there.
    list = [
      ...before,
      ...sent.map((one) => (style === 'attached' ? one : { id: fresh('msg'), key: one.key })),
    ];
    list = list.filter((one, index) => {
      const isInput = factsOf(words[one.key] ?? '').role === 'input';
      return !(losses[index % losses.length] === true && (losesInput || !isInput));
    });
  }
  const seen = new Set([...list, ...responses.flatMap(({ output }) => output)].map(({ id }) => id));
  return {
    timeline: timeline.map((one) => words[one.key] ?? ''),
    base: list,
    responses: responses.map((response) => ({
      ...response,
      input: keptInput(response, seen, isCut ? responses : []),
    })),
    word: (one) => words[one] ?? '',
    itemIndex: { facts: (one) => factsOf(words[one] ?? '') },
  };
}

/** The part of a response's input that the doctor keeps. */
function keptInput(
  { id: own, input }: ReadResponse,
  seen: ReadonlySet<string>,
  makers: readonly ReadResponse[],
): ReadResponse['input'] {
  const isMade = (key: number): boolean => {
    const made = makers.filter(({ output }) => output.some((one) => one.key === key));
    return made.length === 1 && made[0]?.id !== own;
  };
  const newest = input.keys.findLastIndex((key) => isMade(key));
  const from = Math.max(0, newest);
  return {
    keys: input.keys.slice(from),
    ids: input.ids.slice(from).map((id) => (id !== undefined && seen.has(id) ? id : undefined)),
    isWhole: from === 0,
  };
}
