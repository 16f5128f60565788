import type { CliIo } from './command.ts';

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

/** A way to mark text for people. */
export type Tone = keyof typeof CODES;

/** Marks text, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

/** Colours for standard output: only on a terminal, and not where NO_COLOR asks for none. */
export function paintFor({ env, terminal }: Pick<CliIo, 'env' | 'terminal'>): Paint {
  const isPlain = !terminal.out || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return (tone, text) => (isPlain || text === '' ? text : `\u001B[${CODES[tone]}m${text}\u001B[0m`);
}
