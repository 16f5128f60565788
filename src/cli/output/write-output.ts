import { randomUUID } from 'node:crypto';
import { open, readlink, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandError, type CliIo } from '../command.ts';

/** Conversations are private. */
const OWNER_ONLY = 0o600;

/** The limit of most systems. */
const MAX_SYMLINKS = 40;

/** Characters in one write. */
const BLOCK_LENGTH = 65_536;

/** Options of `writeOutput()`. */
export interface WriteOutputOptions {
  /** A file, or `-` for standard output. */
  readonly path: string;
  /** The hint for a failure. */
  readonly hint: string;
}

/**
 * Writes a text piece by piece. A file appears when it is complete; until then an earlier file stays. Only its owner may read
 * it, also in place of an earlier file and behind a link.
 *
 * @throws CommandError `cannot_write`, and errors of the pieces.
 */
export async function writeOutput(
  io: Pick<CliIo, 'out'>,
  { path, hint }: WriteOutputOptions,
  pieces: Iterable<string>,
): Promise<void> {
  if (path === '-') {
    for (const block of blocksOf(pieces)) io.out(block);
    return;
  }
  const replaced = await replacedBy(path);
  const isReplaced = replaced !== undefined;
  const target = isReplaced ? `${replaced}.${randomUUID().slice(0, 8)}.part` : path;
  const file = await openFile(target, path, hint);
  try {
    try {
      for (const block of blocksOf(pieces)) await file.write(block);
    } finally {
      await file.close();
    }
    if (isReplaced) await rename(target, replaced);
  } catch (error) {
    if (isReplaced) await rm(target, { force: true });
    throw error;
  }
}

/**
 * The file behind a path and its links, whether it exists or not.
 *
 * @returns undefined for a pipe or a device, which is written directly.
 */
async function replacedBy(path: string): Promise<string | undefined> {
  if (/^\/(?:dev|proc)\//.test(path)) return undefined;
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) return found.isFile() ? realpath(path) : undefined;
  let file = path;
  for (let hops = 0; hops < MAX_SYMLINKS; hops += 1) {
    const to = await readlink(file).catch(() => undefined);
    if (to === undefined) return file;
    file = resolve(dirname(file), to);
  }
  return file;
}

async function openFile(target: string, path: string, hint: string): Promise<FileHandle> {
  try {
    return await open(target, 'w', OWNER_ONLY);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    throw new CommandError('cannot_write', `Cannot write to '${path}' (${String(code)})`, hint, {
      cause: error,
    });
  }
}

function* blocksOf(pieces: Iterable<string>): Generator<string, void, undefined> {
  let block = '';
  for (const piece of pieces) {
    block += piece;
    if (block.length < BLOCK_LENGTH) continue;
    yield block;
    block = '';
  }
  if (block !== '') yield block;
}
