import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { copyFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { sqliteLedger, type SqliteLedger } from '../../src/sqlite.ts';
import { createPrivateFile } from '../../src/stores/sqlite/database-file.ts';
import { checkpoint, record } from './support/records.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** What any program does with a database: it opens, reads and closes it. */
const PROGRAM = `
  const Database = require('libsql');
  const database = new Database(process.argv[1]);
  for (const sql of process.argv.slice(2)) database.exec(sql);
  const { records } = database.prepare('SELECT count(*) AS records FROM hybrid_session_ledger_record').get();
  database.close();
  console.log(records);
`;

/** How many records another process finds, after it has run statements. */
function recordsForOthers(path: string, ...statements: string[]): number {
  const args = ['-e', PROGRAM, path, ...statements];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' }));
}

/** Another process opens the file, and has it open until the end of the test. */
async function openInAnotherProcess(path: string): Promise<void> {
  const program = `${PROGRAM.replace('database.close();', '')} process.stdin.resume();`;
  const child = spawn(process.execPath, ['-e', program, path]);
  onTestFinished(async () => {
    child.kill();
    await once(child, 'exit');
  });
  await once(child.stdout, 'data');
}

async function filePath(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  return join(path, 'ledger.db');
}

function ledgerAt(path: string): SqliteLedger {
  const store = sqliteLedger({ path });
  onTestFinished(() => store.close());
  return store;
}

it('a SQLite ledger keeps its appends when its process opens the file twice and another process closes it', async () => {
  const path = await filePath();
  const first = ledgerAt(path);
  await first.append('session-1', [record('one')], checkpoint(1), 0);
  const second = ledgerAt(path);
  expect((await second.read('session-1')).records).toHaveLength(1);
  expect(recordsForOthers(path)).toBe(1);
  await first.append('session-1', [record('two')], checkpoint(2), 1);
  expect(recordsForOthers(path)).toBe(2);
  await second.append('session-1', [record('three')], checkpoint(3), 2);
  await second.close();
  expect(recordsForOthers(path)).toBe(3);
  expect((await first.read('session-1')).records).toHaveLength(3);
});

it('a SQLite ledger keeps its locks when another thread has not seen its new file and creates it, too', async () => {
  const path = await filePath();
  const store = ledgerAt(path);
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  const looking = vi.spyOn(fs, 'existsSync').mockReturnValueOnce(false);
  syncBuiltinESMExports();
  createPrivateFile(path);
  expect(looking).toHaveBeenCalledWith(path);
  looking.mockRestore();
  syncBuiltinESMExports();
  expect(recordsForOthers(path)).toBe(1);
  await store.append('session-1', [record('two')], checkpoint(2), 1);
  expect(recordsForOthers(path)).toBe(2);
});

it('a SQLite ledger acknowledges nothing into a deleted log, and what it has acknowledged stays', async () => {
  const path = await filePath();
  const store = ledgerAt(path);
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  // To close the copied file ends the locks of this process on it.
  await copyFile(path, `${path}.backup`);
  expect(recordsForOthers(path)).toBe(1);
  const lost = { code: 'ledger_unavailable', reason: 'log_deleted' };
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(store.append('session-1', [record('two')], checkpoint(2), 1)).rejects.toMatchObject(lost);
    await expect(store.read('session-1')).rejects.toMatchObject(lost);
  }
  await store.close();
  expect(recordsForOthers(path)).toBe(1);
});

it('a SQLite ledger behind a symbolic link notices a deleted log', async () => {
  const path = await filePath();
  const link = `${path}.link`;
  await symlink(path, link);
  const store = ledgerAt(link);
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  await copyFile(path, `${path}.backup`);
  expect(recordsForOthers(path)).toBe(1);
  const lost = { code: 'ledger_unavailable', reason: 'log_deleted' };
  await expect(store.append('session-1', [record('two')], checkpoint(2), 1)).rejects.toMatchObject(lost);
});

it.each([
  ['deleted', 0],
  ['replaced by an older one', 1],
] as const)(
  'a SQLite ledger does not take the log of a file that was %s for that of the present file',
  async (how, left) => {
    const path = await filePath();
    const store = ledgerAt(path);
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    recordsForOthers(path, `VACUUM INTO '${path}.backup'`);
    const records = Array.from({ length: 50 }, (_, index) => record(`${index} ${'long '.repeat(100)}`));
    await store.append('session-1', records, checkpoint(51), 1);
    expect(recordsForOthers(path, 'PRAGMA wal_checkpoint(TRUNCATE)')).toBe(51);
    await store.append('session-1', [record('newest')], checkpoint(52), 51);
    await openInAnotherProcess(path);
    await (how === 'deleted' ? rm(path) : rename(`${path}.backup`, path));
    expect((await store.read('session-1')).records).toHaveLength(left);
    await store.append('session-2', [record('new')], checkpoint(1), 0);
    expect(recordsForOthers(path)).toBe(left + 1);
  },
);

it('a SQLite ledger whose file is moved leaves in it what it has acknowledged', async () => {
  const path = await filePath();
  const store = ledgerAt(path);
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  await rename(path, `${path}.moved`);
  expect((await store.read('session-1')).records).toEqual([]);
  expect(recordsForOthers(`${path}.moved`)).toBe(1);
});

it('a SQLite ledger that only looks leaves the log of a replaced file alone', async () => {
  const path = await filePath();
  const store = ledgerAt(path);
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  const looking = sqliteLedger({ path, readOnly: true });
  onTestFinished(() => looking.close());
  expect((await looking.read('session-1')).records).toHaveLength(1);
  await rename(path, `${path}.moved`);
  await expect(looking.read('session-1')).rejects.toMatchObject({ reason: 'not_found' });
  expect(await readdir(dirname(path))).toContain('ledger.db-wal');
});

it('a SQLite ledger stays with its file when the process goes to another folder', async () => {
  const path = await filePath();
  const before = process.cwd();
  onTestFinished(() => process.chdir(before));
  process.chdir(dirname(path));
  const store = ledgerAt('ledger.db');
  process.chdir(before);
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  process.chdir(tmpdir());
  await store.append('session-1', [record('two')], checkpoint(2), 1);
  process.chdir(before);
  expect(recordsForOthers(path)).toBe(2);
});
