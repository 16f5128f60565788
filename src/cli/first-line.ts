import type { CliIo } from './command.ts';

/** The first line of standard input, without its end; undefined when it ends before. */
export async function firstLine(
  { input }: Pick<CliIo, 'input'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  let text = '';
  for await (const piece of input(signal)) {
    text += piece;
    const at = text.indexOf('\n');
    if (at !== -1) return text.slice(0, at).replace(/\r$/, '');
  }
  return text === '' ? undefined : text;
}
