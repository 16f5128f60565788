import { setImmediate as nextTick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { currentRun, enterTool, withPort } from '../../src/chaining/attribution.ts';
import { knownPort } from './known-port.ts';

test('a bound run knows no run outside of one', () => {
  expect(currentRun()).toBeUndefined();
});

test('a bound run knows the run after whatever it waits for', async () => {
  const port = knownPort();
  const seen = await withPort(port, async () => {
    await nextTick();
    return currentRun();
  });
  expect(seen).toEqual({ port, client: undefined, around: undefined });
  expect(currentRun()).toBeUndefined();
});

test('a bound run keeps runs apart that take turns', async () => {
  const ports = [knownPort(), knownPort(), undefined];
  const seen = await Promise.all(
    ports.map((port) =>
      withPort(port, async () => {
        for (let step = 0; step < 3; step += 1) await nextTick();
        return currentRun()?.port;
      }),
    ),
  );
  expect(seen).toEqual(ports);
});

test('a bound run ends the inner run where it ends', async () => {
  const [outer, inner] = [knownPort(), knownPort()];
  await withPort(outer, async () => {
    await withPort(inner, () => nextTick());
    expect(currentRun()?.port).toBe(outer);
    withPort(undefined, () => expect(currentRun()?.port).toBeUndefined());
    expect(currentRun()?.port).toBe(outer);
  });
});

/** What a tool finds after it has begun. */
async function tool(): Promise<unknown> {
  await nextTick();
  enterTool();
  await nextTick();
  return currentRun();
}

test('a bound run takes a tool out of the run, and not the run itself', async () => {
  const port = knownPort();
  await withPort(port, async () => {
    const inTools = await Promise.all([tool(), tool()]);
    const inTool = { port: undefined, client: undefined, around: [port] };
    expect(inTools).toEqual([inTool, inTool]);
    expect(currentRun()?.port).toBe(port);
  });
});

test('a bound run remembers every run around a tool within a tool', async () => {
  const [outer, inner] = [knownPort(), knownPort()];
  await withPort(outer, async () => {
    await nextTick();
    enterTool();
    await withPort(inner, async () => {
      await nextTick();
      expect(currentRun()?.port).toBe(inner);
    });
    enterTool();
    expect(currentRun()?.around).toEqual([outer]);
  });
});

test('a tool call outside of a run leaves no run', () => {
  enterTool();
  expect(currentRun()).toBeUndefined();
});
