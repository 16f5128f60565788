import { execFileSync } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { sqliteLedger, type SqliteLedger } from '../../src/sqlite.ts';
import { checkpoint, record } from './support/records.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** What any program does with a database: it opens, reads and closes it. */
const PROGRAM = `
  const Database = require('libsql');
  const database = new Database(process.argv[1]);
  const { records } = database.prepare('SELECT count(*) AS records FROM hybrid_session_ledger_record').get();
  database.close();
  console.log(records);
`;

/** How many records another process finds. */
function recordsForOthers(path: string): number {
  return Number(execFileSync(process.execPath, ['-e', PROGRAM, path], { encoding: 'utf8', stdio: 'pipe' }));
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
