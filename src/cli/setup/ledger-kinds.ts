import { LedgerUnavailableError, type LedgerStore } from '../../index.ts';
import { postgresLedger, type PostgresPool } from '../../postgres.ts';
import { redisLedger, type RedisLedgerClient } from '../../redis.ts';
import { sqliteLedger } from '../../sqlite.ts';
import { CommandError, UsageError, type CliIo } from '../command.ts';

/** A ledger that a command opened. */
export interface OpenedLedger {
  readonly store: LedgerStore;
  /** Its place, for display: never with a password. */
  readonly name: string;
  readonly close: () => Promise<void>;
}

/** Options of `openLedger()`. */
export interface OpenLedgerOptions {
  readonly command: string;
  /** Whether the command only reads: then it creates neither a file nor a table. */
  readonly readOnly: boolean;
  /** The scope under which the app keeps the session, as `--scope` says. */
  readonly scope?: string | undefined;
}

/** The locations of each kind. `name` is shown: it has no user, password or parameters. */
interface Locations {
  readonly sqlite: { readonly path: string };
  readonly redis: { readonly url: string; readonly name: string; readonly prefix: string | undefined };
  readonly postgres: { readonly url: string; readonly name: string; readonly table: string | undefined };
}

export type LedgerKindName = keyof Locations;

/** The location of a ledger, parsed from `--ledger`. */
export type LedgerLocation<K extends LedgerKindName = LedgerKindName> = {
  [P in K]: { readonly kind: P } & Locations[P];
}[K];

/** A kind of ledger that commands can open. */
interface LedgerKind<K extends LedgerKindName> {
  /** The form of its `--ledger` in help texts. */
  readonly form: string;
  /** The text before the first colon of `--ledger`. */
  readonly scheme: RegExp;
  /** @throws UsageError, which never repeats a value that may hold a password. */
  locate(command: string, scheme: string, rest: string): LedgerLocation<K>;
  /** @throws CommandError. */
  open(
    io: Pick<CliIo, 'load'>,
    location: LedgerLocation<K>,
    options: OpenLedgerOptions,
  ): Promise<OpenedLedger>;
}

/** Every kind of ledger that commands can open: a new one is a new entry. */
export const LEDGER_KINDS: { readonly [K in LedgerKindName]: LedgerKind<K> } = {
  sqlite: {
    form: 'sqlite:PATH',
    scheme: /^sqlite$/,
    locate(command, _scheme, rest) {
      const path = rest.startsWith('//') ? rest.slice(2) : rest;
      // A path is shown: the URL of a server would be shown with its password.
      if (path === '' || path.includes('://') || /^[^/\\]*:[^/\\]*@/.test(path))
        throw new UsageError(
          '--ledger sqlite: needs the path of a file',
          `agents-hybrid-session ${command} ... --ledger sqlite:sessions.db`,
        );
      return { kind: 'sqlite', path };
    },
    open: (_io, { path }, options) => openSqliteLedger(path, options),
  },
  redis: {
    form: 'redis:URL',
    scheme: /^rediss?$/,
    locate(command, scheme, rest) {
      const { url, name, parameter } = server(command, 'redis', scheme, rest, /^rediss?:$/, 'prefix');
      return { kind: 'redis', url, name, prefix: parameter };
    },
    open: openRedisLedger,
  },
  postgres: {
    form: 'postgres:URL',
    scheme: /^postgres(?:ql)?$/,
    locate(command, _scheme, rest) {
      const protocols = /^postgres(?:ql)?:$/;
      const { url, name, parameter } = server(command, 'postgres', 'postgres', rest, protocols, 'table');
      return { kind: 'postgres', url, name, table: parameter };
    },
    open: openPostgresLedger,
  },
};

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
      `agents-hybrid-session ${command} ... --ledger ${kind}:${kind}://127.0.0.1/0`,
    );
  }
  const found = url.searchParams.get(parameter) ?? undefined;
  url.searchParams.delete(parameter);
  return { url: url.href, name: nameOf(kind, url), parameter: found };
}

/** A password with an unencoded character may have ended up in the path. */
function nameOf(kind: string, { protocol, host, pathname, search, hash }: URL): string {
  return `${pathname}${search}${hash}`.includes('@') ? `${kind}:...` : `${protocol}//${host}${pathname}`;
}

async function openSqliteLedger(
  path: string,
  { command, readOnly }: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const store = sqliteLedger({ path, readOnly });
  try {
    // The store opens the file at first use; a wrong file fails here, before any other work.
    await store.checkpoint('');
  } catch (error) {
    await store.close();
    if (error instanceof LedgerUnavailableError && error.reason === 'no_driver')
      throw new CommandError('missing_driver', error.message, 'npm install libsql', { cause: error });
    const hint = `agents-hybrid-session ${command} ... --ledger sqlite:PATH, with the path of an existing ledger`;
    if (error instanceof LedgerUnavailableError)
      throw new CommandError('no_such_ledger', error.message, hint, { cause: error });
    throw unreachable(error, `'${path}'`, hint);
  }
  return { store, name: path, close: () => store.close() };
}

const CONNECT_TIMEOUT_MS = 10_000;

interface Pool extends PostgresPool {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  end(): Promise<void>;
}

type PoolClass = new (options: {
  connectionString: string;
  max: number;
  connectionTimeoutMillis: number;
}) => Pool;

interface PostgresDriver {
  readonly Pool?: PoolClass;
  /** The driver is CommonJS: not every loader sees its names. */
  readonly default?: { readonly Pool: PoolClass };
}

/** Opens a ledger in PostgreSQL. @throws CommandError. */
async function openPostgresLedger(
  io: Pick<CliIo, 'load'>,
  { url, name, table }: LedgerLocation<'postgres'>,
  { command, readOnly }: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const hint = `agents-hybrid-session ${command} ... --ledger postgres:postgres://USER:PASSWORD@HOST/DATABASE`;
  const driver = (await loadDriver(io.load, 'pg')) as PostgresDriver;
  const Pool = driver.Pool ?? driver.default?.Pool;
  if (Pool === undefined)
    throw new CommandError('missing_driver', "The package 'pg' has no Pool", 'npm install pg@8');
  const pool = new Pool({ connectionString: url, max: 2, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  pool.on('error', () => undefined);
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await pool.end().catch(() => undefined);
    throw unreachable(error, name, hint);
  }
  const readOnlyPool: PostgresPool = {
    query(text, values) {
      // The ledger creates its tables when they are missing.
      if (!/^\s*CREATE\b/i.test(text)) return pool.query(text, values);
      const problem = `There is no ledger in the database at ${name}`;
      throw new CommandError('no_such_table', problem, `${hint}?table=NAME`);
    },
  };
  const store = postgresLedger({
    pool: readOnly ? readOnlyPool : pool,
    ...(table === undefined ? {} : { table }),
  });
  return { store, name, close: () => pool.end() };
}

interface RedisClient extends RedisLedgerClient {
  connect(): Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  destroy?(): void;
  disconnect?(): Promise<void>;
}

interface RedisDriver {
  createClient(options: {
    url: string;
    socket: { connectTimeout: number; reconnectStrategy: false };
  }): RedisClient;
}

/** Opens a ledger in Redis over one connection. @throws CommandError. */
async function openRedisLedger(
  io: Pick<CliIo, 'load'>,
  { url, name, prefix }: LedgerLocation<'redis'>,
  { command }: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const driver = (await loadDriver(io.load, 'redis')) as RedisDriver;
  // The driver would reconnect for ever; a command reports the failure.
  const client = driver.createClient({
    url,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  });
  // Without a listener an error outside of a call ends the process, with the error's own words.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw unreachable(
      error,
      name,
      `agents-hybrid-session ${command} ... --ledger redis:redis://USER:PASSWORD@HOST:6379/0`,
    );
  }
  const store = redisLedger({ client, ...(prefix === undefined ? {} : { prefix }) });
  return {
    store,
    name,
    close: async () => {
      if (client.destroy === undefined) await client.disconnect?.();
      else client.destroy();
    },
  };
}

/** Loads an optional driver. @throws CommandError `missing_driver`. */
async function loadDriver(load: (name: string) => Promise<unknown>, name: string): Promise<unknown> {
  try {
    return await load(name);
  } catch (error) {
    throw new CommandError(
      'missing_driver',
      `The package '${name}' is needed for this ledger and cannot be loaded`,
      `npm install ${name}`,
      { cause: error },
    );
  }
}

/**
 * The error for a server that cannot be used. It shows only the driver's code, because a driver's message may quote the
 * password.
 */
function unreachable(error: unknown, name: string, hint: string): CommandError {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const known = typeof code === 'string' && /^\w{1,40}$/.test(code) ? ` (${code})` : '';
  return new CommandError('ledger_unreachable', `The ledger at ${name} cannot be used${known}`, hint, {
    cause: error,
  });
}
