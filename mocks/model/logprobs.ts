import { hashOf, keyOf } from './hash.ts';
import { CHARACTERS_PER_TOKEN } from './tokens.ts';

/** How probable a token was, and the most probable ones in its place. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly { token: string; logprob: number; bytes: readonly number[] }[];
}

/**
 * The probabilities of a text, token by token, the same each time.
 * @param top how many of the most probable tokens each has; the token itself is the first.
 */
export function logprobsOf(text: string, top: number): TokenLogprob[] {
  const tokens: TokenLogprob[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at += CHARACTERS_PER_TOKEN) {
    const token = characters.slice(at, at + CHARACTERS_PER_TOKEN).join('');
    const logprob = -(keyOf(hashOf(`${at} ${token}`)) % 1000) / 10_000;
    const others = Array.from({ length: top }, (_, rank) => ({
      token: rank === 0 ? token : `${token}${rank}`,
      logprob: logprob - rank * 2,
    }));
    tokens.push({
      token,
      logprob,
      bytes: bytesOf(token),
      top_logprobs: others.map((other) => ({ ...other, bytes: bytesOf(other.token) })),
    });
  }
  return tokens;
}

function bytesOf(text: string): number[] {
  return Array.from(Buffer.from(text));
}
