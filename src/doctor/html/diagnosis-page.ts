import type { Diagnosis } from '../diagnosis.ts';
import { caveats, overview } from './overview.ts';
import { PAGE_END, pageHead } from './page-frame.ts';
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

/**
 * A diagnosis as one HTML page, in pieces: two lanes turn by turn, losses marked, sources named. It needs no script, no
 * other file and no network.
 */
export function* diagnosisPage(
  diagnosis: Diagnosis,
  { content = false }: DiagnosisPageOptions = {},
): Generator<string, void, undefined> {
  yield pageHead(`Conversation ${diagnosis.conversationId}`);
  yield `<a class="skip" href="#timeline">Skip to the timeline</a>
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
${PAGE_END}`;
}
