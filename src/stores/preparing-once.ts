import { isObject } from '../ledger/json.ts';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-database.ts';

/** The same database, which prepares each statement once: that takes as long as running it. */
export function preparingOnce(database: SqliteDatabase): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) statements.set(sql, (statement = preparedAgain(database, sql)));
      return statement;
    },
  };
}

/** `node:sqlite` lets its owner close a database and open it again, which ends every statement of before. */
function preparedAgain(database: SqliteDatabase, sql: string): SqliteStatement {
  let prepared = database.prepare(sql);
  const run = <T>(work: (statement: SqliteStatement) => T): T => {
    try {
      return work(prepared);
    } catch (error) {
      if (!isObject(error) || error['code'] !== 'ERR_INVALID_STATE') throw error;
      prepared = database.prepare(sql);
      return work(prepared);
    }
  };
  return {
    run: (...values: SqliteValue[]) => run((statement) => statement.run(...values)),
    get: (...values: SqliteValue[]) => run((statement) => statement.get(...values)),
    all: (...values: SqliteValue[]) => run((statement) => statement.all(...values)),
  };
}
