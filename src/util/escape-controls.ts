/**
 * Invisible characters that change the visible text: controls (C0, DEL, C1), separators of lines and paragraphs, characters that
 * turn the direction of writing, invisible characters, halves of surrogate pairs.
 *
 * Joiners and variation selectors belong to many scripts and emoji: they count only behind characters that they cannot change.
 */
const DECEIVING =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class
  /[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}\uFFF9-\uFFFB]|(?![\u200C\u200D\uFE00-\uFE0F\u{E0100}-\u{E01EF}])\p{Default_Ignorable_Code_Point}|(?<=[\u0000-\u007F\u200C\u200D]|^)[\u200C\u200D]|(?<=[\u0000-\u007F\u200C\u200D\uFE00-\uFE0F\u{E0100}-\u{E01EF}]|^)[\uFE00-\uFE0F\u{E0100}-\u{E01EF}](?!\u20E3)/gu;

/** Options of `escapeControls`. */
export interface EscapeControlsOptions {
  /** Whether the text may have lines: then line feeds and tabs stay. Default false. */
  readonly lines?: boolean;
  /** The replacement of a character. Default: its escape in JSON. */
  readonly show?: (character: string) => string;
}

/**
 * A text for a terminal, a log or a page. Characters that move the cursor, hide, or change the order of reading become escapes.
 */
export function escapeControls(
  text: string,
  { lines = false, show = jsonEscape }: EscapeControlsOptions = {},
): string {
  return text.replaceAll(DECEIVING, (character) =>
    lines && (character === '\n' || character === '\t') ? character : show(character),
  );
}

/** Equal JSON with such characters in its texts as escapes; lines and indents stay. */
export function escapeJson(json: string): string {
  return escapeControls(json, { lines: true });
}

/** A copy of plain data with every text escaped. */
export function escapeTexts<T>(value: T): T;
export function escapeTexts(value: unknown): unknown {
  if (typeof value === 'string') return escapeControls(value);
  if (Array.isArray(value)) return value.map((entry: unknown) => escapeTexts(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, escapeTexts(entry)]));
}

/** Made once: a text may hold a million of them. */
const ESCAPES = new Map<string, string>();

function jsonEscape(character: string): string {
  let escape = ESCAPES.get(character);
  if (escape !== undefined) return escape;
  escape = '';
  for (let at = 0; at < character.length; at += 1)
    escape += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  // At most a few thousand characters are escaped at all.
  ESCAPES.set(character, escape);
  return escape;
}
