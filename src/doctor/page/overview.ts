import type { Diagnosis, TimelineItem } from '../diagnosis.ts';
import { escapeHtml } from './escape-html.ts';
import { isLost } from './item-row.ts';
import { PROOFS, sentenceOf, VERDICTS } from './words.ts';

/** What is to be known first: the verdict, the numbers, and the shape of it. */
export function overview(diagnosis: Diagnosis): string {
  const { tone, mark, word, sentence } = VERDICTS[diagnosis.verdict];
  return (
    `<p class="over">What the list shows, and what belongs to it</p>` +
    `<h1>Conversation <code>${escapeHtml(diagnosis.conversationId)}</code></h1>` +
    `<div class="verdict ${tone}"><span class="mark" aria-hidden="true">${mark}</span>` +
    `<div><strong>${word}</strong><p>${sentence}</p></div></div>\n` +
    `${numbers(diagnosis)}${strip(diagnosis.timeline)}${jumps(diagnosis.timeline)}`
  );
}

/** What the verdict rests on, and what could not be known. */
export function limits({ proof, digest, limits: known }: Diagnosis): string {
  const sentences = known.map((limit) => `<li>${sentenceOf(limit)}</li>`);
  return (
    '<section aria-labelledby="proof"><h2 id="proof">What this rests on</h2>' +
    `<p>The list was compared with ${PROOFS[proof]}.` +
    `${digest === null ? '' : ` Digest of the whole history: <code>${escapeHtml(digest)}</code>`}</p>` +
    `${sentences.length === 0 ? '' : `<ul>${sentences.join('')}</ul>`}</section>\n`
  );
}

function numbers({ length, listed, timeline }: Diagnosis): string {
  const lost = timeline.filter((item) => isLost(item));
  const counts: readonly (readonly [string, string])[] = [
    ['belong here', number(length)],
    ['in the list', listed === null ? 'gone' : number(listed)],
    ['lost', number(lost.length)],
    ['can be restored', number(lost.filter(({ places }) => places.length > 0).length)],
  ];
  const entries = counts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl class="counts">${entries.join('')}</dl>\n`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}

/** The whole conversation in one picture; equal neighbours are one piece of it, so that it stays small. */
function strip(timeline: readonly TimelineItem[]): string {
  const items = timeline.filter(({ index }) => index !== null);
  if (items.length === 0) return '';
  const pieces: string[] = [];
  const isFine = items.length > 150;
  const gap = isFine ? 0 : 0.15;
  for (let from = 0; from < items.length;) {
    const look = lookOf(items[from]);
    const other = items.findIndex((item, at) => at > from && (!isFine || lookOf(item) !== look));
    const to = other === -1 ? items.length : other;
    const box = `x="${from + gap / 2}" width="${to - from - gap}" height="9"`;
    if (look === 'listed') pieces.push(`<rect class="list" y="1" ${box}/>`);
    if (look === 'gone') pieces.push(`<rect class="gap" y="1" ${box}/>`);
    pieces.push(`<rect class="${look === 'gone' ? 'gone' : 'truth'}" y="13" ${box}/>`);
    from = to;
  }
  return (
    `<svg class="strip" viewBox="0 0 ${items.length} 23" preserveAspectRatio="none" aria-hidden="true">${pieces.join('')}</svg>` +
    '<p class="key" aria-hidden="true">Above the list, below what belongs to it, from the first item to the last. A gap is a loss.</p>\n'
  );
}

function lookOf(item: TimelineItem | undefined): 'listed' | 'gone' | 'waiting' {
  if (item === undefined || item.standing === 'listed') return 'listed';
  return isLost(item) ? 'gone' : 'waiting';
}

function jumps(timeline: readonly TimelineItem[]): string {
  const first = timeline.find((item) => isLost(item));
  const entries = [
    ...(first === undefined
      ? []
      : [`<li><a href="#item-${first.index}">First loss: item ${first.index}</a></li>`]),
    '<li><a href="#proof">What this rests on</a></li>',
    '<li><a href="#timeline">Timeline</a></li>',
    '<li><a href="#responses">Responses</a></li>',
  ];
  return `<nav aria-label="On this page"><ul class="jump">${entries.join('')}</ul></nav>\n`;
}
