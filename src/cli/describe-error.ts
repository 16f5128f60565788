import { CommandError } from './command-error.ts';

/** What went wrong and what to type instead, in two lines; `who` is the program, with its command if there is one. */
export function describeError(error: unknown, who: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const hint = error instanceof CommandError ? error.hint : `${who} --help`;
  return `${who}: ${code === '' ? '' : `${code}: `}${message}\nTry: ${hint}\n`;
}
