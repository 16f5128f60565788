import { CommandError } from '../command.ts';

/**
 * A common failure of a request, in a message without content and key: the API's own message on a wrong key shows parts of
 * the key, and a proxy's may quote the request.
 *
 * @returns undefined for an error that is not the API's.
 */
export function apiFailure(error: unknown, command: string): CommandError | undefined {
  if (!(error instanceof Error)) return undefined;
  const status: unknown = Reflect.get(error, 'status');
  const code: unknown = Reflect.get(error, 'code');
  const options = { cause: error };
  if (typeof status === 'number') {
    if (status === 401) {
      const problem = 'The API refused the key in OPENAI_API_KEY (401)';
      return new CommandError('invalid_api_key', problem, `OPENAI_API_KEY=sk-... ${command}`, options);
    }
    const facts =
      typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? `${status}, ${code}` : `${status}`;
    const hint = status === 429 || status >= 500 ? `${command} (again, in a while)` : `${command} --help`;
    return new CommandError('request_failed', `A request to the API failed (${facts})`, hint, options);
  }
  if (/^API(?:User|Connection)/.test(error.constructor.name)) {
    const problem = 'The API could not be reached';
    return new CommandError(
      'no_connection',
      problem,
      `${command} --base-url http://127.0.0.1:8787/v1`,
      options,
    );
  }
  return undefined;
}
