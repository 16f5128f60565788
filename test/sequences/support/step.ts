import * as fc from 'fast-check';
import type { Mode } from '../../../src/index.ts';
import type { Death } from './app-process.ts';
import type { ExpectedHistory } from './expected-history.ts';
import { anyFault } from './fault-arbitrary.ts';
import { DEEDS, deed, turn, type Deed, type Turn } from './session-steps.ts';
import type { SessionWorld, Work } from './session-world.ts';

/** Steps that shrink. */
export type Sequence = Iterable<fc.AsyncCommand<ExpectedHistory, SessionWorld>>;

/** One command: something that is done to the sessions of a world. */
class Step implements fc.AsyncCommand<ExpectedHistory, SessionWorld> {
  readonly #name: string;
  readonly #act: (world: SessionWorld) => Promise<unknown>;

  constructor(name: string, act: (world: SessionWorld) => Promise<unknown>) {
    this.#name = name;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(_expected: ExpectedHistory, world: SessionWorld): Promise<void> {
    await this.#act(world);
  }

  toString(): string {
    return this.#name;
  }
}

/** The deed of one session, before its world is known. */
interface Plan {
  readonly name: string;
  readonly in: (world: SessionWorld) => Work;
}

const names = Object.keys(DEEDS) as Deed[];

const deeds: fc.Arbitrary<Plan> = fc
  .tuple(
    fc.nat(1),
    fc.constantFrom(...names, 'append' as const, 'append' as const, 'read' as const),
    fc.nat(5),
    fc.boolean(),
  )
  .map(([which, name, few, isMany]) => {
    // Most appends are small; some take more than one request, or more than two.
    const amount = name === 'append' && isMany && few > 2 ? few * 9 : few;
    return { name: `${name} ${amount} on ${which}`, in: (world) => deed(world, which, name, amount) };
  });

const how: fc.Arbitrary<Turn> = fc.record({
  level: fc.constantFrom(1, 2),
  stream: fc.boolean(),
  tool: fc.constantFrom(false, false, true),
  model: fc.constantFrom('gpt-5.4', 'gpt-5.4', 'gpt-4.1'),
  abort: fc.option(
    fc.record({ at: fc.integer({ min: 1, max: 12 }), by: fc.constantFrom('signal', 'leaving') }),
    {
      nil: undefined,
      freq: 3,
    },
  ),
});

const runs: fc.Arbitrary<Plan> = fc.tuple(fc.nat(1), how).map(([which, one]) => ({
  name: `run ${JSON.stringify(one)} on ${which}`,
  in: (world) => turn(world, which, one),
}));

const clears: fc.Arbitrary<Plan> = fc.constant({
  name: 'clear on 0',
  in: (): Work => ({ which: 0, act: ({ session }) => session.clearSession() }),
});

const plans = fc.oneof({ weight: 5, arbitrary: deeds }, { weight: 2, arbitrary: runs });

const death: fc.Arbitrary<Death> = fc.record({
  // A heal takes many calls.
  after: fc.oneof({ weight: 3, arbitrary: fc.nat(8) }, { weight: 1, arbitrary: fc.nat(40) }),
  moment: fc.constantFrom('before' as const, 'after' as const),
});

const alone = fc
  .oneof({ weight: 12, arbitrary: plans }, { weight: 1, arbitrary: clears })
  .map((plan) => new Step(plan.name, (world) => world.act(plan.in(world))));

const atOnce = fc.oneof({ weight: 14, arbitrary: plans }, { weight: 1, arbitrary: clears });

const together = fc
  .tuple(atOnce, atOnce)
  .map(
    ([one, other]) =>
      new Step(`(${one.name} & ${other.name})`, (world) => world.together(one.in(world), other.in(world))),
  );

const deadly = fc
  .tuple(fc.oneof({ weight: 8, arbitrary: plans }, { weight: 1, arbitrary: clears }), death)
  .map(
    ([plan, at]) =>
      new Step(`${plan.name}, killed ${at.moment} call ${at.after}`, (world) =>
        world.killWithin(plan.in(world), at),
      ),
  );

const restarts = fc
  .tuple(fc.nat(1), fc.boolean())
  .map(
    ([which, isKilled]) =>
      new Step(`${isKilled ? 'kill' : 'leave'} ${which}`, async (world) => world.restart(which, isKilled)),
  );

const losses = fc
  .tuple(fc.constantFrom('item' as const, 'item' as const, 'conversation' as const), fc.nat(30))
  .map(
    ([what, amount]) =>
      new Step(`somebody takes ${what} ${amount} away`, async (world) => world.takeAway(what, amount)),
  );

const modes = fc.constantFrom<Mode>('off', 'shadow', 'rebuild', 'chain').map(
  (mode) =>
    new Step(`mode ${mode}`, async (world) => {
      world.mode = mode;
    }),
);

const faults = anyFault.map(
  (one) => new Step(`fault ${JSON.stringify(one)}`, async (world) => world.fault(one)),
);

const lifts = fc.constant(null).map(() => new Step('lift', async (world) => world.lift()));

/** The sequence as text, with the settings that repeat it. */
export function drawnSequence(steps: Sequence | undefined): string {
  return steps === undefined ? '' : Reflect.apply(Object(steps).toString, steps, []);
}

/** Any sequence of steps, each of any kind. */
export function sequences(replayPath: string | undefined): fc.Arbitrary<Sequence> {
  return fc.commands(
    [alone, alone, alone, alone, together, deadly, restarts, losses, modes, faults, faults, lifts],
    {
      maxCommands: 14,
      size: 'max',
      ...(replayPath === undefined ? {} : { replayPath }),
    },
  );
}
