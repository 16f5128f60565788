import { describe, expect, it } from 'vitest';
import { LedgerConflictError } from '../../src/index.ts';
import { mysqlLedger, mysqlLedgerSchema, type MysqlPool } from '../../src/mysql.ts';
import { insertGroups } from '../../src/stores/mysql/insert-groups.ts';
import { mysqlStatements, mysqlTables } from '../../src/stores/mysql/tables.ts';
import { scriptedPool, serverError } from './support/mysql-script.ts';
import { checkpoint, record } from './support/records.ts';

const DEADLOCK = serverError(1213);
const DUPLICATE = serverError(1062);
const NO_TABLE = serverError(1146);
const LOST = Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST' });

const moved = { affectedRows: 1, insertId: 7 };
const notMoved = { affectedRows: 0, insertId: 0 };
const found = [{ format: 1, version: 7, head: '' }];

const START = 'START TRANSACTION';
const INSERT_SESSION = 'INSERT INTO `hybrid_session_ledger` ';
const INSERT_RECORDS = 'INSERT INTO `hybrid_session_ledger_record`';
const APPENDED = [START, 'UPDATE', INSERT_RECORDS, 'COMMIT', 'release'];
const known = { UPDATE: [moved], SELECT: [found], [INSERT_SESSION]: [moved], [INSERT_RECORDS]: [moved] };

const appendAt = (pool: MysqlPool, version: number): Promise<void> =>
  mysqlLedger({ pool }).append('s', [record('one')], checkpoint(version + 1), version);

const on = (answers: Record<string, unknown[]>) => mysqlLedger({ pool: scriptedPool(answers).pool });

describe('a transaction of a MySQL ledger', () => {
  it('a MySQL ledger appends in one transaction, and inserts the session of a first append without asking for it', async () => {
    const later = scriptedPool(known);
    await appendAt(later.pool, 3);
    expect(later.calls).toEqual(APPENDED);
    expect(mysqlStatements(mysqlTables('t')).insertRecords(2)).toBe(
      'INSERT INTO `t_record` (ledger, position, part, record) VALUES (?, ?, ?, ?), (?, ?, ?, ?)',
    );
    expect(later.values[1]).toEqual([4, JSON.stringify(checkpoint(4)), Buffer.from('s'), 3]);
    expect(later.values[2]).toEqual([7, 3, 0, JSON.stringify(record('one'))]);
    const first = scriptedPool(known);
    await appendAt(first.pool, 0);
    expect(first.calls).toEqual([START, INSERT_SESSION, INSERT_RECORDS, 'COMMIT', 'release']);
  });

  it('a MySQL ledger rolls back where another process was first, and tells the version', async () => {
    const { pool, calls } = scriptedPool({ ...known, UPDATE: [notMoved] });
    await expect(appendAt(pool, 3)).rejects.toMatchObject({ expected: 3, actual: 7 });
    expect(calls).toEqual([START, 'UPDATE', 'ROLLBACK', 'release', 'SELECT']);
    const none = scriptedPool({ ...known, UPDATE: [notMoved], SELECT: [[]] });
    await expect(appendAt(none.pool, 3)).rejects.toMatchObject({ expected: 3, actual: 0 });
    const ledger = mysqlLedger({ pool: scriptedPool({ ...known, UPDATE: [notMoved] }).pool });
    await expect(ledger.rewrite('s', [], checkpoint(4), 3)).rejects.toBeInstanceOf(LedgerConflictError);
  });

  it('a MySQL ledger updates the row of a session that is there at version 0', async () => {
    const { pool, calls } = scriptedPool({ ...known, [INSERT_SESSION]: [DUPLICATE] });
    await appendAt(pool, 0);
    expect(calls).toEqual([START, INSERT_SESSION, 'ROLLBACK', 'release', ...APPENDED]);
  });

  it('a MySQL ledger begins the transaction again after a deadlock, at any statement', async () => {
    for (const at of ['UPDATE', INSERT_RECORDS, 'COMMIT']) {
      const { pool, calls } = scriptedPool({ ...known, [at]: [DEADLOCK, moved] });
      await appendAt(pool, 3);
      const stopped = APPENDED.slice(0, APPENDED.indexOf(at) + 1);
      expect(calls).toEqual([...stopped, 'ROLLBACK', 'release', ...APPENDED]);
    }
  });

  it('a MySQL ledger gives a deadlock up that does not end', async () => {
    const { pool, calls } = scriptedPool({ ...known, UPDATE: [DEADLOCK] });
    await expect(appendAt(pool, 3)).rejects.toBe(DEADLOCK);
    expect(calls.filter((call) => call === 'UPDATE')).toHaveLength(20);
  });

  it.each([
    ['while it writes', 'UPDATE'],
    ['before the answer to its commit', 'COMMIT'],
  ])('a MySQL ledger passes the loss of a connection %s on, and does not repeat', async (_, at) => {
    const { pool, calls } = scriptedPool({ ...known, [at]: [LOST], ROLLBACK: [LOST] });
    await expect(appendAt(pool, 3)).rejects.toBe(LOST);
    expect(calls).toEqual([...APPENDED.slice(0, APPENDED.indexOf(at) + 1), 'ROLLBACK', 'destroy']);
  });

  it('a MySQL ledger passes a lock on that was not given in time, with nothing applied', async () => {
    const timeout = serverError(1205);
    const { pool, calls } = scriptedPool({ ...known, UPDATE: [timeout] });
    await expect(appendAt(pool, 3)).rejects.toBe(timeout);
    expect(calls).toEqual([START, 'UPDATE', 'ROLLBACK', 'release']);
  });

  it('a MySQL ledger throws away a connection that cannot roll back', async () => {
    const { pool, calls } = scriptedPool({ ...known, UPDATE: [notMoved], ROLLBACK: [LOST] });
    await expect(appendAt(pool, 3)).rejects.toBe(LOST);
    expect(calls.at(-1)).toBe('destroy');
  });

  it('a MySQL ledger creates its tables when they are missing, and again after a race for them', async () => {
    const { pool, calls } = scriptedPool({
      ...known,
      UPDATE: [NO_TABLE, moved],
      CREATE: [serverError(1050), DEADLOCK, moved],
    });
    await appendAt(pool, 3);
    expect(calls.filter((call) => call === 'CREATE')).toHaveLength(4);
    expect(calls.slice(-APPENDED.length)).toEqual(APPENDED);
    const read = scriptedPool({ SELECT: [NO_TABLE, []] });
    expect(await mysqlLedger({ pool: read.pool }).read('s')).toEqual({ records: [] });
    expect(read.calls).toEqual([
      'SELECT',
      expect.stringMatching(/^CREATE/),
      expect.stringMatching(/^CREATE/),
      'SELECT',
    ]);
  });

  it.for([new Error('lost'), 'lost', undefined])(
    'a MySQL ledger asks nothing again after an error without a number: %s',
    async (failure) => {
      let asked = 0;
      const execute = (): Promise<never> => {
        asked += 1;
        return Promise.reject(failure);
      };
      const { pool } = scriptedPool({});
      await expect(mysqlLedger({ pool: { ...pool, execute } }).checkpoint('s')).rejects.toBe(failure);
      expect(asked).toBe(1);
    },
  );

  it('a MySQL ledger takes a deletion of another version for a conflict, and one of nothing for none', async () => {
    const other = { DELETE: [notMoved], SELECT: [found] };
    await expect(on(other).delete('s', 3)).rejects.toMatchObject({ expected: 3, actual: 7 });
    await expect(on(other).delete('s')).resolves.toBeUndefined();
    await expect(on({ DELETE: [notMoved], SELECT: [[]] }).delete('s', 0)).resolves.toBeUndefined();
    await expect(on({ DELETE: [moved] }).delete('s', 3)).resolves.toBeUndefined();
  });
});

describe('a statement of a MySQL ledger', () => {
  const SESSION = Buffer.from('s');

  it('a rewrite of a MySQL ledger deletes the records before it in its transaction', async () => {
    const DELETE_RECORDS = 'DELETE FROM `hybrid_session_ledger_record`';
    const { pool, calls, values } = scriptedPool({ ...known, [DELETE_RECORDS]: [moved] });
    await mysqlLedger({ pool }).rewrite('s', [record('one')], checkpoint(5), 3);
    expect(calls).toEqual([START, 'UPDATE', DELETE_RECORDS, INSERT_RECORDS, 'COMMIT', 'release']);
    expect(values[1]?.[0]).toBe(5);
    expect(values[2]).toEqual([7, 3]);
    expect(values[3]).toEqual([7, 3, 0, '', 7, 4, 0, JSON.stringify(record('one'))]);
  });

  it('a first append of a MySQL ledger inserts the session with its version, and passes every error but a duplicate on', async () => {
    const { pool, values } = scriptedPool(known);
    await appendAt(pool, 0);
    expect(values[1]).toEqual([SESSION, 1, JSON.stringify(checkpoint(1))]);
    const failure = serverError(1205);
    const failed = scriptedPool({ ...known, [INSERT_SESSION]: [failure] });
    await expect(appendAt(failed.pool, 0)).rejects.toBe(failure);
    expect(failed.calls).not.toContain('UPDATE');
  });

  it('a MySQL ledger puts rows into order, and joins the parts of a record', async () => {
    const text = JSON.stringify(record('long'));
    const row = { format: 1, version: 14 };
    const { pool, values } = scriptedPool({
      SELECT: [
        [
          { ...row, position: 13, part: 0, record: JSON.stringify(record('last')) },
          { ...row, position: 12, part: 1, record: text.slice(9) },
          { ...row, position: 12, part: 0, record: text.slice(0, 9) },
          { ...row, position: 11, part: 0, record: JSON.stringify(record('first')) },
        ],
      ],
    });
    const { records } = await mysqlLedger({ pool }).read('s', 11);
    expect(records).toEqual([record('first'), record('long'), record('last')]);
    expect(values).toEqual([[11, SESSION]]);
  });

  it('a MySQL ledger asks for a session and for a list by bytes', async () => {
    const row = { session: 'a', format: '1', version: 1n, head: JSON.stringify(checkpoint(1)), updated: 5n };
    const { pool, values } = scriptedPool({ SELECT: [[row]] });
    const ledger = mysqlLedger({ pool });
    expect(await ledger.checkpoint('a')).toEqual(checkpoint(1));
    const listed: unknown[] = [];
    for await (const summary of ledger.sessions?.({ prefix: 'a' }) ?? []) listed.push(summary);
    expect(listed).toEqual([{ ...checkpoint(1), sessionId: 'a', updated: 5 }]);
    expect(values).toEqual([[Buffer.from('a')], [Buffer.from('a')]]);
  });

  it('a deletion of a MySQL ledger has the version as its condition, where there is one', async () => {
    const { pool, calls, values } = scriptedPool({});
    const ledger = mysqlLedger({ pool });
    await ledger.delete('s');
    await ledger.delete('s', 0);
    expect(calls[0]).toBe('DELETE FROM `hybrid_session_ledger` WHERE session = ?');
    expect(calls[1]).toBe('DELETE FROM `hybrid_session_ledger` WHERE session = ? AND version = ?');
    expect(values.slice(0, 2)).toEqual([[SESSION], [SESSION, 0]]);
  });

  it('the script of a MySQL ledger has one statement for each table', () => {
    const script = mysqlLedgerSchema();
    expect(script).toMatch(/^CREATE TABLE IF NOT EXISTS `hybrid_session_ledger` \(\n/);
    expect(script).toMatch(
      /utf8mb4_bin;\nCREATE TABLE IF NOT EXISTS `hybrid_session_ledger_record` \(\n[\s\S]*utf8mb4_bin;\n$/,
    );
  });
});

describe('the settings of the connections', () => {
  it.each([
    ['autocommit', 'OFF', 'which the ledger needs ON'],
    ['character_set_client', 'latin1', 'which cannot hold every text: open them with utf8mb4'],
    ['character_set_results', 'utf8mb3', 'which cannot hold every text: open them with utf8mb4'],
    ['max_allowed_packet', '65536', 'less than 1000000 bytes'],
    ['tx_isolation', 'READ-UNCOMMITTED', 'which shows half an append'],
    ['transaction_isolation', 'READ-UNCOMMITTED', 'which shows half an append'],
  ])(
    'a MySQL ledger refuses connections with %s = %s before it reads or writes',
    async (name, value, why) => {
      const { pool, calls } = scriptedPool(known, { [name]: value });
      const ledger = mysqlLedger({ pool });
      for (const use of [ledger.checkpoint('s'), ledger.append('s', [], checkpoint(0), 0)])
        await expect(use).rejects.toMatchObject({
          code: 'invalid_options',
          option: 'pool',
          message: `Cannot create the MySQL ledger: option 'pool' opens connections with ${name} = ${value}, ${why}`,
        });
      expect(calls).toEqual([]);
    },
  );

  it('a MySQL ledger asks for the settings once, and again after a failure', async () => {
    const { pool } = scriptedPool({ SELECT: [[]] });
    let asked = 0;
    const query: MysqlPool['query'] = (statement) => {
      asked += 1;
      return asked === 1 ? Promise.reject(LOST) : pool.query(statement);
    };
    const ledger = mysqlLedger({ pool: { ...pool, query } });
    await expect(ledger.checkpoint('s')).rejects.toBe(LOST);
    await Promise.all([ledger.checkpoint('s'), ledger.checkpoint('t')]);
    await ledger.read('s');
    expect(asked).toBe(2);
  });
});

/** The sizes of the statements for so many short records. */
const many = (count: number): number[] =>
  insertGroups(
    Array.from({ length: count }, () => 'a'),
    0,
  ).map(({ length }) => length);

describe('the rows of an append', () => {
  it('rows go in statements of few sizes', () => {
    expect(many(1)).toEqual([1]);
    expect(many(7)).toEqual([7]);
    expect(many(12)).toEqual([8, 4]);
    expect(many(75)).toEqual([32, 32, 8, 3]);
    expect(many(0)).toEqual([]);
  });

  it('a statement stays below the limit of a packet, and a long record takes several rows', () => {
    const long = '\u{1F600}'.repeat(200_000);
    const groups = insertGroups(['a', 'b'.repeat(299_999), 'c', long, ''], 5);
    expect(groups.map((group) => group.map(({ position, part }) => [position, part]))).toEqual([
      [
        [5, 0],
        [6, 0],
      ],
      [[7, 0]],
      [[8, 0]],
      [
        [8, 1],
        [9, 0],
      ],
    ]);
    const rows = groups.flat().filter(({ position }) => position === 8);
    expect(rows.map(({ record: text }) => text).join('')).toBe(long);
    for (const { record: text } of rows) expect(text).not.toMatch(/\p{Surrogate}/u);
  });
});

const call = async (): Promise<unknown[]> => [];

describe('the names of the tables', () => {
  it('a name is quoted with its database', () => {
    expect(mysqlTables('ledger')).toEqual({
      sessions: '`ledger`',
      records: '`ledger_record`',
      foreignKey: '`ledger_record_key`',
    });
    expect(mysqlTables('my db.a`b')).toEqual({
      sessions: '`my db`.`a``b`',
      records: '`my db`.`a``b_record`',
      foreignKey: '`a``b_record_key`',
    });
    expect(mysqlLedgerSchema('a.b')).toContain('REFERENCES `a`.`b` (id) ON DELETE CASCADE');
    expect(mysqlTables('x'.repeat(53)).sessions).toBe(`\`${'x'.repeat(53)}\``);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a.b.c',
    'a\0b',
    'a ',
    'a .b',
    'x'.repeat(54),
    `${'x'.repeat(65)}.a`,
    '\u{1F600}',
    '\uD800',
  ])('a MySQL ledger refuses the name %j, which cannot be one', (table) => {
    const message = expect.stringContaining("Cannot create the MySQL ledger: option 'table'") as string;
    const invalid = expect.objectContaining({ code: 'invalid_options', option: 'table', message });
    expect(() => mysqlLedger({ pool: scriptedPool({}).pool, table })).toThrow(invalid);
    expect(() => mysqlLedgerSchema(table)).toThrow(invalid);
  });

  it('a MySQL ledger refuses a pool that is none, and options it does not know', () => {
    const { pool } = scriptedPool({});
    for (const wrong of [{}, undefined, { execute: call, query: call }, { getConnection: call }])
      expect(() => mysqlLedger({ pool: wrong as MysqlPool })).toThrow(
        "Cannot create the MySQL ledger: option 'pool' is invalid: must be a pool of 'mysql2', 'mysql2/promise' or 'mariadb'",
      );
    expect(() => mysqlLedger({ pool, tables: 'a' } as never)).toThrow("option 'tables' is not known");
  });
});
