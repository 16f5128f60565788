import { Backoff } from '../util/poll.ts';
import { LedgerUnavailableError } from '../errors/ledger.ts';
import { isObject } from '../util/json.ts';
import type { LedgerStore } from './store.ts';

/** How long a failed operation of a store is tried again, in milliseconds, by default. */
export const RETRY_MS = 5000;

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;

/** Tries again after growing pauses, until so much time has passed since the first failure. */
export class Retry {
  readonly #backoff: Backoff;

  constructor(milliseconds: number = RETRY_MS) {
    this.#backoff = new Backoff({ first: FIRST_PAUSE_MS, max: MAX_PAUSE_MS, budget: milliseconds });
  }

  /** Pauses before the next try. @returns false, at once, when the time is over. */
  pause(): Promise<boolean> {
    return this.#backoff.pause();
  }

  /** Runs an idempotent operation, again as long as that can help. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (isPermanent(error) || !(await this.pause())) throw error;
      }
    }
  }
}

/** Errors of this package: the same call gives them again. */
const OWN_CODE = /^(?:ledger_(?:unavailable|unreadable)|invalid_\w+|history_\w+)$/;

/** A local file, whose driver's answer never gets lost; the store itself waits while it is busy. */
const SQLITE_CODE = /^(?:ERR_|UNKNOWN_)?SQLITE_/;

/** SQLSTATE: a feature, data, a constraint, a login, a right, or the statement; not a server that only reads, as in a failover. */
const SQLSTATE = /^(?!25006)(?:0A|2[0-9A-F]|3[BDF]|42|44)[0-9A-Z]{3}$/;

/** MySQL: too many connections of one user, or prepared statements; their SQLSTATE is that of a wrong statement. */
const MYSQL_LIMITS: ReadonlySet<unknown> = new Set([1203, 1226, 1461]);

/** Redis: the key, the login, a right. */
const REDIS_MESSAGE = /^(?:WRONGTYPE|WRONGPASS|NOAUTH|NOPERM)\b/;

const PROGRAM_ERROR = /^(?:Range|Reference|Syntax|Type)Error$/;

/** Whether a store's error says that the same call fails again. */
export function isPermanent(error: unknown): boolean {
  if (!isObject(error)) return false;
  const { code, message, name, status, cause, sqlState, errno } = error;
  if (typeof code === 'string' && [OWN_CODE, SQLITE_CODE, SQLSTATE].some((one) => one.test(code)))
    return true;
  if (typeof sqlState === 'string' && SQLSTATE.test(sqlState)) return !MYSQL_LIMITS.has(errno);
  if (typeof status === 'number') return status < 500 && ![408, 409, 425, 429].includes(status);
  if (typeof message === 'string' && REDIS_MESSAGE.test(message)) return true;
  // A request that got no answer is a `TypeError`, too, with a cause.
  return name === 'ClientClosedError' || (cause === undefined && PROGRAM_ERROR.test(String(name)));
}

/** Whether a store refused a write because the ledger's version is another one. */
export function isConflict(error: unknown): boolean {
  return isObject(error) && error['code'] === 'ledger_conflict';
}

/** Whether the stored records or the checkpoint cannot be read. */
export function isUnreadable(error: unknown): boolean {
  return isObject(error) && error['code'] === 'ledger_unreadable';
}

/** A store that shows less than it appends to: a conflict that no reading ends. */
export function staysBehind(sessionId: string, cause: unknown): LedgerUnavailableError {
  const problem = `what it shows of '${sessionId}' is older than what it appends to`;
  return new LedgerUnavailableError('behind', problem, { cause });
}

/** A store that loses the records, however often they are appended again. */
export function keepsNothing(sessionId: string): LedgerUnavailableError {
  return new LedgerUnavailableError('behind', `it loses what is appended to '${sessionId}' again and again`);
}

/**
 * Runs a write and finds out whether it was applied. A failed write may have been: only its response was lost.
 *
 * @param wasApplied reads the store after a failure.
 * @returns undefined for a write that was applied, else its failure.
 */
export async function resolveOutcome(
  write: () => Promise<void>,
  wasApplied: (error: unknown) => Promise<boolean>,
): Promise<{ readonly error: unknown } | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    return (await wasApplied(error)) ? undefined : { error };
  }
}

/**
 * Deletes a session that still has this version.
 *
 * @returns false when it has another one, or was deleted before: then nothing happened.
 */
export async function deleteIfUnchanged(
  store: LedgerStore,
  sessionId: string,
  version: number,
): Promise<boolean> {
  const failure = await resolveOutcome(
    () => store.delete(sessionId, version),
    async (error) => !isConflict(error) && !(await mayExist(store, sessionId)),
  );
  if (failure === undefined) return true;
  if (isConflict(failure.error)) return false;
  throw failure.error;
}

async function mayExist(store: LedgerStore, sessionId: string): Promise<boolean> {
  try {
    return (await store.checkpoint(sessionId)) !== undefined;
  } catch {
    return true;
  }
}
