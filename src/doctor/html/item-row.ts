import { titleOfKind, viewItem } from '../../items/item-view.ts';
import type { ContentSource, TimelineItem } from '../diagnosis.ts';
import { escapeHtml } from './escape-html.ts';
import { itemContent } from './item-content.ts';
import { ABSENCES, badgesOf, wordOfSource } from './words.ts';

/** Options of a row. */
export interface ItemRowOptions {
  /** Whether the row shows the content. */
  readonly content: boolean;
  /** The next lost item, for a link. */
  readonly nextLost: TimelineItem | undefined;
}

/** Whether the list lacks an item that belongs there. */
export function isLost({ status }: TimelineItem): boolean {
  return status === 'lost';
}

/** One item in both lanes. */
export function itemRow(item: TimelineItem, { content, nextLost }: ItemRowOptions): string {
  const { index } = item;
  const anchor = index === null ? '' : ` id="item-${index}"`;
  const body = [heading(item, content), badges(item)];
  if (content && item.item !== undefined) body.push(itemContent(item.item));
  body.push(where(item));
  if (isLost(item) && nextLost !== undefined)
    body.push(`<a class="next" href="#item-${nextLost.index}">Next loss: item ${nextLost.index} ↓</a>`);
  const look = index === null ? 'card none' : isLost(item) ? 'card hurt' : 'card';
  return `<li class="row"${anchor}>${slot(item)}<div class="${look}">${body.join('')}</div></li>\n`;
}

function slot(item: TimelineItem): string {
  const { status, positions } = item;
  if (status !== 'listed' && status !== 'removed') {
    const look = isLost(item) ? 'slot empty gone' : 'slot empty';
    return `<div class="${look}"><span class="unseen">In the list: </span>${isLost(item) ? '<span aria-hidden="true">✕</span>' : ''}<span>${ABSENCES[status]}</span></div>`;
  }
  const numbers = positions.map((position) => String(position)).join(', ');
  return (
    `<div class="slot"><span class="unseen">In the list, at position </span><span class="n">${numbers}</span>` +
    `<span class="kind">${escapeHtml(titleOfKind(item.kind).title)}</span></div>`
  );
}

function heading(item: TimelineItem, content: boolean): string {
  const { title, name } = content && item.item !== undefined ? viewItem(item.item) : titleOfKind(item.kind);
  const named = name === undefined ? '' : ` <code>${escapeHtml(name)}</code>`;
  const number = item.index === null ? '' : `<span class="no">#${item.index}</span>`;
  return `<div class="title">${number}<h4>${escapeHtml(title)}${named}</h4></div>`;
}

function badges({ status, findings, sources }: TimelineItem): string {
  const all = badgesOf(status, findings, sources.length > 0);
  if (all.length === 0) return '';
  const entries = all.map(
    ({ tone, mark, word }) => `<li class="${tone}"><span aria-hidden="true">${mark}</span> ${word}</li>`,
  );
  return `<ul class="badges">${entries.join('')}</ul>`;
}

/** The item's ID, its response, and its sources. */
function where({ id, responseId, sources }: TimelineItem): string {
  const facts: string[] = [];
  if (id !== null) facts.push(`<code>${escapeHtml(id)}</code>`);
  if (responseId !== null) facts.push(`from response <code>${escapeHtml(responseId)}</code>`);
  const held = sources.map((place) => sourceText(place, responseId));
  if (held.length > 0) facts.push(`found in ${held.join(', ')}`);
  return facts.length === 0 ? '' : `<p class="where">${facts.join('<br>')}</p>`;
}

function sourceText(place: ContentSource, responseId: string | null): string {
  if (place.source === 'response' && place.responseId === responseId) return 'that response';
  const response = place.responseId === undefined ? '' : ` <code>${escapeHtml(place.responseId)}</code>`;
  return `${wordOfSource(place)}${response}`;
}
