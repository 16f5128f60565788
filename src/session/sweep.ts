import type OpenAI from 'openai';
import { z } from 'zod';
import { InvalidOptionsError, parseOptions, withMethods } from '../errors/options.ts';
import { deleteIfUnchanged, isUnreadable } from '../ledger/retry.ts';
import type { LedgerStore, SessionSummary } from '../ledger/store.ts';
import { resolveOptions } from '../runtime/options.ts';
import { SessionRuntime } from '../runtime/runtime.ts';
import { clock } from '../util/clock.ts';
import { isObject } from '../util/json.ts';
import { eraseIfAt } from './erase.ts';

/**
 * Options of `sweepSessions()`.
 *
 * @example
 * ```ts
 * await sweepSessions({ ledger, olderThan: 90 * 24 * 3600_000 });
 * ```
 */
export interface SweepOptions {
  readonly ledger: LedgerStore;
  /** The time since the last change of a session after which it is removed, in milliseconds. */
  readonly olderThan: number;
  /** Only sessions whose names begin so. Default: all. */
  readonly prefix?: string | undefined;
  /**
   * Whether their responses and conversations at the API are deleted, too. Needs `client`.
   *
   * @default false
   */
  readonly remote?: boolean | undefined;
  /** The client for `remote`. */
  readonly client?: OpenAI | undefined;
  /**
   * Whether the sessions are only counted.
   *
   * @default false
   */
  readonly dryRun?: boolean | undefined;
  /** Is called for each removed session, in a dry run for each that would be. */
  readonly onSwept?: ((session: SweptSession) => void) | undefined;
  /** Is called with the error of each session that could not be removed: it stays, and the sweep goes on. */
  readonly onFailed?: ((sessionId: string, error: unknown) => void) | undefined;
  /** Stops before the next session, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A session that was removed. */
export interface SweptSession {
  readonly sessionId: string;
  readonly conversationId: string | undefined;
  readonly items: number;
  /** The time of its last change, in milliseconds since the epoch. */
  readonly changed: number;
}

/** The result of `sweepSessions()`. */
export interface Swept {
  /** The number of removed sessions. */
  readonly swept: number;
  /** The number of old sessions that were changed meanwhile: they stay. */
  readonly changed: number;
  /** The number of sessions that stay, because the store does not know when they were changed, or cannot read them. */
  readonly unknown: number;
  /** The number of sessions that could not be removed. The next sweep tries them again. */
  readonly failed: number;
}

const schema = z.strictObject({
  ledger: withMethods<LedgerStore>('checkpoint', 'read', 'append', 'rewrite', 'delete'),
  olderThan: z.number().positive(),
  prefix: z.string().optional(),
  remote: z.boolean().default(false),
  client: z.custom<OpenAI>((value) => isObject(value), { message: 'must be an OpenAI client' }).optional(),
  dryRun: z.boolean().default(false),
  onSwept: z
    .custom<NonNullable<SweepOptions['onSwept']>>((value) => typeof value === 'function', {
      message: 'must be a function',
    })
    .optional(),
  onFailed: z
    .custom<NonNullable<SweepOptions['onFailed']>>((value) => typeof value === 'function', {
      message: 'must be a function',
    })
    .optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/**
 * Removes the sessions of a ledger that were not changed for a time, like `session.erase()` for each. Run it once a day.
 *
 * A session that is changed meanwhile stays. A store that does not tell the time of a change (Redis, where `ttlSeconds` does the same)
 * is asked for the newest response; without one, a session stays.
 *
 * @throws InvalidOptionsError for an invalid option, or a ledger that does not list its sessions; the errors of the list of
 * sessions; the reason of the signal.
 * @example
 * ```ts
 * const { swept } = await sweepSessions({ ledger, olderThan: 90 * 24 * 3600_000 });
 * ```
 */
export async function sweepSessions(options: SweepOptions): Promise<Swept> {
  const subject = 'the sweep';
  const given = parseOptions(schema, options, subject);
  const { ledger, olderThan, prefix, remote, client, dryRun, onSwept, onFailed, signal } = given;
  if (remote && client === undefined)
    throw new InvalidOptionsError('client', 'is required with remote: true', { subject });
  if (ledger.sessions === undefined)
    throw new InvalidOptionsError('ledger', 'does not list its sessions', { subject });
  let [swept, changed, unknown, failed] = [0, 0, 0, 0];
  const until = clock.now() - olderThan;
  const list = ledger.sessions({ prefix, onUnreadable: () => (unknown += 1) });
  for await (const summary of list) {
    signal?.throwIfAborted();
    const time = changeTime(summary);
    if (time === undefined) unknown += 1;
    if (time === undefined || time >= until) continue;
    const { sessionId, conversation: conversationId, length: items, version } = summary;
    try {
      if (dryRun || (await remove({ ledger, client, remote }, sessionId, version))) {
        swept += 1;
        onSwept?.({ sessionId, conversationId, items, changed: time });
      } else changed += 1;
    } catch (error) {
      failed += 1;
      onFailed?.(sessionId, error);
    }
  }
  return { swept, changed, unknown, failed };
}

/**
 * The time of a session's last change, in milliseconds since the epoch; undefined where the store does not know it.
 *
 * @example
 * ```ts
 * for await (const summary of ledger.sessions?.() ?? []) console.log(summary.sessionId, changeTime(summary));
 * ```
 */
export function changeTime({ updated, response }: SessionSummary): number | undefined {
  return updated ?? response?.time;
}

interface SweepTarget {
  readonly ledger: LedgerStore;
  readonly client: OpenAI | undefined;
  readonly remote: boolean;
}

/** @returns false for a session that has another version by now: nothing was removed. */
async function remove(
  { ledger, client, remote }: SweepTarget,
  sessionId: string,
  version: number,
): Promise<boolean> {
  const mirror = remote ? 'await' : 'off';
  const runtime = new SessionRuntime(resolveOptions({ sessionId, ledger, client, mirror, bookmark: remote }));
  try {
    return (await eraseIfAt(runtime, remote, version)) !== undefined;
  } catch (error) {
    // The records of a damaged ledger can be removed, but its responses are not known.
    if (remote || !isUnreadable(error)) throw error;
    return deleteIfUnchanged(ledger, sessionId, version);
  }
}
