import { afterAll, beforeAll, vi } from 'vitest';
import { clock } from '../../src/util/clock.ts';

/** Lets the event loop turn so many times, so that other work gets on. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const timers = new Set<{ readonly due: number; readonly callback: () => void }>();

/** Moves the virtual time on, and ends the waits whose moment has passed. */
export function passTime(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
  for (const timer of timers) {
    if (timer.due > Date.now()) continue;
    timers.delete(timer);
    timer.callback();
  }
}

/** Never moves the time on by itself: a deadline passes when a test passes the time. */
function virtualAfter(milliseconds: number, callback: () => void): () => void {
  const timer = { due: Date.now() + milliseconds, callback };
  timers.add(timer);
  return () => void timers.delete(timer);
}

/** Lets a wait end at once, when its time has passed. */
async function virtualSleep(milliseconds: number): Promise<void> {
  passTime(milliseconds);
  await turns(1);
}

/**
 * Gives the tests of a file a virtual time, which does not depend on the machine: it stands still until code waits, and
 * then it has passed at once.
 */
export function useVirtualTime(): void {
  const real = { ...clock };
  beforeAll(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    clock.sleep = virtualSleep;
    clock.after = virtualAfter;
  });
  afterAll(() => {
    Object.assign(clock, real);
    timers.clear();
    vi.useRealTimers();
  });
}
