import { LedgerUnavailableError } from '../../errors/ledger.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import type { MysqlPool } from '../mysql/clients.ts';
import { mysqlLedger } from '../mysql/ledger.ts';
import type { PostgresPool } from '../postgres/clients.ts';
import { postgresLedger } from '../postgres/ledger.ts';
import type { RedisLedgerClient } from '../redis/clients.ts';
import { redisLedger } from '../redis/ledger.ts';
import { driverError, type ModuleLoader } from '../shared/import-driver.ts';
import type { LibsqlClient } from '../sqlite/clients.ts';
import { within } from '../../util/clock.ts';
import { sqliteLedger } from '../sqlite/ledger.ts';

/** How a ledger is opened. */
export interface OpenOptions {
  readonly readOnly: boolean;
  readonly load: ModuleLoader;
}

/** A ledger that opens at first use. */
export interface Opened {
  readonly store: LedgerStore;
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

export function openSqlite(path: string, { readOnly }: OpenOptions): Opened {
  const store = sqliteLedger({ path, readOnly });
  return { store, close: () => store.close() };
}

interface Pool extends PostgresPool {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  end(): Promise<void>;
}

type PoolClass = new (options: { connectionString: string; connectionTimeoutMillis: number }) => Pool;

interface PostgresDriver {
  readonly Pool?: PoolClass;
  /** The driver is CommonJS: not every loader sees its names. */
  readonly default?: { readonly Pool: PoolClass };
}

/** A database on a server, and the ledger's table in it. */
interface DatabaseLocation {
  readonly url: string;
  readonly name: string;
  readonly table: string | undefined;
}

/** Opens a ledger in PostgreSQL, over a pool of connections. */
export function openPostgres(
  { url, name, table }: DatabaseLocation,
  { readOnly, load }: OpenOptions,
): Opened {
  return atFirstUse(async () => {
    const driver = (await loadDriver(load, 'pg')) as PostgresDriver;
    const Pool = driver.Pool ?? driver.default?.Pool;
    if (Pool === undefined) throw driverError({ name: 'pg', error: new TypeError('it has no Pool') });
    const pool = new Pool({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    // The calls report an error, and the pool opens another connection.
    pool.on('error', () => undefined);
    const readOnlyPool: PostgresPool = {
      query(text, values) {
        refuseCreation(text, name);
        return pool.query(text, values);
      },
    };
    const store = postgresLedger({
      pool: readOnly ? readOnlyPool : pool,
      ...(table === undefined ? {} : { table }),
    });
    return { store, close: () => pool.end() };
  });
}

interface OwnMysqlPool {
  promise(): MysqlPool & { end(): Promise<void> };
}

interface MysqlDriver {
  readonly createPool?: (options: { uri: string; connectTimeout: number }) => OwnMysqlPool;
  /** The driver is CommonJS: not every loader sees its names. */
  readonly default?: Required<Pick<MysqlDriver, 'createPool'>>;
}

/** Opens a ledger in MySQL or MariaDB, over a pool of connections. */
export function openMysql({ url, name, table }: DatabaseLocation, { readOnly, load }: OpenOptions): Opened {
  return atFirstUse(async () => {
    const driver = (await loadDriver(load, 'mysql2')) as MysqlDriver;
    const createPool = driver.createPool ?? driver.default?.createPool;
    if (createPool === undefined)
      throw driverError({ name: 'mysql2', error: new TypeError('it has no createPool') });
    const pool = createPool({ uri: url, connectTimeout: CONNECT_TIMEOUT_MS }).promise();
    const readOnlyPool: MysqlPool = {
      query: (statement) => pool.query(statement),
      execute(statement, values) {
        refuseCreation(statement.sql, name);
        return pool.execute(statement, values);
      },
      getConnection: () => pool.getConnection(),
    };
    const store = mysqlLedger({
      pool: readOnly ? readOnlyPool : pool,
      ...(table === undefined ? {} : { table }),
    });
    return { store, close: () => pool.end() };
  });
}

interface OwnLibsqlClient extends LibsqlClient {
  close(): void;
}

interface LibsqlDriver {
  createClient(options: { url: string }): OwnLibsqlClient;
}

/** Opens a ledger on a server of libsql. The URL may hold the client's own parameters, such as `authToken`. */
export function openLibsql(
  { url, name }: { readonly url: string; readonly name: string },
  { readOnly, load }: OpenOptions,
): Opened {
  return atFirstUse(async () => {
    const driver = (await loadDriver(load, '@libsql/client')) as LibsqlDriver;
    const client = driver.createClient({ url });
    const readOnlyClient: LibsqlClient = {
      execute: (statement) => client.execute(statement),
      async batch(statements, mode) {
        for (const { sql } of statements) refuseCreation(sql, name);
        return client.batch(statements, mode);
      },
    };
    const store = sqliteLedger({ database: readOnly ? readOnlyClient : client });
    return { store, close: async () => client.close() };
  });
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
    socket: { connectTimeout: number; reconnectStrategy: (retries: number) => number | Error };
  }): RedisClient;
}

/** Milliseconds of the longest pause between two connections. */
const MAX_RECONNECT_MS = 2000;

/** Opens a ledger in Redis over one connection. */
export function openRedis(url: string, prefix: string | undefined, { load }: OpenOptions): Opened {
  return atFirstUse(async () => {
    const driver = (await loadDriver(load, 'redis')) as RedisDriver;
    let isConnected = false;
    const client = driver.createClient({
      url,
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        // The driver would try the first connection for ever; a call reports that it failed, and the next one tries again.
        reconnectStrategy: (retries) =>
          isConnected ? Math.min(MAX_RECONNECT_MS, 50 * 2 ** retries) : new Error('not reachable'),
      },
    });
    // Without a listener an error outside of a call ends the process, with the error's own words.
    client.on('error', () => undefined);
    const close = async (): Promise<void> => {
      if (client.destroy === undefined) await client.disconnect?.();
      else client.destroy();
    };
    // The driver's own timeout ends when the port is open: a server that then says nothing would hold it up for ever.
    await within<unknown>(CONNECT_TIMEOUT_MS, client.connect(), async () => {
      await close();
      throw new Error('the server does not answer');
    });
    isConnected = true;
    const store = redisLedger({ client, ...(prefix === undefined ? {} : { prefix }) });
    return { store, close };
  });
}

/** The ledger creates its tables when they are missing. @throws LedgerUnavailableError `not_found` for such a statement. */
function refuseCreation(sql: string, name: string): void {
  if (/^\s*CREATE\b/i.test(sql))
    throw new LedgerUnavailableError('not_found', `there is no ledger in the database at ${name}`);
}

/** A ledger that is opened by its first call, and again by the next one if that failed. */
function atFirstUse(open: () => Promise<Opened>): Opened {
  let opening: Promise<Opened> | undefined;
  let isClosed = false;
  const opened = async (): Promise<LedgerStore> => {
    if (isClosed) throw new LedgerUnavailableError('closed', 'it was closed');
    const current = (opening ??= open());
    try {
      return (await current).store;
    } catch (error) {
      if (opening === current) opening = undefined;
      throw error;
    }
  };
  const store: LedgerStore = {
    checkpoint: async (sessionId) => (await opened()).checkpoint(sessionId),
    read: async (...range) => (await opened()).read(...range),
    append: async (...written) => (await opened()).append(...written),
    rewrite: async (...written) => (await opened()).rewrite(...written),
    delete: async (...deleted) => (await opened()).delete(...deleted),
    async *sessions(options) {
      yield* (await opened()).sessions?.(options) ?? [];
    },
  };
  const close = async (): Promise<void> => {
    isClosed = true;
    await (await opening?.catch(() => undefined))?.close();
    opening = undefined;
  };
  return { store, close };
}

/** Loads an optional driver. @throws LedgerUnavailableError `no_driver` or `driver_failed`. */
async function loadDriver(load: OpenOptions['load'], name: string): Promise<unknown> {
  try {
    return await load(name);
  } catch (error) {
    throw driverError({ name, error });
  }
}
