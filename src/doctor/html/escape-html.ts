import { escapeControls } from '../../util/escape-controls.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Escapes a text for HTML, between tags or inside quotes of an attribute. Every text of a page passes it.
 *
 * Invisible characters become visible, so that no text can deceive a reader.
 */
export function escapeHtml(text: string): string {
  const visible = escapeControls(text.replaceAll(/\r\n?/g, '\n'), {
    lines: true,
    show: (character) => `⟦U+${codeOf(character)}⟧`,
  });
  return visible.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
