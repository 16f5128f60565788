import { expect, it } from 'vitest';
import { mysqlLedger, type MariadbPool, type MysqlPool } from '../../src/mysql.ts';
import { scriptedPool } from './support/mysql-script.ts';
import { checkpoint, record } from './support/records.ts';

const options = { rowsAsArray: false, nestTables: false };
const moved = { affectedRows: 1, insertId: 7 };

it('a MySQL ledger overrides the options of a pool that would change its rows', async () => {
  const { pool } = scriptedPool({ SELECT: [[]] });
  const given: { typeCast?: (field: unknown, next: () => unknown) => unknown }[] = [];
  const noted: MysqlPool = {
    ...pool,
    query: ({ sql: _sql, ...rest }) => (given.push(rest), pool.query({ sql: 'SHOW', ...rest })),
    execute: ({ sql, ...rest }, values) => (given.push(rest), pool.execute({ sql, ...rest }, values)),
  };
  expect(await mysqlLedger({ pool: noted }).read('s')).toEqual({ records: [] });
  expect(given).toMatchObject([options, options]);
  for (const { typeCast } of given) expect(typeCast?.(undefined, () => 'as it is')).toBe('as it is');
});

it('a MySQL ledger takes a pool with callbacks by its promises', async () => {
  const { pool, calls } = scriptedPool({ DELETE: [moved] });
  const callbacks = { promise: () => pool, getConnection: () => undefined };
  await mysqlLedger({ pool: callbacks }).delete('s');
  expect(calls).toEqual(['DELETE']);
});

/** The pool as `mariadb` has it: results stand alone, and a release is awaited. */
function asMariadb(pool: MysqlPool, given: object[]): MariadbPool {
  const on = (target: Pick<MysqlPool, 'query' | 'execute'>): Pick<MariadbPool, 'query' | 'execute'> => ({
    async query({ sql, ...rest }) {
      given.push(rest);
      return (await target.query({ sql, ...rest, typeCast: () => undefined }))[0];
    },
    async execute({ sql, ...rest }, values) {
      given.push(rest);
      return (await target.execute({ sql, ...rest, typeCast: () => undefined }, values))[0];
    },
  });
  return {
    ...on(pool),
    activeConnections: () => 0,
    async getConnection() {
      const connection = await pool.getConnection();
      const release = async (): Promise<void> => connection.release();
      return { ...on(connection), release, destroy: () => connection.destroy() };
    },
  };
}

it('a MySQL ledger of the connector of MariaDB takes plain results, and asks for errors without values', async () => {
  const { pool, calls } = scriptedPool({ UPDATE: [{ affectedRows: 1, insertId: 7n }], INSERT: [moved] });
  const given: object[] = [];
  await mysqlLedger({ pool: asMariadb(pool, given) }).append('s', [record('one')], checkpoint(4), 3);
  expect(calls).toEqual(['START TRANSACTION', 'UPDATE', 'INSERT', 'COMMIT', 'release']);
  expect(given).toEqual(Array.from({ length: 5 }, () => ({ ...options, logParam: false })));
});

it('a connection that is lost before its transaction began is thrown away', async () => {
  const lost = new Error('Connection lost');
  const { pool, calls } = scriptedPool({ 'START TRANSACTION': [lost], ROLLBACK: [lost] });
  await expect(mysqlLedger({ pool }).append('s', [], checkpoint(4), 3)).rejects.toBe(lost);
  expect(calls).toEqual(['START TRANSACTION', 'ROLLBACK', 'destroy']);
});
