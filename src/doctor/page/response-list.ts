import type { DiagnosedResponse } from '../diagnosis.ts';
import { escapeHtml } from './escape-html.ts';
import { RESPONSES } from './words.ts';

/** More than this many are folded up. */
const OPEN = 20;

/** The responses that were looked at, and what became of each. */
export function responseList(responses: readonly DiagnosedResponse[]): string {
  const entries = responses.map((response) => `<li>${entryOf(response)}</li>\n`).join('');
  const list = `<ul class="plain">${entries}</ul>`;
  const shown =
    responses.length === 0
      ? '<p>None was looked at.</p>'
      : responses.length <= OPEN
        ? list
        : `<details><summary>${responses.length.toLocaleString('en')} responses</summary>${list}</details>`;
  return `<section aria-labelledby="responses"><h2 id="responses" tabindex="-1">Responses</h2>${shown}</section>\n`;
}

function entryOf({ id, standing, parent, time }: DiagnosedResponse): string {
  const facts = [
    RESPONSES[standing],
    ...(time === null ? [] : [`made ${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`]),
    ...(parent === null ? [] : [`continues <code>${escapeHtml(parent)}</code>`]),
  ];
  return `<code>${escapeHtml(id)}</code><br><span class="where">${facts.join(' · ')}</span>`;
}
