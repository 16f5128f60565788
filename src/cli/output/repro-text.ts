import { escapeTexts } from '../../util/escape-controls.ts';
import type { Story } from '../support/repro-story.ts';

/** The output of `--json`. The version changes when a field changes its meaning or goes away. */
export interface ReproReport {
  readonly version: 1;
  readonly live: boolean;
  /** The simulator's policy; null with `--live`. */
  readonly unlink: string | null;
  /** Whether HybridSession served every message in every case: the exit code says the same. */
  readonly intact: boolean;
  readonly stories: readonly Story[];
}

/** Whether every story of HybridSession ended with every message. */
export function oursIntact(stories: readonly Story[]): boolean {
  const ours = stories.filter(({ session }) => session === 'HybridSession');
  return ours.length > 0 && ours.every(({ intact }) => intact);
}

/** One story for people: the roles before and after each turn, as the report shows them. */
export function describeStory(told: Story): string {
  const story = escapeTexts(told);
  const width = Math.max(...story.turns.map(({ before }) => before.length), 1);
  const turns = story.turns.map(
    ({ before, after }, index) =>
      `  turn ${String(index + 1).padStart(2)}  ${(before || '-').padEnd(width)}  ->  ${after}`,
  );
  const failure =
    story.failure === null ? [] : [`  turn ${story.failure.turn} failed: ${story.failure.reason}`];
  const list = story.list === null ? [] : [`  the list itself holds: ${story.list}`];
  return [
    `${story.model}  ${story.session}`,
    ...turns,
    ...failure,
    ...list,
    `  assistant items surviving: ${story.surviving} / ${story.answers}`,
    `  the model's last answer: ${story.answer}`,
    '',
    '',
  ].join('\n');
}

/** All stories in one table, and the verdict. */
export function summarizeStories(stories: readonly Story[]): string {
  const width = Math.max(...stories.map(({ model }) => model.length));
  const rows = escapeTexts(stories).map(
    ({ model, session, surviving, answers, failure }) =>
      `  ${model.padEnd(width)}  ${session.padEnd(26)}  ${surviving} / ${answers}` +
      (failure === null ? '' : `  (turn ${failure.turn} failed)`),
  );
  const verdict = oursIntact(stories)
    ? 'HybridSession kept every message in every case.'
    : 'HybridSession did NOT keep every message: please report this output.';
  return `assistant items surviving\n${rows.join('\n')}\n\n${verdict}\n`;
}
