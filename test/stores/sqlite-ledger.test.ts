import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClient } from '@libsql/client';
import Libsql from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  SQLITE_LEDGER_SCHEMA,
  sqliteLedger,
  type SqliteDatabase,
  type SqliteLedger,
} from '../../src/sqlite.ts';
import { openSqlite } from '../../src/stores/sqlite/open.ts';
import type { OwnedSqliteDatabase } from '../../src/stores/sqlite/database.ts';
import { checkpoint, record } from './support/records.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

type ReopenableClass = new (path: string) => OwnedSqliteDatabase & { open(): void };

/** Part of Node since 22.13: its types are not those of the oldest Node that runs this. */
const nodeSqlite = 'node:sqlite';
const Reopenable = await import(nodeSqlite).then(
  (module: { readonly DatabaseSync: ReopenableClass }) => module.DatabaseSync,
  () => undefined,
);

interface Opened {
  readonly folder: string;
  readonly path: string;
  readonly store: SqliteLedger;
  /** A connection of somebody else to the same file. */
  readonly other: OwnedSqliteDatabase;
}

async function opened(options: { busyTimeout?: number } = {}): Promise<Opened> {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'ledger.db');
  const store = sqliteLedger({ path, ...options });
  await store.checkpoint('session-1');
  // By the same driver: two copies of SQLite in one process do not see each other's locks.
  const other = await openSqlite(path);
  onTestFinished(async () => {
    other.close();
    await store.close();
    await folder.remove();
  });
  return { folder: folder.path, path, store, other };
}

/** A read-only file system needs a mount of its own: root on Linux, in a container that may. */
const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}

/** The files in a folder that this process has open; none is known outside of Linux. */
function openFiles(folder: string): string[] {
  const descriptors = '/proc/self/fd';
  if (!existsSync(descriptors)) return [];
  return readdirSync(descriptors).flatMap((name) => {
    try {
      const path = readlinkSync(join(descriptors, name));
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Two records in a session. */
async function filled(): Promise<Opened> {
  const place = await opened();
  await place.store.append('session-1', [record('one'), record('two')], checkpoint(2), 0);
  return place;
}

describe('sqliteLedger', () => {
  it('a SQLite ledger takes a database of libsql as it is', async () => {
    const database: SqliteDatabase = new Libsql(':memory:');
    const store = sqliteLedger({ database });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await store.read('session-1')).toEqual({ records: [record('one')] });
  });

  it('a SQLite ledger takes a database that answers null where there is no row', async () => {
    const inner: SqliteDatabase = new Libsql(':memory:');
    const prepare: SqliteDatabase['prepare'] = (sql) => {
      const statement = inner.prepare(sql);
      return {
        run: (...values) => statement.run(...values),
        get: (...values) => statement.get(...values) ?? null,
        all: (...values) => statement.all(...values),
      };
    };
    const store = sqliteLedger({ database: { exec: (sql) => inner.exec(sql), prepare } });
    expect(await store.checkpoint('session-1')).toBeUndefined();
    await store.delete('session-1', 0);
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await store.read('session-1')).toEqual({ records: [record('one')] });
  });

  it('a SQLite ledger of a client of libsql waits for another writer, and reads the file of a path', async () => {
    const { path, store } = await filled();
    const client = createClient({ url: `file:${path}` });
    const other = new Libsql(path);
    onTestFinished(() => {
      client.close();
      other.close();
    });
    const patient = sqliteLedger({ database: client });
    other.exec('BEGIN IMMEDIATE');
    const impatient = sqliteLedger({ database: client, busyTimeout: 0 });
    const refused = impatient.append('session-1', [record('three')], checkpoint(3), 2);
    await expect(refused).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
    const append = patient.append('session-1', [record('three')], checkpoint(3), 2);
    expect(await patient.checkpoint('session-1')).toEqual(checkpoint(2));
    other.exec('ROLLBACK');
    await append;
    expect((await store.read('session-1')).records).toHaveLength(3);
    await patient.close();
    await expect(patient.read('session-1')).rejects.toMatchObject({ reason: 'closed' });
    await expect(patient.delete('session-1')).rejects.toMatchObject({ reason: 'closed' });
  });

  it.skipIf(Reopenable === undefined)(
    'a SQLite ledger goes on when its owner has opened the database again',
    async () => {
      const folder = await temporaryFolder();
      onTestFinished(folder.remove);
      if (Reopenable === undefined) return;
      const database = new Reopenable(join(folder.path, 'ledger.db'));
      const store = sqliteLedger({ database });
      await store.append('session-1', [record('one')], checkpoint(1), 0);
      await store.read('session-1');
      database.close();
      await expect(store.read('session-1')).rejects.toThrow('not open');
      database.open();
      await store.append('session-1', [record('two')], checkpoint(2), 1);
      expect(await store.read('session-1')).toEqual({ records: [record('one'), record('two')] });
      database.close();
    },
  );

  it('never closes a database that was given to it', async () => {
    const database = new Libsql(':memory:');
    const store = sqliteLedger({ database });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await store.close();
    await expect(store.checkpoint('session-1')).rejects.toMatchObject({
      code: 'ledger_unavailable',
      reason: 'closed',
    });
    expect(database.open).toBe(true);
    expect(await sqliteLedger({ database }).checkpoint('session-1')).toEqual(checkpoint(1));
  });

  it('a SQLite ledger opens no file before it is used', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const store = sqliteLedger({ path: join(folder.path, 'ledger.db') });
    expect(await readdir(folder.path)).toEqual([]);
    await store.close();
    await store.close();
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('only looks when it is told to', async () => {
    const { path } = await filled();
    const looking = sqliteLedger({ path, readOnly: true });
    onTestFinished(() => looking.close());
    expect(await looking.read('session-1')).toEqual({ records: [record('one'), record('two')] });
    await expect(looking.append('session-1', [record('three')], checkpoint(3), 2)).rejects.toThrow(
      /read.?only/i,
    );
    await expect(looking.delete('session-1')).rejects.toThrow(/read.?only/i);
    expect(await looking.checkpoint('session-1')).toEqual(checkpoint(2));
  });

  it.skipIf(!canMount)('a SQLite ledger looks at a file on a read-only file system', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const mount = (...args: string[]): unknown => execFileSync('mount', [...args, folder.path]);
    mount('-t', 'tmpfs', 'none');
    onTestFinished(() => void execFileSync('umount', ['-l', folder.path]));
    const path = join(folder.path, 'a ledger?.db');
    const store = sqliteLedger({ path });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await store.close();
    await collectGarbage();
    mount('-o', 'remount,ro');
    const looking = sqliteLedger({ path, readOnly: true });
    expect(await looking.read('session-1')).toEqual({ records: [record('one')] });
    await expect(looking.append('session-1', [record('two')], checkpoint(2), 1)).rejects.toThrow(
      /read.?only/i,
    );
    await looking.close();
    expect(await readdir(folder.path)).toEqual(['a ledger?.db']);
  });

  it('a SQLite ledger leaves nothing in the write-ahead log when it is closed, and lets go of its statements', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'ledger.db');
    const store = sqliteLedger({ path });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect((await stat(`${path}-wal`)).size).toBeGreaterThan(0);
    await store.close();
    const log = await stat(`${path}-wal`).catch(() => undefined);
    expect(log?.size ?? 0).toBe(0);
    // libsql closes the files when its statements are collected.
    await collectGarbage();
    expect(openFiles(folder.path)).toEqual([]);
    await expect(store.checkpoint('session-1')).rejects.toMatchObject({ reason: 'closed' });
  });

  it('a SQLite ledger makes no file and no table in order to look', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'ledger.db');
    const looking = sqliteLedger({ path, readOnly: true });
    await expect(looking.checkpoint('session-1')).rejects.toMatchObject({ reason: 'not_found' });
    expect(await readdir(folder.path)).toEqual([]);
    const database = await openSqlite(path);
    database.exec('CREATE TABLE mine (id INTEGER)');
    database.close();
    await expect(looking.checkpoint('session-1')).rejects.toMatchObject({ reason: 'not_found' });
    await looking.close();
  });

  it('a SQLite ledger opens the file again after it could not', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'later', 'ledger.db');
    const store = sqliteLedger({ path });
    await expect(store.checkpoint('session-1')).rejects.toThrow(/open/);
    await mkdir(join(folder.path, 'later'));
    expect(await store.checkpoint('session-1')).toBeUndefined();
    await store.close();
  });

  it('a SQLite ledger appends nothing when a record in the middle cannot be written', async () => {
    const { store, other } = await filled();
    other.exec(`CREATE TRIGGER fault BEFORE INSERT ON hybrid_session_ledger_record WHEN NEW.position = 3
      BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
    const append = (): Promise<void> =>
      store.append('session-1', [record('three'), record('four'), record('five')], checkpoint(5), 2);
    await expect(append()).rejects.toThrow('disk full');
    expect(await store.read('session-1')).toEqual({ records: [record('one'), record('two')] });
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
    other.exec('DROP TRIGGER fault');
    await append();
    expect((await store.read('session-1')).records).toHaveLength(5);
  });

  it('a SQLite ledger rewrites nothing when a record in the middle cannot be written', async () => {
    const { store, other } = await filled();
    other.exec(`CREATE TRIGGER fault BEFORE INSERT ON hybrid_session_ledger_record WHEN NEW.position = 4
      BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
    const rewrite = (): Promise<void> =>
      store.rewrite('session-1', [record('three'), record('four')], checkpoint(5), 2);
    await expect(rewrite()).rejects.toThrow('disk full');
    expect(await store.read('session-1')).toEqual({ records: [record('one'), record('two')] });
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
    other.exec('DROP TRIGGER fault');
    await rewrite();
    expect(await store.read('session-1')).toEqual({ start: 3, records: [record('three'), record('four')] });
  });

  it('a SQLite ledger reports a record that is missing behind a rewrite, also the first one', async () => {
    const { store, other } = await filled();
    await store.rewrite('session-1', [record('three'), record('four')], checkpoint(5), 2);
    other.exec('DELETE FROM hybrid_session_ledger_record WHERE position = 3');
    await expect(store.read('session-1')).rejects.toMatchObject({ code: 'ledger_unreadable', position: 3 });
    other.exec('DELETE FROM hybrid_session_ledger_record WHERE position = 2');
    await expect(store.read('session-1')).rejects.toMatchObject({ code: 'ledger_unreadable', position: 0 });
  });

  it('a SQLite ledger waits for another writer without holding up the event loop', async () => {
    const { store, other } = await filled();
    other.exec('BEGIN IMMEDIATE');
    const append = store.append('session-1', [record('three')], checkpoint(3), 2);
    // Reading goes on while somebody writes.
    expect((await store.read('session-1')).records).toHaveLength(2);
    other.exec('COMMIT');
    await append;
    expect((await store.read('session-1')).records).toHaveLength(3);
  });

  it("a SQLite ledger passes on the driver's error when the other writer does not end in time", async () => {
    const { store, other } = await opened({ busyTimeout: 30 });
    other.exec('BEGIN IMMEDIATE');
    const append = store.append('session-1', [record('one')], checkpoint(1), 0);
    await expect(append).rejects.toMatchObject({ message: expect.stringContaining('locked') });
    other.exec('ROLLBACK');
    await store.append('session-1', [record('one')], checkpoint(1), 0);
  });

  it("sqliteLedger does not touch a transaction of the database's owner", async () => {
    const { store, other } = await filled();
    const shared = sqliteLedger({ database: other });
    other.exec('CREATE TABLE mine (value TEXT)');
    other.exec('BEGIN');
    other.exec("INSERT INTO mine VALUES ('kept')");
    await expect(shared.append('session-1', [record('three')], checkpoint(3), 2)).rejects.toThrow(
      /transaction/,
    );
    other.exec('COMMIT');
    expect(other.prepare('SELECT value FROM mine').all()).toEqual([{ value: 'kept' }]);
    expect((await store.read('session-1')).records).toHaveLength(2);
  });

  it('a SQLite ledger uses tables that were created beforehand', async () => {
    const database = new Libsql(':memory:');
    database.exec(SQLITE_LEDGER_SCHEMA);
    const store = sqliteLedger({ database });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(1));
  });

  it('a SQLite ledger lets old sessions be deleted in one statement', async () => {
    const { store, other } = await filled();
    const before = Math.floor(Date.now() / 1000) - 60;
    other.prepare('DELETE FROM hybrid_session_ledger WHERE updated < ?').run(before);
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
    other.prepare('DELETE FROM hybrid_session_ledger WHERE updated < ?').run(before + 3600);
    expect(await store.read('session-1')).toEqual({ records: [] });
    expect(other.prepare('SELECT count(*) AS count FROM hybrid_session_ledger_record').get()).toMatchObject({
      count: 0,
    });
  });

  it('a SQLite ledger leaves no byte of a deleted session in the file', async () => {
    const { store, folder } = await opened();
    const secrets = Array.from({ length: 50 }, (_, index) => `secret-${index}-${'x'.repeat(index * 100)}`);
    await store.append('session-1', secrets.map(record), checkpoint(50), 0);
    await store.append('session-2', [record('kept')], checkpoint(1), 0);
    expect(await filesWith(folder, 'secret-')).not.toEqual([]);
    await store.delete('session-1');
    expect(await filesWith(folder, 'secret-')).toEqual([]);
    expect(await filesWith(folder, 'session-1')).toEqual([]);
    expect(await filesWith(folder, 'kept')).not.toEqual([]);
  });

  it.for([
    ['is not JSON', `'{"v":1,"commit":"secret'`, 'it is not JSON'],
    ['is no object', `'"secret"'`, 'it is not a JSON object'],
    ['is not text', `X'7B7D'`, 'it is not text'],
  ] as const)(
    'a SQLite ledger reports a record that %s by session and position',
    async ([, text, problem]) => {
      const { store, other } = await filled();
      other.exec(`UPDATE hybrid_session_ledger_record SET record = ${text} WHERE position = 1`);
      const error: unknown = await store.read('session-1').catch((caught: unknown) => caught);
      const message = `Cannot read record 1 of the ledger of 'session-1': ${problem}`;
      expect(error).toMatchObject({
        code: 'ledger_unreadable',
        reason: 'damaged',
        sessionId: 'session-1',
        position: 1,
        message,
      });
      expect(error).not.toHaveProperty('cause');
      expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
    },
  );

  it('a SQLite ledger reports a record that is missing', async () => {
    const { store, other } = await filled();
    await store.append('session-1', [record('three')], checkpoint(3), 2);
    other.exec('DELETE FROM hybrid_session_ledger_record WHERE position = 1');
    await expect(store.read('session-1')).rejects.toMatchObject({ code: 'ledger_unreadable', position: 1 });
    expect(await store.read('session-1', 2)).toEqual({ records: [record('three')] });
    other.exec('DELETE FROM hybrid_session_ledger_record WHERE position = 2');
    await expect(store.read('session-1', 2)).rejects.toMatchObject({
      code: 'ledger_unreadable',
      position: 2,
    });
  });

  it('a SQLite ledger reports a checkpoint that is damaged', async () => {
    const { store, other } = await filled();
    other.exec(`UPDATE hybrid_session_ledger SET head = '{"format":3}'`);
    await expect(store.checkpoint('session-1')).rejects.toMatchObject({
      code: 'ledger_unreadable',
      reason: 'damaged',
    });
  });

  it('a SQLite ledger leaves alone what a newer version of this package has written', async () => {
    const { store, other } = await filled();
    other.exec('UPDATE hybrid_session_ledger SET format = 2');
    const newer = { code: 'ledger_unreadable', reason: 'newer_format', sessionId: 'session-1' };
    await expect(store.checkpoint('session-1')).rejects.toMatchObject(newer);
    await expect(store.read('session-1')).rejects.toMatchObject(newer);
    await expect(store.append('session-1', [record('three')], checkpoint(3), 2)).rejects.toMatchObject(newer);
  });

  it.each(['deleted', 'replaced by an older one'])(
    'a SQLite ledger acknowledges nothing into a file that was %s, and goes on with the one that is there',
    async (how) => {
      const { path, store, other, folder } = await filled();
      other.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      await copyFile(path, join(folder, 'backup.db'));
      await store.append('session-1', [record('three')], checkpoint(3), 2);
      for (const end of ['', '-wal', '-shm']) await rm(`${path}${end}`, { force: true });
      if (how !== 'deleted') await rename(join(folder, 'backup.db'), path);
      const left = how === 'deleted' ? 0 : 2;
      await expect(store.append('session-1', [record('four')], checkpoint(4), 3)).rejects.toMatchObject({
        code: 'ledger_conflict',
        actual: left,
      });
      expect((await store.read('session-1')).records).toHaveLength(left);
      await store.append('session-1', [record('new')], checkpoint(left + 1), left);
      const another = sqliteLedger({ path });
      onTestFinished(() => another.close());
      expect((await another.read('session-1')).records).toHaveLength(left + 1);
    },
  );

  it('only looks into the file that is there', async () => {
    const { path, store } = await filled();
    const looking = sqliteLedger({ path, readOnly: true });
    onTestFinished(() => looking.close());
    expect((await looking.read('session-1')).records).toHaveLength(2);
    for (const end of ['', '-wal', '-shm']) await rm(`${path}${end}`, { force: true });
    await expect(looking.read('session-1')).rejects.toMatchObject({
      code: 'ledger_unavailable',
      reason: 'not_found',
    });
    await store.close();
  });

  it.for([
    [{}, 'path', "give either 'path' or 'database'"],
    [{ path: 'a.db', database: new Libsql(':memory:') }, 'path', "give either 'path' or 'database'"],
    [{ path: '' }, 'path', 'must not be empty'],
    [{ database: {} }, 'database', "must be a database of 'node:sqlite'"],
    [
      { database: { exec: () => undefined, prepare: () => undefined, batch: () => undefined } },
      'database',
      "a D1 database is for d1Ledger() of 'agents-hybrid-session/d1'",
    ],
    [{ database: new Libsql(':memory:'), readOnly: true }, 'readOnly', "belongs to 'path'"],
    [{ path: 'a.db', busyTimeout: -1 }, 'busyTimeout', '>=0'],
    [{ path: 'a.db', file: 'b.db' }, 'file', 'is not known'],
  ] as const)('a SQLite ledger refuses the options %o', ([options, option, problem]) => {
    const create = (): unknown => sqliteLedger(options as { path: string });
    expect(create).toThrow(expect.objectContaining({ code: 'invalid_options', option }));
    expect(create).toThrow(`Cannot create the SQLite ledger: option '${option}'`);
    expect(create).toThrow(problem);
  });
});

/** The files in which a text can be found. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const names = await readdir(folder);
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return names.filter((_, index) => contents[index]?.includes(text) === true);
}
