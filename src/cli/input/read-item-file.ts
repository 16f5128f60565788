import { createReadStream } from 'node:fs';
import { fromJsonLines, InvalidItemError } from '../../index.ts';
import type { AgentInputItem } from '@openai/agents';
import { CommandError, type CliIo } from '../command.ts';
import type { ProgressLine } from '../output/progress.ts';

/** Options of `readItemFile()`. */
export interface ReadItemFileOptions {
  /** A file, or `-` for standard input. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly progress: ProgressLine;
}

/**
 * All items of a JSON Lines file; a wrong line fails before any write.
 *
 * @throws InvalidItemError; CommandError `cannot_read`.
 */
export async function readItemFile(
  io: Pick<CliIo, 'input' | 'terminal' | 'err'>,
  { path, signal, progress }: ReadItemFileOptions,
): Promise<AgentInputItem[]> {
  if (path === '-' && io.terminal.input) io.err('Reading items from standard input; end with Ctrl-D.\n');
  const items: AgentInputItem[] = [];
  try {
    for await (const item of fromJsonLines(
      path === '-' ? bytesOf(io.input(signal)) : createReadStream(path),
    )) {
      signal.throwIfAborted();
      items.push(item);
      progress.update(`Read ${items.length} items`);
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : readable(error, path);
  }
  return items;
}

async function* bytesOf(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

function readable(error: unknown, path: string): unknown {
  if (error instanceof InvalidItemError) {
    const problem = `${error.message}; nothing was imported`;
    return new CommandError(error.code, problem, `sed -n ${error.line}p ${path === '-' ? 'FILE' : path}`, {
      cause: error,
    });
  }
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (typeof code !== 'string') return error;
  return new CommandError(
    'cannot_read',
    `Cannot read '${path}' (${code})`,
    'agents-hybrid-session import FILE, with the path of a JSON Lines file',
    { cause: error },
  );
}
