import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteLedger, type SqliteLedger } from '../../src/sqlite.ts';
import { createPrivateFile } from '../../src/stores/sqlite/database-file.ts';
import { checkpoint, record } from './support/records.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** A folder in which files are created as the usual `umask` of 022 says: readable by everybody. */
async function openFolder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  const before = process.umask(0o022);
  onTestFinished(async () => {
    process.umask(before);
    await remove();
  });
  return path;
}

const modesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
  );

/** A ledger with something in it, still open: its log is there. */
async function written(path: string): Promise<SqliteLedger> {
  const store = sqliteLedger({ path });
  onTestFinished(() => store.close());
  await store.append('session-1', [record('one')], checkpoint(1), 0);
  return store;
}

describe('the file of a SQLite ledger', () => {
  it('the file of a SQLite ledger and its companions are readable by the owner alone', async () => {
    const folder = await openFolder();
    await written(join(folder, 'ledger.db'));
    expect(modesIn(folder)).toEqual({ 'ledger.db': '600', 'ledger.db-shm': '600', 'ledger.db-wal': '600' });
  });

  it('the file of a SQLite ledger is private behind an existing link', async () => {
    const folder = await openFolder();
    symlinkSync(join(folder, 'real.db'), join(folder, 'link.db'));
    await written(join(folder, 'link.db'));
    const modes = modesIn(folder);
    expect([modes['real.db'], modes['link.db']]).toEqual(['600', '600']);
    expect(new Set(Object.values(modes))).toEqual(new Set(['600']));
  });

  it('the file of a SQLite ledger is created at the end of a chain of links, and nowhere for a circle', async () => {
    const folder = await openFolder();
    symlinkSync('second.db', join(folder, 'first.db'));
    symlinkSync(join(folder, 'real.db'), join(folder, 'second.db'));
    createPrivateFile(join(folder, 'first.db'));
    expect(modesIn(folder)).toEqual({ 'first.db': '600', 'real.db': '600', 'second.db': '600' });
    symlinkSync('circle.db', join(folder, 'circle.db'));
    createPrivateFile(join(folder, 'circle.db'));
    expect(readdirSync(folder).toSorted()).toEqual(['circle.db', 'first.db', 'real.db', 'second.db']);
  });

  it('the file of a SQLite ledger keeps its mode when it is there', async () => {
    const folder = await openFolder();
    writeFileSync(join(folder, 'ledger.db'), '', { mode: 0o640 });
    await written(join(folder, 'ledger.db'));
    expect(modesIn(folder)).toEqual({ 'ledger.db': '640', 'ledger.db-shm': '640', 'ledger.db-wal': '640' });
  });

  it('the file of a SQLite ledger is created at its URL, and none for a database in memory', async () => {
    const folder = await openFolder();
    createPrivateFile(`${pathToFileURL(join(folder, 'a b.db')).href}?cache=private`);
    for (const name of ['', ':memory:', 'file::memory:', 'file:x?mode=memory', `file:${folder}/c.db?mode=ro`])
      createPrivateFile(name);
    createPrivateFile(join(folder, 'no', 'such', 'folder.db'));
    expect(modesIn(folder)).toEqual({ 'a b.db': '600' });
    expect(spawnSync('ls', [':memory:']).status).not.toBe(0);
  });
});
