import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type Client } from '@libsql/client';
import { createPool } from 'mysql2/promise';
import { Pool } from 'pg';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  HybridSession,
  InvalidOptionsError,
  LEDGER_FORMS,
  ledgerFrom,
  LedgerUnavailableError,
  type LocatedLedger,
} from '../../../src/index.ts';
import { clock } from '../../../src/util/clock.ts';
import { texts, user } from '../../support/conversation.ts';
import { simulated } from '../../support/simulated.ts';
import { mysqlTable, mysqlUrl, quotedName } from '../support/mysql-engines.ts';
import { postgresUrl, tableName } from '../support/postgres-engines.ts';
import { redisPrefix, redisUrl } from '../support/redis-engine.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The options that the drivers get. */
function watchedDrivers() {
  const made: object[] = [];
  const clients = { connected: 0, failures: 0, silences: 0, closed: 0 };
  const client = {
    on: () => client,
    connect: async () => {
      if (clients.failures-- > 0) throw new Error('ECONNREFUSED');
      if (clients.silences-- > 0) await new Promise(() => undefined);
      clients.connected += 1;
    },
    destroy: () => void (clients.closed += 1),
    del: async () => 0,
    eval: async () => null,
    evalSha: async () => null,
  };
  class WatchedPool {
    constructor(options: object) {
      made.push(options);
    }
    on(): this {
      return this;
    }
    async query(): Promise<{ rows: unknown[] }> {
      return { rows: [] };
    }
    async end(): Promise<void> {
      clients.closed += 1;
    }
  }
  class WatchedMysqlPool {
    constructor(options: object) {
      made.push(options);
    }
    async query(): Promise<unknown[]> {
      return [[]];
    }
    async execute(): Promise<unknown[]> {
      return [[]];
    }
    async getConnection(): Promise<never> {
      throw new Error('ECONNREFUSED');
    }
    async end(): Promise<void> {
      clients.closed += 1;
    }
  }
  const load = async (name: string): Promise<unknown> =>
    name === 'pg'
      ? { default: { Pool: WatchedPool } }
      : name === 'mysql2'
        ? { default: { createPool: (options: object) => ({ promise: () => new WatchedMysqlPool(options) }) } }
        : {
            createClient: (options: object) => {
              made.push(options);
              return client;
            },
          };
  return { made, clients, load };
}

async function recorded(ledger: LocatedLedger): Promise<string[]> {
  const { client } = simulated();
  await new HybridSession({ client, ledger, sessionId: 'located' }).addItems([user('one')]);
  return texts(await new HybridSession({ client, ledger, sessionId: 'located' }).getItems());
}

describe('ledgerFrom()', () => {
  it('a path opens a SQLite file at first use, and close() ends its use', async () => {
    const made = await temporaryFolder();
    onTestFinished(() => made.remove());
    const path = join(made.path, 'sessions.db');
    const ledger = ledgerFrom(`sqlite:${path}`);
    expect(ledger.name).toBe(path);
    expect(existsSync(path)).toBe(false);
    expect(await recorded(ledger)).toEqual(['one']);
    await ledger.close();
    await expect(ledger.checkpoint('located')).rejects.toMatchObject({ reason: 'closed' });
    const reader = ledgerFrom(`sqlite:${path}`, { readOnly: true });
    const listed: string[] = [];
    for await (const { sessionId } of reader.sessions?.() ?? []) listed.push(sessionId);
    expect(listed).toEqual(['located']);
    await reader.close();
    const none = ledgerFrom(`sqlite:${path}.none`, { readOnly: true });
    await expect(none.checkpoint('located')).rejects.toMatchObject({ reason: 'not_found' });
  });

  it.each([
    ['sqlite:///var/lib/s.db', '/var/lib/s.db'],
    ['sqlite:C:\\s.db', 'C:\\s.db'],
    ['redis://host', 'redis://host'],
    ['redis:rediss://host', 'rediss://host'],
    ['redis:host:6379', 'redis://host:6379'],
    ['redis:redis://u:secret@host:7/2?prefix=a:', 'redis://host:7/2'],
    ['postgres://u:secret@h/db?table=a.b&sslmode=require', 'postgres://h/db'],
    ['postgres:postgresql://h/db', 'postgresql://h/db'],
    ['mysql://u:secret@h:7/db?table=a.b&charset=utf8mb4', 'mysql://h:7/db'],
    ['mysql:u:secret@h/db', 'mysql://h/db'],
    ['mysql:mariadb://h/db', 'mariadb://h/db'],
    ['mariadb://u:secret@h/db', 'mariadb://h/db'],
    ['libsql://h.turso.io?authToken=secret', 'libsql://h.turso.io'],
    ['libsql:https://h/db?authToken=secret', 'https://h/db'],
  ])('the name of %s is its place without a password', (location, name) => {
    expect(ledgerFrom(location).name).toBe(name);
  });

  it('a URL goes to the driver without the parameters of the store', async () => {
    const { made, load } = watchedDrivers();
    for (const location of [
      'redis://u:secret@host:7/2?prefix=a:',
      'postgres://u:secret@h/db?table=a.b&ssl=1',
      'mysql://u:secret@h/db?table=a.b&connectionLimit=2',
      'mariadb://u:secret@h/db',
      'libsql://h?authToken=secret',
    ])
      await ledgerFrom(location, { load })
        .checkpoint('s')
        .catch(() => undefined);
    expect(made).toMatchObject([
      { url: 'redis://u:secret@host:7/2' },
      { connectionString: 'postgres://u:secret@h/db?ssl=1' },
      { uri: 'mysql://u:secret@h/db?connectionLimit=2' },
      { uri: 'mariadb://u:secret@h/db' },
      { url: 'libsql://h?authToken=secret' },
    ]);
  });

  it('a connection that failed is tried again by the next call, and close() ends it', async () => {
    const { clients, load } = watchedDrivers();
    clients.failures = 1;
    const ledger = ledgerFrom('redis://host', { load });
    await expect(ledger.checkpoint('s')).rejects.toThrow('ECONNREFUSED');
    await Promise.all([ledger.checkpoint('s'), ledger.checkpoint('s')]);
    await ledger[Symbol.asyncDispose]();
    expect(clients).toMatchObject({ connected: 1, closed: 1 });
    await expect(ledger.checkpoint('s')).rejects.toThrow('it was closed');
  });

  it('a Redis server that takes a connection and says nothing is given up after 10 seconds', async () => {
    const { clients, load } = watchedDrivers();
    clients.silences = 1;
    const ledger = ledgerFrom('redis://host', { load });
    const after = vi.spyOn(clock, 'after').mockImplementationOnce((_milliseconds, callback) => {
      setImmediate(callback);
      return () => undefined;
    });
    onTestFinished(() => after.mockRestore());
    await expect(ledger.checkpoint('s')).rejects.toThrow('the server does not answer');
    expect(after.mock.calls[0]?.[0]).toBe(10_000);
    expect(clients).toMatchObject({ connected: 0, closed: 1 });
    await ledger.checkpoint('s');
    expect(clients).toMatchObject({ connected: 1 });
  });

  it('a libsql URL opens a ledger over the client of libsql, which close() closes, and readOnly creates no table', async () => {
    const made = await temporaryFolder();
    onTestFinished(() => made.remove());
    const file = `file:${join(made.path, 'sessions.db')}`;
    const clients: Client[] = [];
    const load = async (name: string): Promise<unknown> => {
      expect(name).toBe('@libsql/client');
      // A file stands for the server.
      return { createClient: () => clients[clients.push(createClient({ url: file })) - 1] };
    };
    const reader = ledgerFrom('libsql://h', { load, readOnly: true });
    await expect(reader.checkpoint('located')).rejects.toMatchObject({
      reason: 'not_found',
      message: expect.stringContaining('there is no ledger in the database at libsql://h') as string,
    });
    const ledger = ledgerFrom('libsql://h', { load });
    expect(await recorded(ledger)).toEqual(['one']);
    expect(await reader.checkpoint('located')).toBeDefined();
    await reader.delete('located');
    expect(await ledger.checkpoint('located')).toBeUndefined();
    await Promise.all([ledger.close(), reader.close()]);
    expect(clients.map(({ closed }) => closed)).toEqual([true, true]);
  });

  it('a libsql URL of a server that cannot be reached fails with the error of the client', async () => {
    const ledger = ledgerFrom('libsql:http://127.0.0.1:1/?authToken=secret');
    const failed = ledger.checkpoint('s');
    await expect(failed).rejects.toThrow(/./);
    await expect(failed).rejects.not.toThrow(/secret/);
    await ledger.close();
  });

  it('a driver that is not installed is named by the first call', async () => {
    const cause = Object.assign(new Error("Cannot find package 'redis' imported from app.js"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    const failed = ledgerFrom('redis://host', { load: async () => Promise.reject(cause) }).checkpoint('s');
    await expect(failed).rejects.toThrow(LedgerUnavailableError);
    await expect(failed).rejects.toThrow("the package 'redis' is needed for it and is not installed");
    await expect(failed).rejects.toMatchObject({ reason: 'no_driver', cause });
  });

  it.each([
    [new Error('invalid ELF header\nat load'), "'redis' could not be loaded (invalid ELF header);"],
    [
      Object.assign(new Error("Cannot find module 'yallist' from 'redis'"), { code: 'MODULE_NOT_FOUND' }),
      "'redis' could not be loaded (Cannot find module 'yallist' from 'redis');",
    ],
    [
      Object.assign(new Error('Cannot find module as expression is too dynamic'), {
        code: 'MODULE_NOT_FOUND',
      }),
      'exclude it from the bundle of the app',
    ],
  ])('a driver that could not be loaded is not taken for a missing one: %s', async (cause, problem) => {
    const failed = ledgerFrom('redis://host', { load: async () => Promise.reject(cause) }).checkpoint('s');
    await expect(failed).rejects.toThrow(problem);
    await expect(failed).rejects.toMatchObject({ reason: 'driver_failed', cause });
  });

  it.each([
    'mssql://u:secret@h',
    'mysql:',
    'mysql:postgres://u:secret@h',
    'mysql://h/db?secret=1',
    'mysql://h/db?dateStrings=secret',
    'sqlite:',
    'redis:',
    'postgres:mysql://u:secret@h',
    'libsql:file:secret.db',
    'secret.db',
    '',
  ])('the text %j is refused, and not repeated', (location) => {
    expect(() => ledgerFrom(location)).toThrow(InvalidOptionsError);
    expect(() => ledgerFrom(location)).not.toThrow('secret');
  });

  it('a location that is not a text, and wrong options, are refused', () => {
    expect(() => ledgerFrom(undefined as never)).toThrow(
      "option 'location' must be sqlite:PATH, redis:URL, postgres:URL, mysql:URL, mariadb:URL or libsql:URL",
    );
    expect(() => ledgerFrom('redis://h', { load: 'pg' as never })).toThrow("option 'load'");
  });

  it('each form that a help text shows is understood', () => {
    for (const { example } of LEDGER_FORMS) expect(ledgerFrom(example).name).not.toBe('');
  });
});

describe.skipIf(redisUrl === undefined)('a ledger of a Redis URL', () => {
  it('a Redis URL serves a session', async () => {
    const ledger = ledgerFrom(`${redisUrl ?? ''}?prefix=${redisPrefix()}`);
    expect(await recorded(ledger)).toEqual(['one']);
    await ledger.close();
  });
});

describe.skipIf(postgresUrl === undefined)('a ledger of a PostgreSQL URL', () => {
  it('a PostgreSQL URL serves a session', async () => {
    const table = tableName();
    const ledger = ledgerFrom(`${postgresUrl ?? ''}?table=${encodeURIComponent(table)}`);
    expect(await recorded(ledger)).toEqual(['one']);
    await ledger.close();
    const pool = new Pool({ connectionString: postgresUrl ?? '' });
    await pool.query(`DROP TABLE "${table}", "${table}_record"`);
    await pool.end();
  });
});

describe.skipIf(mysqlUrl === undefined)('a ledger of a MySQL URL', () => {
  it.each(['mysql', 'mariadb'])('a URL of %s serves a session', async (scheme) => {
    const table = mysqlTable();
    const url = (mysqlUrl ?? '').replace(/^mysql/, scheme);
    const ledger = ledgerFrom(`${url}?table=${encodeURIComponent(table)}`);
    expect(await recorded(ledger)).toEqual(['one']);
    await ledger.close();
    const pool = createPool(mysqlUrl ?? '');
    await pool.query(`DROP TABLE ${quotedName(`${table}_record`)}, ${quotedName(table)}`);
    await pool.end();
  });
});
