/** How many characters count as one token. */
const CHARACTERS_PER_TOKEN = 4;

/** How many tokens an item takes beyond its text. */
const TOKENS_PER_ITEM = 4;

const counted = new WeakMap<object, number>();

/** Estimates the tokens of a text; a text that is not empty is at least one. */
export function tokensOfText(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** Estimates the tokens of an item or any other value that the model reads. Long data URLs count as one image. */
export function tokensOf(value: unknown): number {
  if (typeof value === 'string') return tokensOfText(value);
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 1;
  const known = counted.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value, (key, inner: unknown) =>
    key === 'id' || key === 'logprobs' ? undefined : short(inner),
  );
  const tokens = tokensOfText(text) + TOKENS_PER_ITEM;
  if (Object.isFrozen(value)) counted.set(value, tokens);
  return tokens;
}

function short(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('data:') ? value.slice(0, 400) : value;
}
