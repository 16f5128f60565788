/** The most often that a part without an upper limit is repeated. */
const MAX_REPEATS = 64;

/** The characters that stand for a class, plain ones first. */
const CANDIDATES = [
  ...Array.from('aA0 _-.:/@+'),
  ...Array.from({ length: 94 }, (_, index) => String.fromCodePoint(33 + index)),
  ...Array.from('äé中あ🙂\n\t'),
];

/** How a pattern is read. */
interface PatternOptions {
  /** How often a part is repeated beyond its least. */
  readonly more: number;
  /** The number of the alternative, counted from the first. */
  readonly choice: number;
  /** The number of the character of each class, counted from the plainest. */
  readonly variant: number;
}

/**
 * A text made from a regular expression. Conditions on the surroundings, such as `(?!...)`, are not read: test the text.
 */
export function patternText(pattern: string, options: PatternOptions): string {
  return new PatternReader(pattern, options).text();
}

/** Reads a regular expression once, and writes a text that it matches. */
class PatternReader {
  readonly #pattern: string;
  readonly #options: PatternOptions;
  readonly #groups: string[] = [];
  #at = 0;

  constructor(pattern: string, options: PatternOptions) {
    this.#pattern = pattern;
    this.#options = options;
  }

  text(): string {
    return this.#alternatives();
  }

  #alternatives(): string {
    const texts = [this.#sequence()];
    while (this.#takes('|')) texts.push(this.#sequence());
    return texts[this.#options.choice % texts.length] ?? '';
  }

  #sequence(): string {
    let text = '';
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#next)) {
      const part = this.#part();
      text += part.repeat(this.#repeats());
    }
    return text;
  }

  #part(): string {
    if (this.#takes('^') || this.#takes('$')) return '';
    if (this.#takes('(')) return this.#group();
    if (this.#next === '[') return this.#representative(this.#token(/\[\^?\]?(?:\\.|[^\]\\])*\]/y));
    if (this.#takes('.')) return 'a';
    if (this.#next === '\\') return this.#escaped();
    return this.#token(/[\s\S]/uy);
  }

  #group(): string {
    const isCondition = /^\?(?:=|!|<=|<!)/.test(this.#pattern.slice(this.#at));
    const isPlain = this.#token(/\?(?::|=|!|<=|<!|<\w+>)/y).startsWith('?:');
    const text = this.#alternatives();
    this.#takes(')');
    if (isCondition) return '';
    if (!isPlain) this.#groups.push(text);
    return text;
  }

  #escaped(): string {
    const token = this.#token(
      /\\(?:[pP]\{[^}]*\}|u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\s\S])/uy,
    );
    if (/^\\[bB]$/.test(token)) return '';
    const group = /^\\([1-9])$/.exec(token)?.[1];
    return group === undefined ? this.#representative(token) : (this.#groups[Number(group) - 1] ?? '');
  }

  #repeats(): number {
    const quantifier = this.#token(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (quantifier === '') return 1;
    const [, low, comma, high] = /^\{(\d+)(,?)(\d*)/.exec(quantifier) ?? [];
    const least = low === undefined ? (quantifier.startsWith('+') ? 1 : 0) : Number(low);
    const unlimited = quantifier.startsWith('?') ? 1 : MAX_REPEATS;
    const most =
      low === undefined ? unlimited : comma === '' ? least : high === '' ? MAX_REPEATS : Number(high);
    return Math.min(least + this.#options.more, Math.max(most, least));
  }

  get #next(): string {
    return this.#pattern[this.#at] ?? '';
  }

  #takes(character: string): boolean {
    if (this.#next !== character) return false;
    this.#at += 1;
    return true;
  }

  /** Takes the text that the expression matches here, or nothing. */
  #token(expression: RegExp): string {
    expression.lastIndex = this.#at;
    const [token = ''] = expression.exec(this.#pattern) ?? [];
    this.#at += token.length;
    return token;
  }

  /** A character that a class or an escape stands for. */
  #representative(token: string): string {
    for (const flags of ['u', '']) {
      const expression = readable(`^${token}$`, flags);
      const found = CANDIDATES.filter((candidate) => expression?.test(candidate));
      if (found.length > 0) return found[this.#options.variant % found.length] ?? '';
    }
    return token.replace(/^\\/, '');
  }
}

/** A regular expression, or nothing if it cannot be read. */
function readable(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}
