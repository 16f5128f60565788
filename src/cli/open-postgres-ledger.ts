import { postgresLedger, type PostgresPool } from '../postgres.ts';
import { CommandError } from './command-error.ts';
import type { CliIo } from './command.ts';
import type { LedgerLocation } from './ledger-location.ts';
import { loadDriver, unreachable } from './load-driver.ts';
import type { OpenedLedger, OpenLedgerOptions } from './open-ledger.ts';

/** How long a server may take to answer at first, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

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
export async function openPostgresLedger(
  io: Pick<CliIo, 'load'>,
  { url, name, table }: Extract<LedgerLocation, { kind: 'postgres' }>,
  { command, readOnly }: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const hint = `hybrid-session ${command} ... --ledger postgres:postgres://USER:PASSWORD@HOST/DATABASE`;
  const driver = (await loadDriver(io.load, 'pg')) as PostgresDriver;
  const Pool = driver.Pool ?? driver.default?.Pool;
  if (Pool === undefined)
    throw new CommandError('missing_driver', "The package 'pg' has no Pool", 'npm install pg@8');
  const pool = new Pool({ connectionString: url, max: 2, connectionTimeoutMillis: CONNECT_TIMEOUT });
  pool.on('error', () => undefined);
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await pool.end().catch(() => undefined);
    throw unreachable(error, name, hint);
  }
  const looking: PostgresPool = {
    query(text, values) {
      // The ledger creates its tables when they are missing.
      if (!/^\s*CREATE\b/i.test(text)) return pool.query(text, values);
      const problem = `There is no ledger in the database at ${name}`;
      throw new CommandError('no_such_table', problem, `${hint}?table=NAME`);
    },
  };
  const store = postgresLedger({
    pool: readOnly ? looking : pool,
    ...(table === undefined ? {} : { table }),
  });
  return { store, name, close: () => pool.end() };
}
