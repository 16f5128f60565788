import type { BatchDatabase, SqlStatement } from '../batched/batch.ts';

/** A prepared statement of D1, by the method the ledger uses. */
export interface D1LedgerStatement {
  bind(...values: unknown[]): D1LedgerStatement;
}

/** A D1 binding such as `env.DB`, by the methods the ledger uses. */
export interface D1LedgerDatabase {
  prepare(sql: string): D1LedgerStatement;
  batch(statements: D1LedgerStatement[]): Promise<{ readonly results: unknown[] }[]>;
}

/** The batches of D1: each one is a transaction, and no other statement runs meanwhile. */
export function d1Batches(database: D1LedgerDatabase): BatchDatabase {
  const batch = async (statements: readonly SqlStatement[]): Promise<unknown[][]> => {
    const prepared = statements.map(({ sql, args }) => database.prepare(sql).bind(...args));
    return (await database.batch(prepared)).map(({ results }) => results);
  };
  return { batch, select: async (statement) => (await batch([statement]))[0] ?? [] };
}
