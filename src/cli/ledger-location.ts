import { UsageError } from './command-error.ts';

/** Where a ledger lives, as `--ledger` says. */
export type LedgerLocation =
  | { readonly kind: 'conversation' }
  | { readonly kind: 'sqlite'; readonly path: string }
  /** `name` is the place for people: without user, password and parameters. */
  | {
      readonly kind: 'redis';
      readonly url: string;
      readonly name: string;
      readonly prefix: string | undefined;
    }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      readonly name: string;
      readonly table: string | undefined;
    };

/** What `--ledger` takes, as help texts say it. */
export const LEDGER_FORMS = 'sqlite:PATH, redis:URL, postgres:URL or conversation';

/**
 * Reads the value of `--ledger`. A URL may stand alone or behind its kind: `redis://host` and `redis:redis://host` are the
 * same. Its parameters `prefix` and `table` are those of the store.
 *
 * @throws UsageError, which never repeats a value that may hold a password.
 */
export function parseLedgerLocation(command: string, value: string): LedgerLocation {
  const hint = `hybrid-session ${command} ... --ledger sqlite:sessions.db`;
  if (value === 'conversation') return { kind: 'conversation' };
  const at = value.indexOf(':');
  const [kind, rest] = [value.slice(0, Math.max(0, at)), value.slice(at + 1)];
  if (kind === 'sqlite') {
    const path = rest.startsWith('//') ? rest.slice(2) : rest;
    if (path === '') throw new UsageError('--ledger sqlite: needs the path of a file', hint);
    return { kind, path };
  }
  if (/^rediss?$/.test(kind)) {
    const { url, name, parameter } = server(command, 'redis', kind, rest, /^rediss?:$/, 'prefix');
    return { kind: 'redis', url, name, prefix: parameter };
  }
  if (/^postgres(?:ql)?$/.test(kind)) {
    const { url, name, parameter } = server(
      command,
      'postgres',
      'postgres',
      rest,
      /^postgres(?:ql)?:$/,
      'table',
    );
    return { kind: 'postgres', url, name, table: parameter };
  }
  throw new UsageError(`--ledger must be ${LEDGER_FORMS}`, hint);
}

interface Server {
  readonly url: string;
  readonly name: string;
  readonly parameter: string | undefined;
}

function server(
  command: string,
  kind: string,
  scheme: string,
  rest: string,
  protocols: RegExp,
  parameter: string,
): Server {
  const text =
    rest.includes('://') && !rest.startsWith('//') ? rest : `${scheme}://${rest.replace(/^\/\//, '')}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.test(url.protocol) || rest === '') {
    throw new UsageError(
      `--ledger ${kind}: needs a URL such as ${kind}://host`,
      `hybrid-session ${command} ... --ledger ${kind}:${kind}://127.0.0.1/0`,
    );
  }
  const found = url.searchParams.get(parameter) ?? undefined;
  url.searchParams.delete(parameter);
  return { url: url.href, name: `${url.protocol}//${url.host}${url.pathname}`, parameter: found };
}
