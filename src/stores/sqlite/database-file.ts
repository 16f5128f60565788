import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The path of a database's file; undefined for one in memory. @param name a path or a `file:` URL, as SQLite takes it. */
export function databaseFile(name: string): string | undefined {
  if (name === '' || name === ':memory:') return undefined;
  if (!name.startsWith('file:')) return name;
  try {
    const url = new URL(name, pathToFileURL('./'));
    const isMemory = url.searchParams.get('mode') === 'memory' || name.startsWith('file::memory:');
    return isMemory ? undefined : fileURLToPath(`file://${url.pathname}`);
  } catch {
    return undefined;
  }
}

/** The name of the same database, whichever folder the process goes to later. */
export function absoluteName(name: string): string {
  if (databaseFile(name) === undefined) return name;
  return name.startsWith('file:') ? new URL(name, pathToFileURL('./')).href : resolve(name);
}

/** Which file stands at a path now: another value once it was deleted or replaced, while the former one is open. */
export function fileAt(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

/** A file that was found: where, and which one it was. */
export interface FoundFile {
  readonly path: string;
  readonly file: string;
}

/** The write-ahead log of an open database and its index: SQLite keeps them beside the file itself, not beside a link to it. */
export function logFiles(path: string | undefined): FoundFile[] {
  if (path === undefined || !existsSync(path)) return [];
  const real = realpathSync(path);
  return [`${real}-wal`, `${real}-shm`].flatMap((name) => {
    const file = fileAt(name);
    return file === undefined ? [] : [{ path: name, file }];
  });
}

/** Only the owner may read conversations. */
const OWNER_ONLY = 0o600;

/** A URL that wants a file to be there. */
const DOES_NOT_CREATE = /^file:[^#]*[?&]mode=(?:ro|rw)(?:[&#]|$)/;

/**
 * Makes sure that a database is in a file which its owner alone may read: creates an empty one where there is none, also
 * behind a symbolic link. A file that is there keeps its mode; SQLite gives the same to the log and the journal beside it.
 *
 * A file that is there is not opened, and a new one has its name only once it is closed: closing a file ends every lock that this
 * process has on it, in other threads, too. Another process would then delete the write-ahead log of the connections open here.
 *
 * @param name a path or a `file:` URL, as SQLite takes it.
 */
export function createPrivateFile(name: string): void {
  const path = databaseFile(name);
  if (path === undefined || DOES_NOT_CREATE.test(name) || existsSync(path)) return;
  try {
    const place = placeOf(path);
    const draft = `${place}.${randomUUID()}`;
    closeSync(openSync(draft, 'wx', OWNER_ONLY));
    try {
      linkSync(draft, place);
    } catch {
      // It is there, or the file system has no hard links.
      if (!existsSync(place)) renameSync(draft, place);
    } finally {
      rmSync(draft, { force: true });
    }
  } catch {
    // The driver reports a file that cannot be created.
  }
}

/** Where a missing file is created: behind the symbolic links to it. */
function placeOf(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return path;
  return placeOf(resolve(realpathSync(dirname(path)), readlinkSync(path)));
}
