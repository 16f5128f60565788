import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LedgerUnavailableError } from '../../src/errors/ledger.ts';
import type { ModuleLoader } from '../../src/stores/shared/import-driver.ts';
import { configureSqlite, openSqlite, openSqliteReadOnly } from '../../src/stores/sqlite/open.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** Has the modules given, each a driver that works, or one that cannot load its binary. */
function loader(modules: Record<string, 'works' | 'lacks its binary'>): {
  load: ModuleLoader;
  used: string[];
} {
  const used: string[] = [];
  const load: ModuleLoader = async (name) => {
    const state = modules[name];
    if (state === undefined)
      throw Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' });
    const Driver = class extends Libsql {
      constructor(path: string) {
        if (state === 'lacks its binary') throw new Error('Could not locate the bindings file');
        super(path);
        used.push(`${name} ${path}`);
      }
    };
    return name === 'node:sqlite' ? { DatabaseSync: Driver } : { default: Driver };
  };
  return { load, used };
}

describe('Opening a SQLite file', () => {
  it.for([
    ['node:sqlite', { 'node:sqlite': 'works', libsql: 'works', 'better-sqlite3': 'works' }],
    ['libsql', { libsql: 'works', 'better-sqlite3': 'works' }],
    ['libsql', { 'node:sqlite': 'lacks its binary', libsql: 'works' }],
    ['better-sqlite3', { 'better-sqlite3': 'works' }],
    ['better-sqlite3', { libsql: 'lacks its binary', 'better-sqlite3': 'works' }],
  ] as const)('openSqlite takes %s of %o', async ([driver, modules]) => {
    const { load, used } = loader(modules);
    const database = await openSqlite(':memory:', load);
    expect(database.prepare('SELECT 1 AS one').get()).toMatchObject({ one: 1 });
    database.close();
    expect(new Set(used)).toEqual(new Set([`${driver} :memory:`]));
  });

  it('openSqlite says what to install when no driver is installed, and why each was not taken', async () => {
    const { load } = loader({});
    const error: unknown = await openSqlite('ledger.db', load).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LedgerUnavailableError);
    expect(error).toMatchObject({ code: 'ledger_unavailable', reason: 'no_driver' });
    expect(String(error)).toMatch(
      /node:sqlite.*libsql.*better-sqlite3' is installed; run npm install libsql/s,
    );
    const { cause } = error as { cause: AggregateError };
    expect(cause.message).toBe('No SQLite driver could be loaded');
    expect(cause.errors.map(String)).toEqual([
      "Error: Cannot find package 'node:sqlite'",
      "Error: Cannot find package 'libsql'",
      "Error: Cannot find package 'better-sqlite3'",
    ]);
    expect(existsSync('ledger.db')).toBe(false);
  });

  it('openSqlite names an installed driver that could not be loaded, and the reason', async () => {
    const { load } = loader({ libsql: 'lacks its binary', 'better-sqlite3': 'lacks its binary' });
    const error: unknown = await openSqlite('ledger.db', load).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ledger_unavailable', reason: 'driver_failed' });
    expect(String(error)).toContain(
      "'libsql' could not be loaded (Could not locate the bindings file), 'better-sqlite3' could not be loaded (Could not locate the bindings file); run npm rebuild libsql",
    );
    expect((error as { cause: AggregateError }).cause.errors).toHaveLength(3);
  });

  it("openSqlite passes on the driver's error when the file cannot be opened, and tries no other", async () => {
    const { load, used } = loader({ libsql: 'works', 'better-sqlite3': 'works' });
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    await expect(openSqlite(join(folder.path, 'absent', 'ledger.db'), load)).rejects.toThrow(
      /Unable to open/,
    );
    expect(used).toEqual(['libsql :memory:']);
  });

  it('openSqlite finds a driver of this machine by itself', async () => {
    const database = await openSqlite(':memory:');
    expect(database.prepare('SELECT 1 AS one').get()).toMatchObject({ one: 1 });
    database.close();
  });

  it('openSqlite makes commits durable, waits nowhere inside of SQLite, and wipes what is deleted', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const database = await openSqlite(join(folder.path, 'ledger.db'));
    onTestFinished(() => {
      database.close();
    });
    configureSqlite(database);
    const pragma = (name: string): unknown => {
      const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, unknown>;
      return Object.values(row)[0];
    };
    expect(['journal_mode', 'synchronous', 'busy_timeout', 'secure_delete'].map(pragma)).toEqual([
      'wal',
      2,
      0,
      1,
    ]);
  });
});

describe('opening a SQLite file in order to look at it', () => {
  it('openSqliteReadOnly waits nowhere inside of SQLite, and lets nothing be written', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'ledger.db');
    const written = await openSqlite(path);
    written.exec('CREATE TABLE hybrid_session_ledger (session TEXT)');
    written.close();
    const database = await openSqliteReadOnly(path, 0);
    onTestFinished(() => {
      database.close();
    });
    const values = ['busy_timeout', 'query_only'].map(
      (name) => Object.values(database.prepare(`PRAGMA ${name}`).get() as Record<string, unknown>)[0],
    );
    expect(values).toEqual([0, 1]);
    expect(() => database.exec('CREATE TABLE other (one TEXT)')).toThrow(/readonly|read-only/i);
  });

  it('openSqliteReadOnly sees what another process writes meanwhile', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'ledger.db');
    const written = await openSqlite(path);
    written.exec('CREATE TABLE hybrid_session_ledger (session TEXT)');
    const database = await openSqliteReadOnly(path, 0);
    onTestFinished(() => {
      database.close();
    });
    const count = (): unknown =>
      database.prepare('SELECT count(*) AS count FROM hybrid_session_ledger').get();
    expect(count()).toMatchObject({ count: 0 });
    written.exec("INSERT INTO hybrid_session_ledger VALUES ('session-1')");
    written.close();
    expect(count()).toMatchObject({ count: 1 });
  });

  it('openSqliteReadOnly names a file that is missing, and one without a ledger', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'ledger.db');
    await expect(openSqliteReadOnly(path, 0)).rejects.toMatchObject({
      reason: 'not_found',
      message: expect.stringContaining(`there is no file '${path}'`),
    });
    (await openSqlite(path)).close();
    await expect(openSqliteReadOnly(path, 0)).rejects.toMatchObject({ reason: 'not_found' });
  });
});
