import { z } from 'zod';
import { failureReason } from '../conversation/api-error.ts';
import { parseOptions } from '../errors/options.ts';
import { pendingSessions, type PendingSession } from '../runtime/pending-work.ts';
import { clock, timeLeft, within } from '../util/clock.ts';
import { mapLimit } from '../util/map-limit.ts';
import { flush } from './flush.ts';

/**
 * Options of `closeAll()`.
 *
 * @example
 * ```ts
 * const { unfinished } = await closeAll({ timeout: 5_000 });
 * ```
 */
export interface CloseAllOptions {
  /**
   * The time after which `closeAll()` returns, in milliseconds.
   *
   * @default 10_000
   */
  readonly timeout?: number | undefined;
}

/** A session that still had pending work when `closeAll()` returned. */
export interface UnfinishedSession {
  /** Undefined for a session that was not attached in time. */
  readonly sessionId: string | undefined;
  readonly conversationId: string | undefined;
  /** The number of changes that the API lacks; undefined if the ledger could not be read in time. */
  readonly pending: number | undefined;
  /** Why, as one word; undefined if the time was over. */
  readonly reason?: string;
}

/** The result of `closeAll()`. */
export interface AllClosed {
  /** The number of sessions whose pending work was ended. */
  readonly flushed: number;
  /** The other ones. A store keeps their changes, and the next process that uses the session writes them. */
  readonly unfinished: readonly UnfinishedSession[];
}

/** Requests of so many sessions at once. */
const CONCURRENCY = 16;

const DEFAULT_TIMEOUT_MS = 10_000;

const schema = z.strictObject({ timeout: z.number().nonnegative().optional() });

/**
 * Ends the pending work of every session of this process: waits for operations under way, and writes pending changes to the
 * conversations. A session without pending work makes no request. For the end of a process; sessions can be used on.
 *
 * Never rejects because of a session: a failure is in the result. A run that waits for its model is not pending work of a
 * session: await the runs first. Close the client of the store afterwards.
 *
 * @throws InvalidOptionsError for a negative timeout.
 * @example
 * ```ts
 * // `on`, not `once`: with `once` the SDK's own handler ends the process first.
 * process.on('SIGTERM', async () => {
 *   await closeAll({ timeout: 5_000 });
 *   process.exit(0);
 * });
 * ```
 */
export async function closeAll(options: CloseAllOptions = {}): Promise<AllClosed> {
  const { timeout = DEFAULT_TIMEOUT_MS } = parseOptions(schema, options, 'the shutdown');
  const until = clock.now() + timeout;
  const failures = new Map<PendingSession, unknown>();
  const tried = new Set<PendingSession>();
  const close = async (session: PendingSession): Promise<void> => {
    const left = timeLeft(until, timeout);
    if (left <= 0) return;
    const flushed = flush(session, { timeout: left }).then(
      () => undefined,
      (error: unknown) => void failures.set(session, error),
    );
    await within(left, flushed, () => undefined);
  };
  for (;;) {
    // A session may have begun another operation since.
    const due = Array.from(pending()).filter((session) => !tried.has(session));
    if (due.length === 0) break;
    for (const session of due) tried.add(session);
    await mapLimit(due, CONCURRENCY, close);
  }
  const left = pending();
  for (const session of failures.keys()) left.add(session);
  return {
    flushed: Array.from(tried).filter((session) => !left.has(session)).length,
    unfinished: Array.from(left, (session) => unfinished(session, failures)),
  };
}

function pending(): Set<PendingSession> {
  const { busy, behind } = pendingSessions();
  return new Set([...busy, ...behind.values()]);
}

function unfinished(
  session: PendingSession,
  failures: ReadonlyMap<PendingSession, unknown>,
): UnfinishedSession {
  const { sessionId, conversationId, outstanding } = session;
  const failure = failures.get(session) ?? session.opened?.conversation?.mirror.failure;
  const facts = { sessionId, conversationId, pending: outstanding };
  return failure === undefined ? facts : { ...facts, reason: failureReason(failure) };
}
