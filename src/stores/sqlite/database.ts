/** The values that the ledger binds to a statement's parameters. */
export type SqliteValue = string | number;

/** A prepared statement, by the methods the ledger uses. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): unknown;
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
}

/** A database, by the methods the ledger uses; those of `node:sqlite`, better-sqlite3 and libsql have them. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}

/** A database that the ledger opened and will close. */
export interface OwnedSqliteDatabase extends SqliteDatabase {
  close(): unknown;
}

/** The same database, which prepares each statement once: that takes as long as running it. */
export function withStatementCache(database: SqliteDatabase): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) statements.set(sql, (statement = database.prepare(sql)));
      return statement;
    },
  };
}
