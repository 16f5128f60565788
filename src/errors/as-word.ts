/** A name or a code that somebody else gave an error: passed on only if it is one word, for a sentence may quote anything. */
export function asWord(value: unknown): string | undefined {
  return typeof value === 'string' && /^\w{1,40}$/.test(value) ? value : undefined;
}
