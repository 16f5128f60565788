import { InvalidOptionsError } from '../../errors/options.ts';
import {
  openLibsql,
  openMysql,
  openPostgres,
  openRedis,
  openSqlite,
  type Opened,
  type OpenOptions,
} from './open.ts';

/** A place of a ledger, read from a text. */
export interface LedgerLocation {
  /** The place, for display: without user, password and parameters. */
  readonly name: string;
  /** Opens it at first use. */
  readonly open: (options: OpenOptions) => Opened;
}

/** A kind of ledger that a text can name. */
interface LedgerKind {
  readonly form: string;
  readonly example: string;
  /** The text before the first colon. */
  readonly scheme: RegExp;
  /** @throws InvalidOptionsError, which never repeats a text that may hold a password. */
  locate(scheme: string, rest: string): LedgerLocation;
}

/** Every kind of ledger that `ledgerFrom()` and the commands can open: a new one is a new entry. */
const KINDS: readonly LedgerKind[] = [
  {
    form: 'sqlite:PATH',
    example: 'sqlite:sessions.db',
    scheme: /^sqlite$/,
    locate(_scheme, rest) {
      const path = rest.startsWith('//') ? rest.slice(2) : rest;
      // A path is shown: the URL of a server would be shown with its password.
      if (path === '' || path.includes('://') || /^[^/\\]*:[^/\\]*@/.test(path))
        throw invalid('sqlite: needs the path of a file');
      return { name: path, open: (options) => openSqlite(path, options) };
    },
  },
  {
    form: 'redis:URL',
    example: 'redis://USER:PASSWORD@HOST:6379/0',
    scheme: /^rediss?$/,
    locate(scheme, rest) {
      const { url, name, parameter } = server('redis', scheme, rest, /^rediss?:$/, 'prefix');
      return { name, open: (options) => openRedis(url, parameter, options) };
    },
  },
  {
    form: 'postgres:URL',
    example: 'postgres://USER:PASSWORD@HOST/DATABASE',
    scheme: /^postgres(?:ql)?$/,
    locate(_scheme, rest) {
      const { url, name, parameter } = server('postgres', 'postgres', rest, /^postgres(?:ql)?:$/, 'table');
      return { name, open: (options) => openPostgres({ url, name, table: parameter }, options) };
    },
  },
  mysqlKind('mysql'),
  mysqlKind('mariadb'),
  {
    form: 'libsql:URL',
    example: 'libsql://HOST?authToken=TOKEN',
    scheme: /^libsql$/,
    locate(scheme, rest) {
      const { url, name } = server('libsql', scheme, rest, /^(?:libsql|https?|wss?):$/);
      return { name, open: (options) => openLibsql({ url, name }, options) };
    },
  },
];

/** The options of `mysql2` that a URL can hold. It prints the names of unknown ones, which may be a part of a password. */
const MYSQL_PARAMETERS = [
  'table',
  'user',
  'password',
  'ssl',
  'charset',
  'compress',
  'connectTimeout',
  'connectionLimit',
  'idleTimeout',
  'maxIdle',
  'socketPath',
];

/** Both servers speak one protocol. */
function mysqlKind(kind: string): LedgerKind {
  return {
    form: `${kind}:URL`,
    example: `${kind}://USER:PASSWORD@HOST/DATABASE`,
    scheme: new RegExp(`^${kind}$`),
    locate(scheme, rest) {
      const { url, name, parameter } = server(kind, scheme, rest, /^(?:mysql|mariadb):$/, 'table');
      if ([...new URL(url).searchParams.keys()].some((key) => !MYSQL_PARAMETERS.includes(key)))
        throw invalid(`${kind}: takes no other parameters than ${MYSQL_PARAMETERS.join(', ')}`);
      return { name, open: (options) => openMysql({ url, name, table: parameter }, options) };
    },
  };
}

/**
 * The forms that `ledgerFrom()` takes, each with an example, for the help text of a program.
 *
 * @example
 * ```ts
 * console.log(LEDGER_FORMS.map(({ form }) => form).join(', ')); // sqlite:PATH, redis:URL, postgres:URL, ...
 * ```
 */
export const LEDGER_FORMS: readonly { readonly form: string; readonly example: string }[] = KINDS.map(
  ({ form, example }) => ({ form, example }),
);

/**
 * Reads the text that names a ledger. A URL may stand alone or behind its kind: `redis://host` and `redis:redis://host` are the
 * same. Its parameters `prefix` and `table` are those of the store.
 *
 * @throws InvalidOptionsError, which never repeats a text that may hold a password.
 */
export function parseLedgerLocation(text: unknown): LedgerLocation {
  const given = typeof text === 'string' ? text : '';
  const at = given.indexOf(':');
  const [scheme, rest] = [given.slice(0, Math.max(0, at)), given.slice(at + 1)];
  const kind = KINDS.find((one) => one.scheme.test(scheme));
  if (kind !== undefined) return kind.locate(scheme, rest);
  const forms = KINDS.map(({ form }) => form).join(', ');
  throw invalid(`must be ${forms.replace(/, (?=[^,]*$)/, ' or ')}`);
}

interface Server {
  readonly url: string;
  readonly name: string;
  readonly parameter: string | undefined;
}

function server(kind: string, scheme: string, rest: string, protocols: RegExp, parameter?: string): Server {
  const text =
    rest.includes('://') && !rest.startsWith('//') ? rest : `${scheme}://${rest.replace(/^\/\//, '')}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.test(url.protocol) || rest === '')
    throw invalid(`${kind}: needs a URL such as ${kind}://host`);
  const found = parameter === undefined ? undefined : (url.searchParams.get(parameter) ?? undefined);
  if (parameter !== undefined) url.searchParams.delete(parameter);
  return { url: url.href, name: nameOf(kind, url), parameter: found };
}

/** A password with an unencoded character may have ended up in the path. */
function nameOf(kind: string, { protocol, host, pathname, search, hash }: URL): string {
  return `${pathname}${search}${hash}`.includes('@') ? `${kind}:...` : `${protocol}//${host}${pathname}`;
}

function invalid(problem: string): InvalidOptionsError {
  return new InvalidOptionsError('location', problem, { subject: 'the ledger' });
}
