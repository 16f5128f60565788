import { randomUUID } from 'node:crypto';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { CommandError } from './command-error.ts';
import type { CliIo } from './command.ts';

/** Conversations are nobody else's business. */
const OWNER_ONLY = 0o600;

/** Characters that are gathered before they are written. */
const BLOCK = 65_536;

/** Where output goes. */
export interface WriteOutputOptions {
  /** A file, or `-` for standard output. */
  readonly path: string;
  /** What to type instead when it cannot be written. */
  readonly hint: string;
}

/**
 * Writes a text piece by piece. A file appears when it is complete: until then, and if it never is, what was there before
 * stays. Only its owner may read it.
 *
 * @throws CommandError `cannot_write`, and what making the pieces throws.
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
  // A pipe or a device is written to as it is: there is nothing to replace.
  const isReplaced = await lstat(path).then(
    (found) => found.isFile(),
    () => true,
  );
  const target = isReplaced ? `${path}.${randomUUID().slice(0, 8)}.part` : path;
  const file = await openFile(target, path, hint);
  try {
    try {
      for (const block of blocksOf(pieces)) await file.write(block);
    } finally {
      await file.close();
    }
    if (isReplaced) await rename(target, path);
  } catch (error) {
    if (isReplaced) await rm(target, { force: true });
    throw error;
  }
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
    if (block.length < BLOCK) continue;
    yield block;
    block = '';
  }
  if (block !== '') yield block;
}
