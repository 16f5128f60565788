/** A statement of SQLite, and the values of its parameters. */
export interface SqlStatement {
  readonly sql: string;
  readonly args: readonly (string | number | null)[];
}

/** A database that runs statements together, without a way to look at a result before the next statement. */
export interface BatchDatabase {
  /** Runs one statement. @returns its rows. */
  select(statement: SqlStatement): Promise<readonly unknown[]>;
  /** Runs all statements in one transaction that holds the write lock, or none. @returns the rows of each. */
  batch(statements: readonly SqlStatement[]): Promise<readonly (readonly unknown[])[]>;
}
