import { setImmediate as nextTick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { currentRun, enterTool, withChain } from '../../src/model/current-chain.ts';
import { knownChain } from './known-chain.ts';

test('knows no run outside of one', () => {
  expect(currentRun()).toBeUndefined();
});

test('knows the run after whatever it waits for', async () => {
  const chain = knownChain();
  const seen = await withChain(chain, async () => {
    await nextTick();
    return currentRun();
  });
  expect(seen).toEqual({ chain, client: undefined, around: undefined });
  expect(currentRun()).toBeUndefined();
});

test('keeps runs apart that take turns', async () => {
  const chains = [knownChain(), knownChain(), undefined];
  const seen = await Promise.all(
    chains.map((chain) =>
      withChain(chain, async () => {
        for (let step = 0; step < 3; step += 1) await nextTick();
        return currentRun()?.chain;
      }),
    ),
  );
  expect(seen).toEqual(chains);
});

test('ends the inner run where it ends', async () => {
  const [outer, inner] = [knownChain(), knownChain()];
  await withChain(outer, async () => {
    await withChain(inner, () => nextTick());
    expect(currentRun()?.chain).toBe(outer);
    withChain(undefined, () => expect(currentRun()?.chain).toBeUndefined());
    expect(currentRun()?.chain).toBe(outer);
  });
});

/** What a tool finds after it has begun. */
async function tool(): Promise<unknown> {
  await nextTick();
  enterTool();
  await nextTick();
  return currentRun();
}

test('takes a tool out of the run, and not the run itself', async () => {
  const chain = knownChain();
  await withChain(chain, async () => {
    const inTools = await Promise.all([tool(), tool()]);
    const inTool = { chain: undefined, client: undefined, around: [chain] };
    expect(inTools).toEqual([inTool, inTool]);
    expect(currentRun()?.chain).toBe(chain);
  });
});

test('remembers every run around a tool within a tool', async () => {
  const [outer, inner] = [knownChain(), knownChain()];
  await withChain(outer, async () => {
    await nextTick();
    enterTool();
    await withChain(inner, async () => {
      await nextTick();
      expect(currentRun()?.chain).toBe(inner);
    });
    enterTool();
    expect(currentRun()?.around).toEqual([outer]);
  });
});

test('has nothing to leave outside of a run', () => {
  enterTool();
  expect(currentRun()).toBeUndefined();
});
