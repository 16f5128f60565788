import type { CliIo } from '../command.ts';

/** The first word of each line on standard input: sessions, or the IDs of conversations. */
export async function* readSessionIds(
  io: Pick<CliIo, 'input' | 'terminal' | 'err'>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  if (io.terminal.input) io.err('Reading the IDs of conversations from standard input; end with Ctrl-D.\n');
  let rest = '';
  for await (const piece of io.input(signal)) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield* wordOf(line);
  }
  yield* wordOf(rest);
}

function wordOf(line: string): string[] {
  const [word = ''] = line.trim().split(/\s+/);
  return word === '' ? [] : [word];
}
