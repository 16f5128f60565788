import { titleOfKind, viewItem } from '../../transfer/item-view.ts';
import type { ItemPlace, TimelineItem } from '../diagnosis.ts';
import { escapeHtml } from './escape-html.ts';
import { itemContent } from './item-content.ts';
import { ABSENCES, badgesOf, wordOfPlace } from './words.ts';

/** How an item is shown. */
export interface ItemRowOptions {
  /** Whether what it says is shown. */
  readonly content: boolean;
  /** The next item that was lost, to go on to it. */
  readonly nextLost: TimelineItem | undefined;
}

/** Whether the list lacks an item that belongs there. */
export function isLost({ standing }: TimelineItem): boolean {
  return standing === 'lost';
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
  const { standing, positions } = item;
  if (standing !== 'listed' && standing !== 'removed') {
    const look = isLost(item) ? 'slot empty gone' : 'slot empty';
    return `<div class="${look}"><span class="unseen">In the list: </span>${isLost(item) ? '<span aria-hidden="true">✕</span>' : ''}<span>${ABSENCES[standing]}</span></div>`;
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

function badges({ standing, findings, places }: TimelineItem): string {
  const all = badgesOf(standing, findings, places.length > 0);
  if (all.length === 0) return '';
  const entries = all.map(
    ({ tone, mark, word }) => `<li class="${tone}"><span aria-hidden="true">${mark}</span> ${word}</li>`,
  );
  return `<ul class="badges">${entries.join('')}</ul>`;
}

/** Which item it is, what made it, and every place that holds it. */
function where({ id, responseId, places }: TimelineItem): string {
  const facts: string[] = [];
  if (id !== null) facts.push(`<code>${escapeHtml(id)}</code>`);
  if (responseId !== null) facts.push(`from response <code>${escapeHtml(responseId)}</code>`);
  const held = places.map((place) => placeOf(place, responseId));
  if (held.length > 0) facts.push(`found in ${held.join(', ')}`);
  return facts.length === 0 ? '' : `<p class="where">${facts.join('<br>')}</p>`;
}

function placeOf(place: ItemPlace, responseId: string | null): string {
  if (place.source === 'response' && place.responseId === responseId) return 'that response';
  const response = place.responseId === undefined ? '' : ` <code>${escapeHtml(place.responseId)}</code>`;
  return `${wordOfPlace(place)}${response}`;
}
