import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { ROOT } from '../../package/packed.ts';
import { runProgram } from '../../package/run-program.ts';
import { FULL } from '../../support/runs.ts';

const WORKER = fileURLToPath(new URL('../../support/growth-worker.mjs', import.meta.url));

interface Counts {
  /** Executed blocks of the library's code. */
  readonly blocks: number;
  readonly records: number;
  readonly requests: number;
}

/** The turns of the short session, and of one that is ten times as long. */
const SHORT = 100;
const LONG = 1000;

/** The most that n log n grows by. */
const MOST = (LONG * Math.log(LONG)) / (SHORT * Math.log(SHORT));

/** The operations that cost the same in every session; all others may look at the whole history. */
const CONSTANT = ['append', 'getItems(10)', 'turn by reference'];

beforeAll(() => {
  const built = fileURLToPath(new URL('../../../dist/esm/src/index.js', import.meta.url));
  if (!existsSync(built)) throw new Error('The workers read the built package; run: npm run build');
});

/** Counts the work of each operation in a process of its own. */
async function counted(order: object, ...flags: readonly string[]): Promise<ReadonlyMap<string, Counts>> {
  const args = [...flags, WORKER, JSON.stringify(order)];
  const { stdout, stderr } = await runProgram('node', args, { cwd: ROOT });
  expect(stderr).toBe('');
  return new Map(Object.entries(JSON.parse(stdout) as Record<string, Counts>));
}

function grown(short: ReadonlyMap<string, Counts>, long: ReadonlyMap<string, Counts>): Map<string, number> {
  return new Map(
    [...long].map(([name, { blocks }]) => [name, blocks / (short.get(name)?.blocks ?? Number.NaN)]),
  );
}

it('no operation does more than n log n work in a conversation of n turns, and an append and a turn by reference do the same work in each', async () => {
  const [short, long] = [await counted({ turns: SHORT }), await counted({ turns: LONG })];
  expect(long.size).toBeGreaterThan(20);
  const growth = grown(short, long);
  expect([...growth].filter(([, factor]) => !(factor <= MOST))).toEqual([]);
  expect(CONSTANT.filter((name) => !((growth.get(name) ?? Number.NaN) < 1.2))).toEqual([]);
  for (const name of [...CONSTANT, 'getItems', 'turn'])
    expect([name, long.get(name)?.records, long.get(name)?.requests]).toEqual([
      name,
      short.get(name)?.records,
      short.get(name)?.requests,
    ]);
});

it.runIf(FULL)('no operation does more than n log n work in a session with a window', async () => {
  const growth = grown(
    await counted({ turns: SHORT, isAlone: true }),
    await counted({ turns: LONG, isAlone: true }),
  );
  expect([...growth].filter(([, factor]) => !(factor <= MOST))).toEqual([]);
});

it.runIf(FULL)('a session of 100,000 items works with 1 GiB of memory', async () => {
  const counts = await counted({ turns: 50_000, isAlone: true }, '--max-old-space-size=1024');
  expect(counts.size).toBeGreaterThan(15);
});
