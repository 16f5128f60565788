const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * What cannot be seen and changes what is: control characters but tab and line feed, characters that turn the direction
 * of writing, invisible characters, halves of surrogate pairs. Joiners stay where letters are joined by them.
 */
const INVISIBLE =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}\p{Surrogate}]|(?<=[\u0000-\u007F]|^)[\u200C\u200D]/gu;

/**
 * A text for HTML, between tags or within the quotes of an attribute; the one way in which anything gets into a page.
 *
 * What is there and cannot be seen is made visible, so that no text reads otherwise than it is.
 */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(INVISIBLE, (character) => `⟦U+${codeOf(character)}⟧`)
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
