import type { CliIo } from './command.ts';

/** Shorter values are words, not secrets. */
const SHORTEST = 8;

/** The same world, in which nothing prints a secret of the environment. */
export function guardedIo(io: CliIo): CliIo {
  const secrets = secretsOf(io.env);
  const hidden = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  return {
    ...io,
    out: (text) => io.out(hidden(text)),
    err: (text) => io.err(hidden(text).replaceAll(/\bsk-[\w-]{8,}/g, 'sk-***')),
  };
}

/** Keys, and passwords in addresses. The longest first: one may be part of another. */
function secretsOf(env: CliIo['env']): string[] {
  const found = Object.entries(env).flatMap(([name, value = '']) => {
    const password = /^\w+:\/\/[^/?#@:]*:([^/?#@]+)@/.exec(value)?.[1];
    return [
      ...(/(?:KEY|SECRET|TOKEN|PASSWORD)$/i.test(name) ? [value] : []),
      ...(password === undefined ? [] : [password]),
    ];
  });
  return found.filter(({ length }) => length >= SHORTEST).toSorted((a, b) => b.length - a.length);
}

/** Words that stay words: what an error quotes moves no cursor and forges no line. */
export function plain(text: string): string {
  return text.replaceAll(
    /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
