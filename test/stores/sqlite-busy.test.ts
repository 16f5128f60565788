import { describe, expect, it } from 'vitest';
import { emptied, whileBusy } from '../../src/stores/sqlite/busy.ts';
import type { SqliteDatabase } from '../../src/stores/sqlite/database.ts';

const errors = {
  libsql: Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY', rawCode: 5 }),
  'better-sqlite3': Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY_SNAPSHOT' }),
  'node:sqlite': Object.assign(new Error('database is locked'), { code: 'ERR_SQLITE_ERROR', errcode: 5 }),
  'node:sqlite in recovery': Object.assign(new Error('database is locked'), {
    code: 'ERR_SQLITE_ERROR',
    errcode: 5 + 256,
  }),
};

/** Fails `times` times, then gives the number of tries. */
function failing(times: number, error: unknown): () => number {
  let tries = 0;
  return () => {
    tries += 1;
    if (tries <= times) throw error;
    return tries;
  };
}

describe('Waiting for another writer of a SQLite file', () => {
  it.for(Object.entries(errors))(
    'a wait for another writer tries again as long as %s says that it is busy',
    async ([, error]) => {
      expect(await whileBusy(10_000, failing(3, error))).toBe(4);
    },
  );

  it('a wait for another writer passes the error on when its patience has ended', async () => {
    await expect(whileBusy(0, failing(1, errors.libsql))).rejects.toBe(errors.libsql);
  });

  it.for([
    Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 10 }),
    Object.assign(new Error('constraint'), { code: 'SQLITE_CONSTRAINT' }),
    new TypeError('The database connection is not open'),
    'database is locked',
  ])('a wait for another writer passes every other error on at once: %s', async (error) => {
    await expect(whileBusy(10_000, failing(1, error))).rejects.toBe(error);
  });

  it('a wait for another writer lets the event loop go on meanwhile', async () => {
    let busy = true;
    setImmediate(() => {
      busy = false;
    });
    const attempt = (): string => {
      if (busy) throw errors.libsql;
      return 'written';
    };
    expect(await whileBusy(10_000, attempt)).toBe('written');
  });
});

/** A database whose checkpoints of the log give these rows, or throw. */
function logging(...answers: unknown[]): { database: SqliteDatabase; asked: string[] } {
  const asked: string[] = [];
  const all = (): unknown[] => {
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer instanceof Error) throw answer;
    return [answer];
  };
  const prepare: SqliteDatabase['prepare'] = (sql) => {
    asked.push(sql);
    return { run: () => undefined, get: () => undefined, all };
  };
  return { database: { exec: () => undefined, prepare }, asked };
}

describe('Emptying the write-ahead log', () => {
  it('a log that no other connection reads is emptied', async () => {
    const { database, asked } = logging({ busy: 0 });
    expect(await emptied(database, 0)).toBe(true);
    expect(asked).toEqual(['PRAGMA wal_checkpoint(TRUNCATE)']);
  });

  it('a log that another connection reads for a while is emptied later', async () => {
    const { database, asked } = logging({ busy: 1 }, errors.libsql, { busy: 0n });
    expect(await emptied(database, 10_000)).toBe(true);
    expect(asked).toHaveLength(3);
  });

  it.for([{ busy: 1 }, { busy: 1n }, errors['node:sqlite']])(
    'a log that another connection reads all the time stays: %o',
    async (answer) => {
      expect(await emptied(logging(answer).database, 0)).toBe(false);
    },
  );

  it.for([
    Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_SHORT_READ' }),
    Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 522 }),
    Object.assign(new Error('database table is locked'), { code: 'SQLITE_LOCKED' }),
    Object.assign(new Error('database table is locked'), { code: 'ERR_SQLITE_ERROR', errcode: 6 }),
  ])(
    'a log that another connection empties in the same moment, or a statement reads, is emptied later: %o',
    async (error) => {
      const { database, asked } = logging(error, { busy: 0 });
      expect(await emptied(database, 10_000)).toBe(true);
      expect(asked).toHaveLength(2);
    },
  );

  it('a log that cannot be emptied for another reason is no log in use', async () => {
    const failure = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' });
    await expect(emptied(logging(failure).database, 10_000)).rejects.toBe(failure);
  });
});
