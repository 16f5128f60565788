import { z } from 'zod';
import { hasMethods } from '../../errors/options.ts';
import { warnWithoutErrorListener } from '../shared/warn-without-error-listener.ts';

/** A pool or client of `pg` or `@neondatabase/serverless`, or a PGlite database, by the method the ledger uses. */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

/** The function `sql` of the package `postgres`, by the method the ledger uses. */
export interface PostgresJsSql {
  unsafe(text: string, values?: (string | number | null)[]): PromiseLike<readonly unknown[]>;
}

/** The function that `neon()` of `@neondatabase/serverless` returns, by the method the ledger uses. */
export interface NeonSql {
  query(
    text: string,
    values?: unknown[],
    options?: { arrayMode: false; fullResults: false },
  ): PromiseLike<unknown[]>;
}

/** Every client that `postgresLedger` takes. */
export type AnyPostgresClient = PostgresPool | PostgresJsSql | NeonSql;

/** Runs a statement in a transaction of its own. */
export type PostgresQuery = (text: string, values: readonly PostgresValue[]) => Promise<readonly unknown[]>;

export type PostgresValue = string | number | null | readonly string[];

const ACCEPTED =
  "must be a Pool or Client of 'pg' or '@neondatabase/serverless', a PGlite database, the function 'sql' of 'postgres' or that of neon()";

/** The schema of the option `pool`. */
export const postgresClient: z.ZodType<AnyPostgresClient, AnyPostgresClient> = z.custom<AnyPostgresClient>(
  (value) => queryOf(value) !== undefined,
  { message: ACCEPTED },
);

/** Runs statements on a client that the schema has accepted, and warns about it where that is needed. */
export function postgresQuery(client: AnyPostgresClient): PostgresQuery {
  if (typeof client === 'object') warnWithoutErrorListener('PostgreSQL', client);
  return queryOf(client) as PostgresQuery;
}

/** Which client it is: pools are objects, the others are functions with methods. */
function queryOf(client: unknown): PostgresQuery | undefined {
  if (typeof client === 'function') {
    if (hasMethods(client, 'query')) return neonQuery(client as object as NeonSql);
    return hasMethods(client, 'unsafe') ? postgresJsQuery(client as object as PostgresJsSql) : undefined;
  }
  if (!hasMethods(client, 'query')) return undefined;
  const pool = client as PostgresPool;
  return async (text, values) => (await pool.query(text, [...values])).rows;
}

function neonQuery(sql: NeonSql): PostgresQuery {
  return async (text, values) => sql.query(text, [...values], { arrayMode: false, fullResults: false });
}

function postgresJsQuery(sql: PostgresJsSql): PostgresQuery {
  return async (text, values) => {
    // With `fetch_types: false` the driver knows no arrays.
    const given = values.map((value) =>
      typeof value === 'object' && value !== null ? literal(value) : value,
    );
    const rows = await sql.unsafe(text, given);
    // A `transform` such as `postgres.pascal` changes the names of columns.
    return rows.map((row) =>
      Object.fromEntries(Object.entries(row as object).map(([name, value]) => [name.toLowerCase(), value])),
    );
  };
}

/** An array of texts as PostgreSQL reads it. */
function literal(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}
