import { setTimeout as sleep } from 'node:timers/promises';

/** The time, and waiting until some of it has passed. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** @throws an `AbortError` when the signal ends the wait. */
  sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Calls back when so many milliseconds have passed. @returns a function that cancels it. */
  after: (milliseconds: number, callback: () => void) => () => void;
}

/** The clock of all ledgers, sessions and chains. A test may replace its methods. */
export const clock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Milliseconds until a time, and no more than a limit: a system may set its clock back. */
export function timeLeft(until: number, limit: number): number {
  return Math.min(limit, until - clock.now());
}

/** Whether an interval has passed since a time. A clock that was set back ends the interval, since its true rest is unknown. */
export function hasPassed(since: number, interval: number): boolean {
  const elapsed = clock.now() - since;
  return elapsed < 0 || elapsed >= interval;
}

/** The outcome of a task. After so many milliseconds it is the outcome of `late`; the task is not stopped. */
export function within<T>(milliseconds: number, task: Promise<T>, late: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => void (async () => late())().then(resolve, reject);
    const cancel = milliseconds > 0 ? clock.after(milliseconds, giveUp) : undefined;
    if (cancel === undefined) giveUp();
    task.finally(cancel).then(resolve, reject);
  });
}
