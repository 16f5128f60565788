import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { expect, it } from 'vitest';
import type { HistoryOptions, Mode } from '../../src/index.ts';
import { runs } from '../support/runs.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { KINDS, LongConversation, type Decision, type Way } from './support/long-conversation.ts';

useVirtualTime();

type Step = (conversation: LongConversation, number: number) => Promise<void> | void;

const mode: Arbitrary<Mode> = fc.constantFrom('off', 'shadow', 'rebuild', 'chain');
const process: Arbitrary<0 | 1> = fc.constantFrom(0, 1);

const way: Arbitrary<Way> = fc.record({
  which: process,
  runner: fc.constantFrom('whole', 'reference'),
  stream: fc.boolean(),
  compacts: fc.constantFrom('never', 'never', 'server', 'refused', 'meanwhile'),
});

const decision: Arbitrary<Decision> = fc.record({
  approve: fc.boolean(),
  isPartial: fc.boolean(),
  isStored: fc.boolean(),
});

const step: Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom(...KINDS), way)
      .map(([kind, how]) =>
        named(`${kind} ${JSON.stringify(how)}`, (all, number) => all.turn(kind, how, number)),
      ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(decision, way)
      .map(([one, how]) =>
        named(`decide ${JSON.stringify({ ...one, ...how })}`, (all) => all.decide(one, how)),
      ),
  },
  { weight: 2, arbitrary: process.map((one) => named(`compact ${one}`, (all) => all.compact(one))) },
  { weight: 1, arbitrary: mode.map((one) => named(one, (all) => all.change(one))) },
  { weight: 1, arbitrary: process.map((one) => named(`undo ${one}`, (all) => all.undo(one))) },
  { weight: 1, arbitrary: process.map((one) => named(`restart ${one}`, (all) => all.restart(one))) },
);

/** So that a counterexample can be read. */
function named(name: string, act: Step): Step {
  return Object.assign(act, { [fc.toStringMethod]: () => name });
}

/** Expects the property of every sequence with these options of the history. */
async function proof(history: (model: string) => Arbitrary<HistoryOptions>): Promise<void> {
  const settings = fc
    .constantFrom('gpt-4.1', 'gpt-5.4')
    .chain((model) => history(model).map((given) => ({ model, given })));
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 9 }),
      settings,
      async (steps, { model, given }) => {
        const conversation = new LongConversation(model, given);
        for (const [number, act] of steps.entries()) {
          await act(conversation, number);
          await conversation.check();
        }
        const { found } = conversation;
        expect(found).toEqual(found.map(({ where, expected }) => ({ where, is: expected, expected })));
      },
    ),
    { numRuns: runs(120), seed: 20261130 },
  );
}

it('any sequence of turns, approvals, compactions and modes keeps the transcript, and sends the model the view', async () => {
  await expect(proof((model) => fc.constant({ compaction: { model } }))).resolves.toBeUndefined();
});

it('any sequence of turns, approvals and modes keeps the transcript, and sends the model the window', async () => {
  const window = fc.record({ turns: fc.integer({ min: 1, max: 3 }), slack: fc.nat(2) });
  await expect(proof(() => fc.record({ window }))).resolves.toBeUndefined();
});
