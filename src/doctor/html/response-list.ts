import { utcTime } from '../../util/utc-time.ts';
import type { DiagnosedResponse } from '../diagnosis.ts';
import { escapeHtml } from './escape-html.ts';
import { RESPONSES } from './words.ts';

/** More responses are folded. */
const MAX_OPEN = 20;

/** The responses, each with its status. */
export function responseList(responses: readonly DiagnosedResponse[]): string {
  const entries = responses.map((response) => `<li>${entryOf(response)}</li>\n`).join('');
  const list = `<ul class="plain">${entries}</ul>`;
  const shown =
    responses.length === 0
      ? '<p>No response was read.</p>'
      : responses.length <= MAX_OPEN
        ? list
        : `<details><summary>${responses.length.toLocaleString('en')} responses</summary>${list}</details>`;
  return `<section aria-labelledby="responses"><h2 id="responses" tabindex="-1">Responses</h2>${shown}</section>\n`;
}

function entryOf({ id, status, parent, time }: DiagnosedResponse): string {
  const made = time === null ? undefined : utcTime(time);
  const facts = [
    RESPONSES[status],
    ...(made === undefined ? [] : [`made ${made}`]),
    ...(parent === null ? [] : [`continues <code>${escapeHtml(parent)}</code>`]),
  ];
  return `<code>${escapeHtml(id)}</code><br><span class="where">${facts.join(' · ')}</span>`;
}
