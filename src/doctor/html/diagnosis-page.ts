import { createHash } from 'node:crypto';
import type { Diagnosis } from '../diagnosis.ts';
import { escapeHtml } from './escape-html.ts';
import { caveats, overview } from './overview.ts';
import { PAGE_STYLE } from './page-style.ts';
import { responseList } from './response-list.ts';
import { timelineSection } from './timeline-section.ts';

/** Options of a page. */
export interface DiagnosisPageOptions {
  /**
   * Whether the page shows the content of items, if the diagnosis holds it.
   *
   * @default false
   */
  readonly content?: boolean | undefined;
}

/** Allows only this style sheet: no script, no picture, no request. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * A diagnosis as one HTML page, in pieces: two lanes turn by turn, losses marked, sources named. It needs no script, no
 * other file and no network.
 */
export function* diagnosisPage(
  diagnosis: Diagnosis,
  { content = false }: DiagnosisPageOptions = {},
): Generator<string, void, undefined> {
  const id = escapeHtml(diagnosis.conversationId);
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Conversation ${id}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#timeline">Skip to the timeline</a>
<header>
${overview(diagnosis)}</header>
<main>
${caveats(diagnosis)}`;
  yield* timelineSection(diagnosis.timeline, content);
  yield responseList(diagnosis.responses);
  yield `</main>
<footer><p>${
    content
      ? 'This page shows the content of the conversation: handle it accordingly.'
      : 'The content is not shown. <code>agents-hybrid-session doctor --html FILE --content</code> shows it.'
  }</p></footer>
</body>
</html>
`;
}
