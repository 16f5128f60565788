import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { Death } from '../sequences/support/app-process.ts';
import { runs } from '../support/runs.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import {
  ENDINGS,
  RecordedConversation,
  type Library,
  type RecordedTurn,
} from './support/recorded-conversation.ts';

useVirtualTime();

type Step = (conversation: RecordedConversation, number: number) => Promise<void>;

const turn: Arbitrary<RecordedTurn> = fc.record({
  ending: fc.constantFrom(...ENDINGS),
  abortAt: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })),
});

const death: Arbitrary<Death> = fc.record({
  after: fc.nat(16),
  moment: fc.constantFrom('before', 'after'),
});

/** So that a counterexample can be read. */
function named(name: string, act: Step): Step {
  return Object.assign(act, { [fc.toStringMethod]: () => name });
}

const step: Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: turn.map((how) => named(`run ${JSON.stringify(how)}`, (all, number) => all.turn(number, how))),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(turn, death)
      .map(([how, at]) =>
        named(`kill ${JSON.stringify({ ...how, ...at })}`, (all, number) => all.turn(number, how, at)),
      ),
  },
  { weight: 2, arbitrary: fc.constant(named('undo', (all) => all.undo())) },
  { weight: 1, arbitrary: fc.constant(named('fork', (all, number) => all.fork(number))) },
);

/** The modules of two processes, which share no variables. */
async function twoProcesses(): Promise<[Library, Library]> {
  const one = await import('../../src/index.ts');
  vi.resetModules();
  return [one, await import('../../src/index.ts')];
}

it('any sequence of recorded runs that end well, fail, are aborted or die keeps each question, answer and result once', async () => {
  const libraries = await twoProcesses();
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 8 }),
    fc.constantFrom('off', 'await', 'background'),
    async (steps, mirror) => {
      const conversation = new RecordedConversation(libraries, { mirror });
      for (const [number, act] of steps.entries()) {
        await act(conversation, number);
        expect(await conversation.differences()).toEqual([]);
      }
    },
  );
  await expect(fc.assert(property, { numRuns: runs(150), seed: 20261201 })).resolves.toBeUndefined();
});
