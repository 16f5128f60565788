import { setTimeout as sleep } from 'node:timers/promises';

/** A request that is refused for longer than this many milliseconds fails after all. */
const PATIENCE = 9 * 60 * 1000;
/** The longest wait between two tries when the server does not say how long. */
const LONGEST_GUESS = 60_000;

/** How a refused request waits. */
export interface PatientFetchOptions {
  readonly fetch?: typeof fetch;
  /** Is told how long it is going to wait, in milliseconds. */
  readonly onWait: (milliseconds: number) => void;
  /** Default: by a timer. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
}

/**
 * A `fetch` that waits out rate limits, as long as the server asks for, beyond the retries of the client itself.
 *
 * A request that was refused with 429 had no effect, so any kind of request may be repeated. A quota that is used up
 * does not come back by waiting: that answer is handed on.
 */
export function patientFetch({
  fetch = globalThis.fetch,
  onWait,
  wait = timer,
}: PatientFetchOptions): typeof fetch {
  return async (input, init) => {
    let waited = 0;
    for (let attempt = 0; ; attempt += 1) {
      const answer = await fetch(input, init);
      if (!(await isRateLimit(answer))) return answer;
      const pause = askedFor(answer.headers) ?? Math.min(LONGEST_GUESS, 1000 * 2 ** attempt);
      waited += pause;
      if (waited > PATIENCE) return answer;
      await answer.body?.cancel();
      onWait(pause);
      await wait(pause, init?.signal ?? undefined);
    }
  };
}

function timer(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
}

async function isRateLimit(answer: Response): Promise<boolean> {
  if (answer.status === 503) return askedFor(answer.headers) !== undefined;
  if (answer.status !== 429) return false;
  return !(await answer.clone().text()).includes('insufficient_quota');
}

/** Milliseconds, of at least one: a server that says 0 means soon. */
function askedFor(headers: Headers): number | undefined {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN);
  const text = headers.get('retry-after');
  const seconds = text === null ? Number.NaN : Number(text);
  const date = text === null || !Number.isNaN(seconds) ? Number.NaN : Date.parse(text) - Date.now();
  const asked = [milliseconds, seconds * 1000, date].find((value) => !Number.isNaN(value));
  return asked === undefined ? undefined : Math.max(1, asked);
}
