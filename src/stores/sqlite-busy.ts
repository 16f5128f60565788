import { isObject } from '../ledger/json.ts';

const SQLITE_BUSY = 5;
/** Milliseconds; a write of another process takes a few. */
const LONGEST_PAUSE = 20;

/**
 * Runs a transaction again as long as another connection is writing, up to `patience` milliseconds.
 *
 * It waits without holding up the event loop, unlike SQLite's own timeout, which should be short where it is set.
 */
export async function whileBusy<T>(patience: number, transaction: () => T): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return transaction();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    // At random, so that writers who met once do not meet again.
    await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * LONGEST_PAUSE));
  }
}

/** `node:sqlite` tells by `errcode`, the others by `code`. */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !isObject(error)) return false;
  const { code, errcode } = error;
  if (typeof errcode === 'number') return (errcode & 0xff) === SQLITE_BUSY;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}
