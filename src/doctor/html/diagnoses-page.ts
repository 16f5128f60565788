import type { Diagnosis, Verdict } from '../diagnosis.ts';
import { escapeHtml } from './escape-html.ts';
import { PAGE_END, pageHead } from './page-frame.ts';
import { VERDICTS } from './words.ts';

/** One session in the table of all. */
export interface DiagnosedRow extends Pick<Diagnosis, 'verdict' | 'length' | 'listed' | 'lost'> {
  /** The session's name, or the ID of its conversation. */
  readonly id: string;
  readonly conversationId: string;
  /** The address of its own page, relative to this one. */
  readonly page?: string | undefined;
}

/** The worst verdict first. */
const ORDER: Readonly<Record<Verdict, number>> = { unrecoverable: 0, repairable: 1, unknown: 2, whole: 3 };

/**
 * Many diagnoses as one HTML page, in pieces: the worst first, each with a link to its own page. It needs no script and no network.
 *
 * @example
 * ```ts
 * const html = [...diagnosesPage([{ id: 'user-42', conversationId: 'conv_1', verdict: 'whole', length: 8, listed: 8, lost: 0 }])].join('');
 * ```
 */
export function* diagnosesPage(rows: readonly DiagnosedRow[]): Generator<string, void, undefined> {
  const sorted = rows.toSorted(
    (a, b) => ORDER[a.verdict] - ORDER[b.verdict] || (b.lost ?? 0) - (a.lost ?? 0) || (a.id < b.id ? -1 : 1),
  );
  yield `${pageHead('Conversations')}<header>
<p class="over">Their lists, and the histories that belong to them</p><h1>${count(rows.length)} conversations</h1>
${summary(rows)}</header>
<main>
<table class="all"><thead><tr><th scope="col">Verdict</th><th scope="col">Session</th><th scope="col">Conversation</th><th scope="col">Lost</th><th scope="col">Items</th><th scope="col">In the list</th></tr></thead><tbody>
`;
  for (const row of sorted) yield rowOf(row);
  yield `</tbody></table>
</main>
<footer><p>The content is not shown.</p></footer>
${PAGE_END}`;
}

function summary(rows: readonly DiagnosedRow[]): string {
  const entries = (Object.keys(ORDER) as Verdict[]).map((verdict) => {
    const found = rows.filter((row) => row.verdict === verdict).length;
    return `<div><dt>${VERDICTS[verdict].word}</dt><dd>${count(found)}</dd></div>`;
  });
  return `<dl class="counts">${entries.join('')}</dl>\n`;
}

function rowOf({ id, conversationId, verdict, length, listed, lost, page }: DiagnosedRow): string {
  const { tone, mark, word } = VERDICTS[verdict];
  const name = `<code>${escapeHtml(id)}</code>`;
  const cells = [
    `<span class="tag ${tone}"><span aria-hidden="true">${mark}</span> ${word}</span>`,
    page === undefined ? name : `<a href="${escapeHtml(page)}">${name}</a>`,
    `<code>${escapeHtml(conversationId)}</code>`,
    lost === null ? 'not known' : count(lost),
    count(length),
    listed === null ? 'gone' : count(listed),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>\n`;
}

function count(number: number): string {
  return number.toLocaleString('en');
}
