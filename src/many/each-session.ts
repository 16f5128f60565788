import type OpenAI from 'openai';
import { z } from 'zod';
import { statusOf } from '../conversation/api-error.ts';
import { InvalidOptionsError, parseOptions, withMethods } from '../errors/options.ts';
import type { LedgerUnreadableError } from '../errors/ledger.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { clock, timeLeft } from '../util/clock.ts';
import { mapStream } from './map-stream.ts';
import { isObject } from '../util/json.ts';
import { Backoff } from '../util/poll.ts';
import { retryAfterOf } from '../util/retry-after.ts';

/** Options of the functions that work on many sessions. */
export interface ManyOptions {
  readonly client: OpenAI;
  readonly ledger: LedgerStore;
  /**
   * The names of sessions, or the IDs of their conversations.
   *
   * @default every session of the ledger that has a conversation
   */
  readonly ids?: Iterable<string> | AsyncIterable<string> | undefined;
  /**
   * The number of sessions at once.
   *
   * @default 4
   */
  readonly concurrency?: number | undefined;
  /** Stops: no other session is begun, and the iteration ends with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_CONCURRENCY = 4;

/** A session that is refused by the rate limit so often in a row fails. */
const MAX_TRIES = 8;

/** Milliseconds of the pauses of all sessions after a rate limit, where the server does not say how long. */
const PAUSES = { first: 1000, max: 60_000, maxAsked: 600_000 };

const schema = z.object({
  client: z.custom<OpenAI>((value) => isObject(value) && isObject(value['conversations']), {
    message: 'must be an OpenAI client',
  }),
  ledger: withMethods<LedgerStore>('checkpoint', 'read', 'append', 'rewrite', 'delete').optional(),
  ids: z
    .custom<Iterable<string> | AsyncIterable<string>>(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        (Symbol.iterator in value || Symbol.asyncIterator in value),
      { message: 'must be iterable' },
    )
    .optional(),
  concurrency: z.number().int().positive().default(DEFAULT_CONCURRENCY),
  signal: z.instanceof(AbortSignal).optional(),
});

/** The result of one session: of the work, or its error. */
export type SessionResult<T = object> =
  | (T & { readonly id: string; readonly error?: undefined })
  | ({ readonly [K in keyof T]?: undefined } & { readonly id: string; readonly error: {} });

/**
 * Works on many sessions, a few at a time. An error of one session is its result, and the others go on. When the API limits the
 * rate, all of them pause for as long as it says.
 *
 * @throws InvalidOptionsError; the errors of the list of sessions; the reason of the signal.
 */
export async function* eachSession<T extends object>(
  options: Omit<ManyOptions, 'ledger'> & { readonly ledger?: LedgerStore | undefined },
  work: (id: string) => Promise<T>,
): AsyncGenerator<SessionResult<T>, void, undefined> {
  const { ledger, ids, concurrency, signal } = parseOptions(schema, options, 'the work on many sessions');
  const isStopped = (): boolean => signal?.aborted === true;
  const limit = new SharedPause(signal);
  const unreadable: SessionResult<T>[] = [];
  const onUnreadable = (error: LedgerUnreadableError): void =>
    void unreadable.push({ id: error.sessionId, error });
  const one = async (id: string): Promise<SessionResult<T>> => {
    try {
      return { id, ...(await limit.run(() => work(id))) };
    } catch (error) {
      return { id, error: known(error) };
    }
  };
  const given = ids ?? conversationsIn(ledger, onUnreadable);
  for await (const result of mapStream(given, concurrency, one, isStopped)) {
    // A session that was stopped has no result.
    if (result.error === undefined || !isStopped()) yield result;
    yield* unreadable.splice(0);
  }
  signal?.throwIfAborted();
  yield* unreadable;
}

/** A value that an app throws may be undefined. */
function known(error: unknown): {} {
  return error ?? new Error('it failed without an error');
}

/**
 * The names of the sessions that have a conversation.
 *
 * @throws InvalidOptionsError for a ledger that does not list its sessions.
 */
async function* conversationsIn(
  ledger: LedgerStore | undefined,
  onUnreadable: (error: LedgerUnreadableError) => void,
): AsyncGenerator<string> {
  if (ledger?.sessions === undefined) {
    const problem = 'is needed, because the ledger does not list its sessions';
    throw new InvalidOptionsError('ids', problem, { subject: 'the work on many sessions' });
  }
  for await (const { sessionId, conversation } of ledger.sessions({ onUnreadable }))
    if (conversation !== undefined) yield sessionId;
}

/** The pause that a rate limit asks of all work. */
class SharedPause {
  readonly #signal: AbortSignal | undefined;
  #until = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const backoff = new Backoff({ ...PAUSES, attempts: MAX_TRIES });
    for (;;) {
      const left = timeLeft(this.#until, PAUSES.maxAsked);
      if (left > 0) await clock.sleep(left, this.#signal);
      try {
        return await work();
      } catch (error) {
        const pause = isRateLimit(error) ? backoff.next(retryAfterOf(error, clock.now())) : undefined;
        if (pause === undefined) throw error;
        this.#until = Math.max(this.#until, clock.now() + pause);
      }
    }
  }
}

/** A quota that is used up does not come back by waiting. */
function isRateLimit(error: unknown): boolean {
  return statusOf(error) === 429 && !(isObject(error) && error['code'] === 'insufficient_quota');
}
