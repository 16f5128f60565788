import {
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  record,
  tuple,
  type Arbitrary,
} from 'fast-check';
import type { Mode } from '../../../src/rollout/mode.ts';

/** One run. */
export interface Turn {
  readonly type: 'turn';
  readonly text: string;
  readonly agent: 'front' | 'back' | 'clerk';
  readonly model: string;
  readonly stream: boolean;
  /** How the text comes: as it is, as a list of messages, or with an image. */
  readonly input: 'text' | 'list' | 'image';
  readonly filter: 'preface' | 'redact' | 'recent' | undefined;
  readonly callback: 'keep' | 'recent' | 'note' | undefined;
  /** Whether what needs approval is approved, and whether the state travels as text. */
  readonly approval: { readonly approve: boolean; readonly asText: boolean };
  readonly maxTurns: number | undefined;
  /** The event before which the stream of one of the turn's requests breaks. */
  readonly cut: { readonly at: string; readonly skip: number } | undefined;
}

/** What happens to a session. */
export type Step =
  | Turn
  | { readonly type: 'pop'; readonly count: number }
  | { readonly type: 'clear' }
  | { readonly type: 'edit'; readonly how: 'reword' | 'drop' | 'insert'; readonly back: number }
  | { readonly type: 'mutate' }
  /** Goes on with a copy of the history in a session of its own. */
  | { readonly type: 'fork' }
  /** Another process: a new session object on the same ledger and conversation. */
  | { readonly type: 'restart' }
  | { readonly type: 'mode'; readonly mode: Mode }
  /** The server forgets the newest response, all of them, or only says so once. */
  | { readonly type: 'forget'; readonly how: 'newest' | 'all' | 'says-so' };

/** Once in so many times. */
const once = <T>(times: number, arbitrary: Arbitrary<T>): Arbitrary<T | undefined> =>
  oneof({ weight: times - 1, arbitrary: constant(undefined) }, { weight: 1, arbitrary });

const text: Arbitrary<string> = oneof(
  { weight: 3, arbitrary: constantFrom('hi', 'what can you do?', 'give me one example', 'thanks') },
  { weight: 3, arbitrary: constantFrom('act 1x1', 'act 2x1', 'act 1x2', 'act 2x2', 'act 1x3') },
  { weight: 1, arbitrary: constantFrom('search', 'act 1x1 then search') },
);

const turn: Arbitrary<Turn> = record({
  type: constant('turn'),
  text,
  agent: constantFrom('front', 'front', 'front', 'back', 'clerk'),
  model: constantFrom('gpt-4.1', 'gpt-5.4', 'gpt-5'),
  stream: constantFrom(false, false, true),
  input: constantFrom('text', 'text', 'list', 'image'),
  filter: once(8, constantFrom('preface', 'redact', 'recent')),
  callback: once(8, constantFrom('keep', 'recent', 'note')),
  approval: record({ approve: boolean(), asText: boolean() }),
  maxTurns: once(10, constantFrom(1, 2)),
  cut: once(
    10,
    record({
      at: constantFrom('response.in_progress', 'response.output_item.added', 'response.completed'),
      skip: nat(1),
    }),
  ),
});

const change: Arbitrary<Step> = oneof(
  record({ type: constant('pop'), count: integer({ min: 1, max: 4 }) }),
  record({ type: constant('clear') }),
  record({
    type: constant('edit'),
    how: constantFrom('reword', 'drop', 'insert'),
    back: nat(4),
  }),
  record({ type: constant('mutate') }),
  record({ type: constant('fork') }),
  record({ type: constant('restart') }),
  record({
    type: constant('mode'),
    mode: constantFrom('off', 'shadow', 'rebuild', 'chain', 'chain'),
  }),
  record({ type: constant('forget'), how: constantFrom('newest', 'all', 'says-so') }),
);

const something: Arbitrary<Step> = oneof({ weight: 3, arbitrary: turn }, { weight: 2, arbitrary: change });

/** A life: turns, and now and then something that changes what the next turn continues. Most are short. */
export const script: Arbitrary<readonly Step[]> = tuple(
  turn,
  oneof(
    { weight: 4, arbitrary: array(something, { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: array(something, { minLength: 3, maxLength: 5 }) },
  ),
  turn,
).map(([first, middle, last]) => withoutMixedFaults([first, ...middle, last]));

/** A request that is refused never gets as far as its stream, so that the cut would strike another one in each world. */
function withoutMixedFaults(steps: readonly Step[]): Step[] {
  const forgets = steps.some(({ type }) => type === 'forget');
  return steps.map((step) => (step.type === 'turn' && forgets ? { ...step, cut: undefined } : step));
}
