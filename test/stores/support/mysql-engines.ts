import { createPool as createMariadbPool } from 'mariadb';
import { createPool as createCallbackPool } from 'mysql2';
import { createPool, type Pool } from 'mysql2/promise';
import { mysqlLedger, type MysqlLedgerOptions } from '../../../src/mysql.ts';
import type { Engine } from './engine.ts';

/** The URL of a MySQL or MariaDB to test on. */
export const mysqlUrl: string | undefined = process.env['TEST_MYSQL_URL'];

/** A table that no other test uses. */
export function mysqlTable(): string {
  return `ledger ${crypto.randomUUID().slice(0, 8)}`;
}

/** A name as MySQL reads it. */
export const quotedName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** A pool with every option of `mysql2` that changes values or names. */
function oddPool(uri: string): Pool {
  return createPool({
    uri,
    connectionLimit: 3,
    rowsAsArray: true,
    nestTables: true,
    namedPlaceholders: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    decimalNumbers: true,
    dateStrings: true,
    flags: ['-FOUND_ROWS'],
    typeCast: () => 'cast',
  });
}

interface Opened {
  readonly pool: MysqlLedgerOptions['pool'];
  readonly close: () => Promise<void>;
}

function server(name: string, open: (url: string) => Opened): Engine {
  return {
    name,
    missing: mysqlUrl === undefined ? 'TEST_MYSQL_URL is not set' : undefined,
    create() {
      const table = mysqlTable();
      return {
        open: () => {
          const { pool, close } = open(mysqlUrl ?? '');
          return { store: mysqlLedger({ pool, table }), close };
        },
      };
    },
  };
}

/** Every client of MySQL, on the server of the tests. */
export const mysqlEngines: readonly Engine[] = [
  server('MySQL', (uri) => {
    const pool = createPool({ uri, connectionLimit: 3 });
    return { pool, close: () => pool.end() };
  }),
  server('MySQL, a pool with callbacks', (uri) => {
    const pool = createCallbackPool({ uri, connectionLimit: 3 });
    return { pool, close: () => pool.promise().end() };
  }),
  server('MySQL, odd options', (uri) => {
    const pool = oddPool(uri);
    return { pool, close: () => pool.end() };
  }),
  server('MySQL, the connector of MariaDB', (uri) => {
    const { hostname: host, port, username: user, pathname } = new URL(uri);
    const database = pathname.slice(1);
    const pool = createMariadbPool({ host, port: Number(port), user, database, connectionLimit: 3 });
    return { pool, close: () => pool.end() };
  }),
];
