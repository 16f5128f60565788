import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  absoluteName,
  createPrivateFile,
  databaseFile,
  fileAt,
} from '../../src/stores/sqlite/database-file.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  return path;
}

describe('databaseFile', () => {
  it.for([
    ['', undefined],
    [':memory:', undefined],
    ['file::memory:', undefined],
    ['file::memory:?cache=shared', undefined],
    ['file:shared?mode=memory&cache=shared', undefined],
    ['file://%zz', undefined],
    ['ledger.db', 'ledger.db'],
    ['my file: a.db', 'my file: a.db'],
    ['/data/ledger.db', '/data/ledger.db'],
    ['file:///data/a%20b.db?mode=ro', '/data/a b.db'],
    ['file:/data/ledger.db#part', '/data/ledger.db'],
    ['file:ledger.db', resolve('ledger.db')],
    ['file:data/ledger.db?cache=private', resolve('data/ledger.db')],
  ] as const)('the database %o is in the file %o', ([name, path]) => {
    expect(databaseFile(name)).toBe(path);
  });
});

describe('absoluteName', () => {
  it.for([
    [':memory:', ':memory:'],
    ['file::memory:?cache=shared', 'file::memory:?cache=shared'],
    ['/data/ledger.db', '/data/ledger.db'],
    ['data/ledger.db', resolve('data/ledger.db')],
    ['file:/data/a%20b.db?mode=ro', 'file:///data/a%20b.db?mode=ro'],
    ['file:ledger.db?mode=ro', `${pathToFileURL('ledger.db').href}?mode=ro`],
  ] as const)('the database %o is %o in every folder', ([name, absolute]) => {
    expect(absoluteName(name)).toBe(absolute);
  });
});

describe('createPrivateFile', () => {
  it.for(['', '?cache=private', '?mode=rwc', '?cache=private#?mode=ro', '#mode=rw', '?model=ro&mode=row'])(
    'a file is created for a URL that ends with %o',
    async (end) => {
      const path = await folder();
      createPrivateFile(`${pathToFileURL(join(path, 'a b.db')).href}${end}`);
      expect(await readdir(path)).toEqual(['a b.db']);
    },
  );

  it.for([
    '?mode=ro',
    '?mode=rw',
    '?cache=private&mode=ro',
    '?mode=rw&cache=private',
    '?mode=ro#part',
    '?mode=memory',
  ])('no file is created for a URL that ends with %o', async (end) => {
    const path = await folder();
    createPrivateFile(`${pathToFileURL(join(path, 'a.db')).href}${end}`);
    expect(await readdir(path)).toEqual([]);
  });

  it('a path is taken as it is, even if it looks like the end of a URL', async () => {
    const path = await folder();
    mkdirSync(join(path, 'file:x?mode=ro'));
    createPrivateFile(join(path, 'file:x?mode=ro', 'a.db'));
    expect(existsSync(join(path, 'file:x?mode=ro', 'a.db'))).toBe(true);
  });

  it('no file is created for a database in memory, nor in a folder that is not there', async () => {
    const path = await folder();
    for (const name of ['', ':memory:', 'file::memory:', join(path, 'none', 'a.db')]) createPrivateFile(name);
    expect(await readdir(path)).toEqual([]);
    expect(existsSync(':memory:')).toBe(false);
  });
});

describe('fileAt', () => {
  it('a file that takes the place of another one is another file', async () => {
    const path = await folder();
    const [first, second] = [join(path, 'a.db'), join(path, 'b.db')];
    expect([fileAt(first), fileAt(undefined)]).toEqual([undefined, undefined]);
    for (const file of [first, second]) writeFileSync(file, '');
    const files = [first, second, first].map((file) => fileAt(file));
    expect(files).toEqual([expect.stringMatching(/^\d+:\d+$/), expect.any(String), files[0]]);
    expect(files[1]).not.toBe(files[0]);
    rmSync(first);
    expect(fileAt(first)).toBeUndefined();
  });
});
