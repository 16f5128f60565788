import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useVirtualTime } from '../../support/virtual-time.ts';
import { SessionWorld, type Settings } from './session-world.ts';
import { settle } from './settle.ts';
import { drawnSequence, sequences, type Sequence } from './step.ts';
import type { StoreName } from './stores.ts';
import { FULL } from '../../support/runs.ts';

/** How many sequences there are in all: a few to see it work, ten thousand where time is no matter. */
const ALL = Number(process.env['SEQUENCES'] ?? (FULL ? 10_000 : 200));

/** Another beginning for all files, to try other sequences. */
const SEED = Number(process.env['SEQUENCE_SEED'] ?? 0);

/** Set to skip shrinking. */
const SHRINK = process.env['SEQUENCE_RAW'];

/** Repeats one failure: `seed path replayPath`, as a failure prints it. */
const AGAIN = process.env['SEQUENCE_AGAIN']?.split(' ');

/** The subject of a file. */
export interface Proof {
  readonly store: StoreName;
  readonly seed: number;
  /** Of all sequences, from 0 to 1. */
  readonly share: number;
  /** Why it cannot run here. */
  readonly missing?: string | undefined;
}

/** Options that go together with a store. */
function settingsOn(store: StoreName): fc.Arbitrary<Settings> {
  const isAlone = store === 'bookmark';
  return fc.record({
    store: fc.constant(store),
    options: fc
      .record({
        mirror: isAlone
          ? fc.constant('await' as const)
          : fc.constantFrom(
              'await' as const,
              'await' as const,
              'background' as const,
              'background' as const,
              'off' as const,
            ),
        keepContent: fc.constantFrom(true, true, false),
        advanced: fc.record({
          compare: fc.constantFrom('auto' as const, 'on-read' as const, 'manual' as const),
        }),
      })
      .map((options) => (options.mirror === 'off' ? { ...options, keepContent: true } : options)),
    unlink: fc.constantFrom('none', 'none', 'id-replay', 'every-turn'),
    inputItems: fc.constantFrom('own', 'inherited'),
    second: isAlone
      ? fc.constant('none' as const)
      : fc.constantFrom('none' as const, 'same-process' as const, 'other-process' as const),
    isNamed: isAlone ? fc.constant(false) : fc.boolean(),
    pauses: fc.array(fc.nat(3), { maxLength: 5 }),
  });
}

/** Proves that no sequence loses, doubles, moves or invents an item, hangs, or leaves an unhandled rejection. */
export function proveSequences({ store, seed: ownSeed, share, missing }: Proof): void {
  const seed = ownSeed + SEED;
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  useVirtualTime();
  beforeEach(() => void process.on('unhandledRejection', hear));
  afterEach(() => void process.off('unhandledRejection', hear));

  const count = Math.max(1, Math.round(ALL * share));
  const why = missing === undefined ? '' : ` (${missing})`;
  test.skipIf(missing !== undefined)(
    `${count} sequences on ${store} from seed ${seed}${why}`,
    { timeout: 2_400_000 },
    async () => {
      const [again, path, replayPath] = AGAIN ?? [];
      const isAgain = again !== undefined && path !== undefined;
      const details = await fc.check(
        fc.asyncProperty(settingsOn(store), sequences(replayPath), async (settings, steps) => {
          vi.setSystemTime(Date.UTC(2026, 0, 1));
          const world = await SessionWorld.open(settings);
          try {
            await fc.asyncModelRun(() => ({ model: world.expected, real: world }), steps);
            await settle(world);
          } finally {
            await world.close();
          }
          if (unheard.length > 0)
            throw new Error('A rejection that nobody handled', { cause: unheard.splice(0)[0] });
        }),
        isAgain
          ? { seed: Number(again), path, endOnFailure: true }
          : { seed, numRuns: count, ...(SHRINK === undefined ? {} : { endOnFailure: true }) },
      );
      if (details.failed) throw new Error(told(details, store), { cause: details.errorInstance });
      expect(details.numRuns).toBeGreaterThan(0);
    },
  );
}

function told(details: fc.RunDetails<[Settings, Sequence]>, store: StoreName): string {
  const { seed, counterexamplePath, counterexample, numRuns, errorInstance } = details;
  const [settings, steps] = counterexample ?? [];
  const drawn = drawnSequence(steps);
  const replay = /replayPath="([^"]*)"/.exec(drawn)?.[1] ?? '';
  return [
    `Sequence ${numRuns} failed: ${errorInstance instanceof Error ? errorInstance.message : String(errorInstance)}`,
    `with ${JSON.stringify(settings)}`,
    `after ${drawn}`,
    `Again: SEQUENCE_AGAIN='${seed} ${counterexamplePath ?? ''} ${replay}' npx vitest run test/sequences/${store}`,
  ].join('\n');
}
