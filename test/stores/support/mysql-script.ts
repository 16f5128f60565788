import type { MysqlConnection, MysqlPool, MysqlValue } from '../../../src/stores/mysql/clients.ts';

/** An error of the server. */
export function serverError(errno: number): Error {
  return Object.assign(new Error(`error ${errno}`), { errno });
}

/** A pool of scripted answers, and the statements that it was given. */
export interface ScriptedPool {
  readonly pool: MysqlPool;
  /** The first words of each statement; `release` and `destroy` of a connection. */
  readonly calls: string[];
  readonly values: MysqlValue[][];
}

/**
 * A pool that answers by the first words of a statement. An answer is used once, unless it is the last of its kind; an error is thrown.
 *
 * @param settings of the connections, beside good ones.
 */
export function scriptedPool(
  answers: Readonly<Record<string, readonly unknown[]>>,
  settings: Readonly<Record<string, string>> = {},
): ScriptedPool {
  const calls: string[] = [];
  const values: MysqlValue[][] = [];
  const left = new Map(Object.entries(answers).map(([words, list]) => [words, [...list]]));
  const answer = async (sql: string, given: MysqlValue[] = []): Promise<[unknown]> => {
    if (sql.startsWith('SHOW')) {
      const known = { autocommit: 'ON', character_set_client: 'utf8mb4', ...settings };
      return [Object.entries(known).map(([Variable_name, Value]) => ({ Variable_name, Value }))];
    }
    const words = [...left.keys()].find((one) => sql.startsWith(one));
    calls.push(words ?? sql);
    values.push(given);
    const list = left.get(words ?? '') ?? [];
    const next: unknown = list.length > 1 ? list.shift() : list[0];
    if (next instanceof Error) throw next;
    return [next ?? { affectedRows: 0, insertId: 0 }];
  };
  const statements = {
    query: ({ sql }: { sql: string }) => answer(sql),
    execute: ({ sql }: { sql: string }, given: MysqlValue[]) => answer(sql, given),
  };
  const connection: MysqlConnection = {
    ...statements,
    release: () => void calls.push('release'),
    destroy: () => void calls.push('destroy'),
  };
  return { pool: { ...statements, getConnection: async () => connection }, calls, values };
}
