import OpenAI from 'openai';
import { UsageError, type CliIo } from '../command.ts';
import type { ProgressLine } from '../output/progress.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { retryAfter } from '../../util/retry-after.ts';
import { stoppableFetch } from './stoppable-fetch.ts';

/** Options of `openClient()`. */
export interface OpenClientOptions {
  /** The command's name, for hints. */
  readonly command: string;
  /** The value of `--base-url`; without it OPENAI_BASE_URL, else the API's own. */
  readonly baseUrl: string | undefined;
  readonly progress: ProgressLine;
  /** Ends the requests. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Carries the requests.
   *
   * @default globalThis.fetch
   */
  readonly fetch?: typeof fetch | undefined;
}

/**
 * The real client, with the key in OPENAI_API_KEY. It waits out rate limits.
 *
 * @throws UsageError for an invalid URL, and `missing_api_key`.
 */
export function openClient(
  { env }: CliIo,
  { command, baseUrl, progress, signal, fetch: carrier = globalThis.fetch }: OpenClientOptions,
): OpenAI {
  const apiKey = env['OPENAI_API_KEY']?.trim() ?? '';
  const baseURL = parseUrl(command, baseUrl, env['OPENAI_BASE_URL']);
  if (apiKey === '') {
    throw new UsageError(
      'The environment variable OPENAI_API_KEY is not set',
      `OPENAI_API_KEY=sk-... agents-hybrid-session ${command} ... (a server of your own takes any key)`,
      'missing_api_key',
    );
  }
  const patient = patientFetch({
    fetch: carrier,
    onWait: (milliseconds) => progress.note(`Waiting ${Math.ceil(milliseconds / 1000)} s for the rate limit`),
  });
  const fetch = signal === undefined ? patient : stoppableFetch({ fetch: patient, signal });
  // Longer than the client's default: then a request is not given up while it waits out a rate limit.
  const timeout = 2 * MAX_RATE_LIMIT_WAIT_MS;
  return new OpenAI({ apiKey, fetch, timeout, ...(baseURL === undefined ? {} : { baseURL }) });
}

function parseUrl(
  command: string,
  option: string | undefined,
  variable: string | undefined,
): string | undefined {
  const [text, name] = option === undefined ? [variable ?? '', 'OPENAI_BASE_URL'] : [option, '--base-url'];
  if (text === '' && option === undefined) return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  // A URL may hold a password: it is not repeated.
  throw new UsageError(
    `${name} must be a URL that begins with http:// or https://`,
    `agents-hybrid-session ${command} --base-url http://127.0.0.1:8787/v1`,
  );
}

/** A request that is refused for longer fails. */
const MAX_RATE_LIMIT_WAIT_MS = 9 * 60 * 1000;
/** The longest wait between two tries without `retry-after`. */
const MAX_GUESSED_WAIT_MS = 60_000;

/** Options of `patientFetch()`. */
export interface PatientFetchOptions {
  readonly fetch?: typeof fetch;
  /** Reports a wait before it begins, in milliseconds. */
  readonly onWait: (milliseconds: number) => void;
  /** Default: by a timer. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number;
}

/**
 * A `fetch` that waits out rate limits, as long as the server asks for, beyond the retries of the client itself. While it waits,
 * other requests wait, too.
 *
 * A request that was refused with 429 had no effect, so any kind of request may be repeated. A quota that is used up
 * does not come back by waiting: that answer is handed on.
 */
export function patientFetch({
  fetch = globalThis.fetch,
  onWait,
  wait = timer,
  now = Date.now,
}: PatientFetchOptions): typeof fetch {
  let limitedUntil = 0;
  return async (input, init) => {
    const left = limitedUntil - now();
    if (left > 0) await wait(left, init?.signal ?? undefined);
    let waited = 0;
    for (let attempt = 0; ; attempt += 1) {
      const answer = await fetch(input, init);
      const asked = retryAfter(answer.headers, now());
      if (!(await isRateLimit(answer, asked))) return answer;
      const guess = Math.min(MAX_GUESSED_WAIT_MS, 1000 * 2 ** attempt);
      // A server that says 0 again and again means soon, not at once.
      const pause = Math.max(asked ?? guess, guess / 1000);
      waited += pause;
      if (waited > MAX_RATE_LIMIT_WAIT_MS) return answer;
      await answer.body?.cancel();
      onWait(pause);
      limitedUntil = now() + pause;
      await wait(pause, init?.signal ?? undefined);
    }
  };
}

function timer(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
}

async function isRateLimit(answer: Response, asked: number | undefined): Promise<boolean> {
  if (answer.status === 503) return asked !== undefined;
  if (answer.status !== 429) return false;
  return !(await answer.clone().text()).includes('insufficient_quota');
}
