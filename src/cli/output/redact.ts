import { escapeControls } from '../../util/escape-controls.ts';
import type { CliIo } from '../command.ts';

/** Empties a terminal's line: the only control sequence that a message may begin with. */
export const CLEAR_LINE = '\r\u001B[2K';

/**
 * The same streams, with secrets hidden and control characters escaped on standard error. Standard output is data and stays
 * unchanged; for messages there, see `report`.
 *
 * @param typed the arguments.
 */
export function redactSecrets(io: CliIo, typed: readonly string[] = []): CliIo {
  const hidden = secretRedactor(io.env, typed);
  const redacted = (text: string): string => escapeControls(hidden(text), { lines: true });
  return {
    ...io,
    err: (text) =>
      io.err(
        text.startsWith(CLEAR_LINE)
          ? `${CLEAR_LINE}${redacted(text.slice(CLEAR_LINE.length))}`
          : redacted(text),
      ),
  };
}

/** Writes a message to standard output, without secrets. */
export function report({ env, out }: Pick<CliIo, 'env' | 'out'>, text: string): void {
  out(secretRedactor(env)(text));
}

/** Shorter values are words, not secrets. */
const MIN_SECRET_LENGTH = 8;

/** The placeholder of help texts and hints. */
const PLACEHOLDER = 'USER:PASSWORD';

/** Separators of words: gaps and quotes. */
const BETWEEN_WORDS = /([\s'"`<>]+)/;

/**
 * Returns a function that hides keys, tokens and passwords of the environment, and user, password and parameters of any
 * address.
 *
 * @param typed the arguments: their addresses are hidden as typed, with any character in them.
 */
function secretRedactor(
  env: Readonly<Record<string, string | undefined>>,
  typed: readonly string[] = [],
): (text: string) => string {
  const named = Object.entries(env).flatMap(([name, value = '']) =>
    /(?:KEY|SECRET|TOKEN|PASSWORD)$/i.test(name) ? [value] : [],
  );
  const addresses = [...Object.values(env), ...typed].filter((value = '') => value.includes(':'));
  const long = [...named, ...addresses.flatMap((value = '') => passwordsOf(value))].filter(
    ({ length }) => length >= MIN_SECRET_LENGTH,
  );
  const users = addresses.map((value = '') => userOf(value)).filter((user) => user !== '');
  const hidden: readonly (readonly [secret: string, shown: string])[] = [
    ...users.map((user) => [`${user}@`, '***@'] as const),
    ...long.map((secret) => [secret, '***'] as const),
  ].toSorted(([a], [b]) => b.length - a.length);
  return (text) => {
    // The longest first: one may be part of another.
    const shown = hidden.reduce((rest, [secret, mark]) => rest.replaceAll(secret, mark), text);
    return withoutAddresses(shown).replaceAll(/\bsk-[\w-]{8,}/g, 'sk-***');
  };
}

/** User and password of an address, empty where it has none. */
function userOf(value: string): string {
  const user = value.slice(startOf(value), Math.max(0, value.lastIndexOf('@')));
  return user === PLACEHOLDER ? '' : user;
}

/** The password before a host, and the values of parameters. */
function passwordsOf(value: string): string[] {
  const user = userOf(value);
  const parameters = value.includes('://') ? value.split('?').slice(1) : [];
  return [
    ...(user.includes(':') ? [user.slice(user.indexOf(':') + 1)] : []),
    ...parameters.flatMap((some) => some.split('&').map((one) => one.slice(one.indexOf('=') + 1))),
  ];
}

/** The start of user and password: behind the scheme, or behind a word in its place. */
function startOf(value: string): number {
  const slashes = value.indexOf('://');
  return slashes === -1 ? value.indexOf(':') + 1 : slashes + 3;
}

function withoutAddresses(text: string): string {
  return text
    .split(BETWEEN_WORDS)
    .map((word) => withoutUser(word))
    .join('');
}

function withoutUser(word: string): string {
  const start = startOf(word);
  if (start === 0) return word;
  const user = userOf(word);
  const shown = user === '' ? word : `${word.slice(0, start)}***${word.slice(word.lastIndexOf('@'))}`;
  const parameters = word.includes('://') ? shown.search(/\?[\w-]+=(?!NAME$)/) : -1;
  return parameters === -1 ? shown : `${shown.slice(0, parameters)}?***`;
}
