/** What can be bound to a statement's parameters here. */
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
