import type { Diagnosis, TimelineItem } from '../diagnosis.ts';
import { escapeHtml } from './escape-html.ts';
import { isLost } from './item-row.ts';
import { EVIDENCE, sentenceOf, VERDICTS } from './words.ts';

/** The verdict, the numbers, and the strip. */
export function overview(diagnosis: Diagnosis): string {
  const { tone, mark, word, sentence } = VERDICTS[diagnosis.verdict];
  return (
    `<p class="over">The list, and the history that belongs to it</p>` +
    `<h1>Conversation <code>${escapeHtml(diagnosis.conversationId)}</code></h1>` +
    `${askedFor(diagnosis)}<div class="verdict ${tone}"><span class="mark" aria-hidden="true">${mark}</span>` +
    `<div><strong>${word}</strong><p>${sentence}</p></div></div>\n` +
    `${numbers(diagnosis)}${strip(diagnosis.timeline)}${jumps(diagnosis.timeline)}`
  );
}

function askedFor({ conversationId, askedFor: asked }: Diagnosis): string {
  if (asked === conversationId) return '';
  return `<p>The session of <code>${escapeHtml(asked)}</code> uses this conversation now.</p>`;
}

/** The evidence and the caveats. */
export function caveats({ evidence, digest, caveats: known }: Diagnosis): string {
  const sentences = known.map((caveat) => `<li>${sentenceOf(caveat)}</li>`);
  return (
    '<section aria-labelledby="evidence"><h2 id="evidence">Evidence</h2>' +
    `<p>The list was compared with ${EVIDENCE[evidence]}. ` +
    `Digest of the whole history: <code>${escapeHtml(digest)}</code></p>` +
    `${sentences.length === 0 ? '' : `<ul>${sentences.join('')}</ul>`}</section>\n`
  );
}

const UNKNOWN = 'not known';

function numbers({ length, listed, lost, evidence, timeline }: Diagnosis): string {
  const kept = timeline.filter((item) => isLost(item) && item.sources.length > 0).length;
  const counts: readonly (readonly [string, string])[] = [
    ['belong here', evidence === 'list' ? UNKNOWN : number(length)],
    ['in the list', listed === null ? 'gone' : number(listed)],
    ['lost', lost === null ? UNKNOWN : number(lost)],
    ['can be restored', lost === null ? UNKNOWN : number(kept)],
  ];
  const entries = counts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl class="counts">${entries.join('')}</dl>\n`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}

/** The whole conversation in one picture; equal neighbours are one piece, so that it stays small. */
function strip(timeline: readonly TimelineItem[]): string {
  const items = timeline.filter(({ index }) => index !== null);
  if (items.length === 0) return '';
  const pieces: string[] = [];
  const isFine = items.length > 150;
  const gap = isFine ? 0 : 0.15;
  for (let from = 0; from < items.length;) {
    const look = lookOf(items[from]);
    let to = from + 1;
    if (isFine) while (to < items.length && lookOf(items[to]) === look) to += 1;
    const box = `x="${from + gap / 2}" width="${to - from - gap}" height="9"`;
    if (look === 'listed') pieces.push(`<rect class="list" y="1" ${box}/>`);
    if (look === 'gone') pieces.push(`<rect class="gap" y="1" ${box}/>`);
    pieces.push(`<rect class="${look === 'gone' ? 'gone' : 'history'}" y="13" ${box}/>`);
    from = to;
  }
  return (
    `<svg class="strip" viewBox="0 0 ${items.length} 23" preserveAspectRatio="none" aria-hidden="true">${pieces.join('')}</svg>` +
    '<p class="key" aria-hidden="true">Above: the list. Below: the history, from the first item to the last. A gap is a loss.</p>\n'
  );
}

function lookOf(item: TimelineItem | undefined): 'listed' | 'gone' | 'waiting' {
  if (item === undefined || item.status === 'listed') return 'listed';
  return isLost(item) ? 'gone' : 'waiting';
}

function jumps(timeline: readonly TimelineItem[]): string {
  const first = timeline.find((item) => isLost(item));
  const entries = [
    ...(first === undefined
      ? []
      : [`<li><a href="#item-${first.index}">First loss: item ${first.index}</a></li>`]),
    '<li><a href="#evidence">Evidence</a></li>',
    '<li><a href="#timeline">Timeline</a></li>',
    '<li><a href="#responses">Responses</a></li>',
  ];
  return `<nav aria-label="On this page"><ul class="jump">${entries.join('')}</ul></nav>\n`;
}
