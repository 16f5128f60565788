import OpenAI from 'openai';
import { UsageError } from './command-error.ts';
import type { CliIo } from './command.ts';
import { patientFetch } from './patient-fetch.ts';
import type { Progress } from './progress.ts';

/** What a client needs to know. */
export interface OpenClientOptions {
  /** The command's name, for what to type instead. */
  readonly command: string;
  /** The value of `--base-url`; default OPENAI_BASE_URL, else the API's own. */
  readonly baseUrl: string | undefined;
  readonly progress: Progress;
  /** What carries the requests. Default: the global one. */
  readonly fetch?: typeof fetch | undefined;
}

/**
 * The real client, with the key in OPENAI_API_KEY. It waits out rate limits.
 *
 * @throws UsageError for a URL that is none, and `missing_api_key`.
 */
export function openClient(
  { env }: CliIo,
  { command, baseUrl, progress, fetch: carrier = globalThis.fetch }: OpenClientOptions,
): OpenAI {
  const apiKey = env['OPENAI_API_KEY']?.trim() ?? '';
  const baseURL = parseUrl(command, baseUrl, env['OPENAI_BASE_URL']);
  if (apiKey === '') {
    throw new UsageError(
      'The environment variable OPENAI_API_KEY is not set',
      `OPENAI_API_KEY=sk-... hybrid-session ${command} ... (a server of your own takes any key)`,
      'missing_api_key',
    );
  }
  const fetch = patientFetch({
    fetch: carrier,
    onWait: (milliseconds) => progress.note(`Waiting ${Math.ceil(milliseconds / 1000)} s for the rate limit`),
  });
  return new OpenAI({ apiKey, fetch, ...(baseURL === undefined ? {} : { baseURL }) });
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
    `hybrid-session ${command} --base-url http://127.0.0.1:8787/v1`,
  );
}
