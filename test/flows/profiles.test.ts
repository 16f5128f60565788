import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { ProfileName } from '../../mocks/index.ts';
import { profileNames } from '../../mocks/profiles/profile-table.ts';
import { KINDS, liveThrough, RUNNERS, type Outcome, type Story } from './support/profile-story.ts';

const PAGE = new URL('../../docs/servers.md', import.meta.url);
const MARKS = ['<!-- profiles:begin -->', '<!-- profiles:end -->'] as const;

const PLAIN = profileNames.filter((name) => !name.includes(':') || name.startsWith('ignores-parent'));
const WORDS = profileNames.filter((name) => name.startsWith('refuses-parent:'));

const runners = Object.keys(RUNNERS) as Story['runner'][];
const kinds = Object.keys(KINDS) as Story['kind'][];

/** The server whose answers do not show that tools are missing from the context. */
const isUnnoticed = (story: Story): boolean =>
  story.profile === 'drops-tool-calls' && story.kind !== 'plain' && story.runner !== 'stock run';

/** The SDK's own runner sends the reasoning of a turn with tools back by itself, out of a session's sight. */
const mayFail = (story: Story): boolean =>
  ['zdr', 'forgets-reasoning'].includes(story.profile) &&
  story.kind === 'reasoning' &&
  story.runner === 'stock run';

const outcomes = new Map<string, Promise<Outcome>>();

/** Lives through a story once. */
function outcomeOf(story: Story): Promise<Outcome> {
  const outcome = outcomes.get(keyOf(story)) ?? liveThrough(story);
  outcomes.set(keyOf(story), outcome);
  return outcome;
}

const keyOf = ({ profile, runner, kind, stream }: Story): string =>
  `${profile}, ${runner}, ${kind}, ${stream ? 'stream' : 'JSON'}`;

function storiesOf(profile: ProfileName): Story[] {
  return runners.flatMap((runner) =>
    kinds.flatMap((kind) => [false, true].map((stream) => ({ profile, runner, kind, stream }))),
  );
}

/** Either every answer has the whole context, or an event says that it may not. @returns the faults. */
function faultsOf(story: Story, outcome: Outcome): string[] {
  const told = outcome.contexts.filter((context) => context === 'told').length;
  const mayBeTold = story.profile === 'ignores-parent:kept' ? 1 : 0;
  return [
    ...(outcome.contexts.includes('lost') ? ['a model did not see what was said, and nothing tells'] : []),
    ...(told > mayBeTold ? [`${told} answers may have lacked context`] : []),
    ...(outcome.failure === undefined || mayFail(story) ? [] : [`a run failed: ${outcome.failure}`]),
    ...(outcome.isKept ? [] : ['the session does not serve what was said']),
  ].map((fault) => `${keyOf(story)}: ${fault}`);
}

test.each(PLAIN)(
  'the model sees the whole conversation on a server of profile %s, or an event says that it may not',
  { timeout: 120_000 },
  async (profile) => {
    const faults: string[] = [];
    for (const story of storiesOf(profile)) {
      const outcome = await outcomeOf(story);
      if (!isUnnoticed(story)) faults.push(...faultsOf(story, outcome));
    }
    expect(faults).toEqual([]);
  },
);

test.each(WORDS)(
  'the history is sent whole to a server that refuses like %s',
  { timeout: 60_000 },
  async (profile) => {
    const faults: string[] = [];
    for (const story of storiesOf(profile)) {
      if (story.kind !== 'tools' || !['run', 'history reference'].includes(story.runner)) continue;
      const outcome = await liveThrough(story);
      faults.push(...faultsOf(story, outcome));
      expect(outcome.noticed).toContain('parent_refused');
    }
    expect(faults).toEqual([]);
  },
);

test('dropped tool calls of a server stay unnoticed', async () => {
  const unnoticed = storiesOf('drops-tool-calls').filter((story) => isUnnoticed(story));
  for (const story of unnoticed) {
    const { contexts, failure } = await outcomeOf(story);
    expect(contexts.includes('lost') || failure !== undefined).toBe(true);
  }
  expect(unnoticed).toHaveLength(12);
});

test('the page about servers shows the outcome of every story', async () => {
  const table = await tableOf(PLAIN);
  if (process.env['UPDATE_DOCS'] === '1') {
    const [before, , after] = await partsOfPage();
    await writeFile(PAGE, [before, MARKS[0], `\n\n${table}\n\n`, MARKS[1], after].join(''));
  }
  const [, shown] = await partsOfPage();
  expect(shown.trim()).toBe(table);
});

/** The page before, between and behind the marks. */
async function partsOfPage(): Promise<[string, string, string]> {
  const [before = '', rest = ''] = (await readFile(PAGE, 'utf8')).split(MARKS[0]);
  const [shown = '', after = ''] = rest.split(MARKS[1]);
  return [before, shown, after];
}

async function tableOf(profiles: readonly ProfileName[]): Promise<string> {
  const checkpoints = ['profile', 'how it is run', 'context', ...kinds, 'events'];
  const rows: string[][] = [];
  for (const profile of profiles) for (const runner of runners) rows.push(await rowOf(profile, runner));
  return [checkpoints, checkpoints.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

async function rowOf(profile: ProfileName, runner: Story['runner']): Promise<string[]> {
  const stories = storiesOf(profile).filter((story) => story.runner === runner);
  const all: Outcome[] = [];
  for (const story of stories) all.push(await outcomeOf(story));
  const noticed = [...new Set(all.flatMap((outcome) => outcome.noticed))].toSorted();
  return [
    `\`${profile}\``,
    runner,
    contextCell(stories, all),
    ...kinds.map((kind, index) =>
      stories.some((story) => story.kind === kind && isUnnoticed(story))
        ? '–'
        : requestsCell(all.slice(2 * index, 2 * index + 2)),
    ),
    noticed.map((name) => `\`${name}\``).join(', '),
  ];
}

function contextCell(stories: readonly Story[], all: readonly Outcome[]): string {
  if (stories.some((story) => isUnnoticed(story))) return 'without tool calls';
  if (all.some(({ failure }) => failure !== undefined)) return 'whole, or the run fails';
  const contexts = new Set(all.flatMap((outcome) => outcome.contexts));
  return contexts.has('told') ? 'whole, but for one answer' : 'whole';
}

/** How many requests there were; those that a server like the API would not have needed stand behind a plus. */
function requestsCell(ways: readonly Outcome[]): string {
  const [json = '', stream = ''] = ways.map(({ requests, contexts, failure }) => {
    if (failure !== undefined) return 'fails';
    return requests === contexts.length
      ? `${requests}`
      : `${contexts.length} + ${requests - contexts.length}`;
  });
  return json === stream ? json : `${json}; ${stream} as a stream`;
}
