import type { AgentInputItem } from '@openai/agents';
import { viewItem, type ItemBlock } from '../../items/item-view.ts';
import { escapeHtml } from './escape-html.ts';

/** Characters shown at once; the rest is folded. */
const MAX_SHOWN = 1500;
/** Characters of a text in a page; an export has the rest. */
const MAX_HELD = 40_000;

/** The content of an item. */
export function itemContent(item: AgentInputItem): string {
  const { blocks } = viewItem(item);
  if (blocks.length === 0) return '<div class="content"><p class="label">Nothing in it.</p></div>';
  return `<div class="content">${blocks.map((block) => blockOf(block)).join('')}</div>`;
}

function blockOf(block: ItemBlock): string {
  switch (block.type) {
    case 'text':
      return labelled(
        block.label,
        long(block.text, (text) => `<div class="said" dir="auto">${text}</div>`),
      );
    case 'code':
      return labelled(
        block.label,
        long(block.text, (text) => `<pre dir="auto"><code>${text}</code></pre>`),
      );
    case 'media': {
      const name = block.name === undefined ? '' : ` <bdi>${escapeHtml(block.name)}</bdi>`;
      return `<div class="media"><span>${escapeHtml(block.kind)}${name}</span><code>${cut(block.reference, 300)}</code></div>`;
    }
    default:
      return `<p class="label">${escapeHtml(block.text)}</p>`;
  }
}

function labelled(label: string | undefined, body: string): string {
  return label === undefined
    ? `<div>${body}</div>`
    : `<div><p class="label">${escapeHtml(label)}</p>${body}</div>`;
}

function long(text: string, frame: (escaped: string) => string): string {
  if (text.length <= MAX_SHOWN) return frame(escapeHtml(text));
  const at = boundary(text, MAX_SHOWN);
  const end = boundary(text, MAX_HELD);
  const rest = text.length - at;
  const note =
    text.length > end
      ? `<p class="label">${(text.length - end).toLocaleString('en')} characters more: agents-hybrid-session export writes them all.</p>`
      : '';
  return (
    frame(escapeHtml(text.slice(0, at))) +
    `<details><summary>${rest.toLocaleString('en')} characters more</summary>` +
    `${frame(escapeHtml(text.slice(at, end)))}${note}</details>`
  );
}

function cut(text: string, most: number): string {
  const at = boundary(text, most);
  return escapeHtml(text.slice(0, at)) + (at < text.length ? '…' : '');
}

/** A position that splits no surrogate pair. */
function boundary(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return at < text.length && code >= 0xd800 && code < 0xdc00 ? at - 1 : Math.min(at, text.length);
}
