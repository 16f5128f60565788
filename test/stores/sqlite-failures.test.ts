import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sqliteLedger, type SqliteDatabase } from '../../src/sqlite.ts';
import { openSqlite } from '../../src/stores/sqlite/open.ts';
import { checkpoint, record } from './support/records.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

async function fileIn(name: string): Promise<string> {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  return join(path, name);
}

describe('a SQLite ledger that is closed', () => {
  const closed = {
    code: 'ledger_unavailable',
    reason: 'closed',
    message: expect.stringContaining('it was closed') as string,
  };

  it('every method of a closed ledger fails with the reason', async () => {
    const store = sqliteLedger({ path: await fileIn('ledger.db') });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await store.close();
    for (const work of [store.checkpoint('session-1'), store.read('session-1'), store.delete('session-1')])
      await expect(work).rejects.toMatchObject(closed);
  });

  it('an append that waits for another writer fails when the ledger is closed', async () => {
    const path = await fileIn('ledger.db');
    const store = sqliteLedger({ path });
    await store.checkpoint('session-1');
    const other = await openSqlite(path);
    other.exec('BEGIN IMMEDIATE');
    const append = store
      .append('session-1', [record('one')], checkpoint(1), 0)
      .catch((error: unknown) => error);
    // Until the append has met the other writer.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await store.close();
    other.exec('COMMIT');
    expect(await append).toMatchObject(closed);
    other.close();
    const next = sqliteLedger({ path });
    expect(await next.checkpoint('session-1')).toBeUndefined();
    await next.close();
  });
});

it('a ledger whose log cannot be emptied, as on a full disk, says so and closes its file all the same', async () => {
  const store = sqliteLedger({ path: await fileIn('ledger.db') });
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  const driver = await openSqlite(':memory:');
  driver.close();
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  const prototype = Object.getPrototypeOf(driver) as typeof driver;
  const closing = vi.spyOn(prototype, 'close');
  const preparing = vi.spyOn(prototype, 'prepare').mockImplementation(() => {
    throw full;
  });
  onTestFinished(() => {
    closing.mockRestore();
    preparing.mockRestore();
  });
  await expect(store.close()).rejects.toBe(full);
  expect(closing).toHaveBeenCalledTimes(1);
});

it('a process that opens the file reads while another one writes', async () => {
  const path = await fileIn('ledger.db');
  const store = sqliteLedger({ path });
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  const other = await openSqlite(path);
  other.exec('BEGIN IMMEDIATE');
  const opened = sqliteLedger({ path, busyTimeout: 0 });
  expect(await opened.read('session-1')).toEqual({ records: [record('one')] });
  other.exec('COMMIT');
  other.close();
  await Promise.all([opened.close(), store.close()]);
});

describe('a SQLite ledger that cannot be opened', () => {
  it('a file that is no database is reported, and opened again later', async () => {
    const path = await fileIn('notes.txt');
    writeFileSync(path, 'no database, but some notes that somebody has taken'.repeat(100));
    const store = sqliteLedger({ path });
    await expect(store.checkpoint('session-1')).rejects.toThrow(/not a database/);
    writeFileSync(path, '');
    expect(await store.checkpoint('session-1')).toBeUndefined();
    await store.close();
  });

  it('the error of a given database is passed on', async () => {
    const failure = new Error('The owner has closed it');
    const fail = (): never => {
      throw failure;
    };
    const database: SqliteDatabase = { exec: fail, prepare: fail };
    await expect(sqliteLedger({ database }).checkpoint('session-1')).rejects.toBe(failure);
  });

  it('a reader names the file that is missing, with the cause, or that holds no ledger', async () => {
    const path = await fileIn('ledger.db');
    const reader = sqliteLedger({ path, readOnly: true });
    await expect(reader.checkpoint('session-1')).rejects.toMatchObject({
      reason: 'not_found',
      cause: { code: 'ENOENT' },
    });
    (await openSqlite(path)).close();
    await expect(reader.checkpoint('session-1')).rejects.toThrow(`the file '${path}' holds no ledger`);
    await reader.close();
  });
});
