import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sourceFiles } from './support/source-files.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Pronouns that begin a noun clause ("what the list shows"), or that hide the subject of a sentence ("nobody reads it"). */
const NOUN_CLAUSE =
  /\b(?:what|whatever|who|whoever|whom|nobody|anybody|somebody|everybody)\b(?![^.?!|;]*\?)/gi;

const WORD = /[A-Za-z][\w'-]*/g;

const MAX_PER_THOUSAND = 2;

/** The page that is generated from the comments. */
const GENERATED = 'reference.md';

/** The comments of a source, without code in backticks. */
function commentsOf(text: string): string {
  const comments = [...text.matchAll(/\/\*[\s\S]*?\*\/|(?<=^|[\s;{(,])\/\/.*$/gm)].map(([comment]) =>
    comment.replaceAll(/^\s*\*(?!\/)/gm, ''),
  );
  return comments
    .join('\n')
    .replaceAll(/^\s*```[\s\S]*?^\s*```/gm, '')
    .replaceAll(/`[^`]*`/g, '');
}

/** A page without code, and without the targets of its links. */
function proseOf(text: string): string {
  return text
    .replaceAll(/^\s*```[\s\S]*?^\s*```/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
    .replaceAll(/\]\([^)]*\)/g, ']');
}

const count = (pattern: RegExp, text: string): number => [...text.matchAll(pattern)].length;

const perThousand = (texts: readonly string[]): number => {
  const text = texts.join('\n\n');
  return (1000 * count(NOUN_CLAUSE, text)) / Math.max(1, count(WORD, text));
};

/** The texts with the most noun clauses, for the message of a failure. */
function worst(texts: ReadonlyMap<string, string>): string[] {
  return [...texts]
    .map(([name, text]) => ({ name, clauses: count(NOUN_CLAUSE, text) }))
    .filter(({ clauses }) => clauses > 0)
    .toSorted((a, b) => b.clauses - a.clauses)
    .slice(0, 20)
    .map(({ name, clauses }) => `${name}: ${clauses}`);
}

const comments = (room: 'src' | 'mocks'): Map<string, string> =>
  new Map(sourceFiles(room).map(({ path, text }) => [path, commentsOf(text)]));

const pages = new Map(
  [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
    ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md') && path !== GENERATED)
      .map((path) => `docs/${path}`),
  ].map((path) => [path, proseOf(readFileSync(`${root}${path}`, 'utf8'))]),
);

test('a question, code and a link hold no noun clause', () => {
  expect(count(NOUN_CLAUSE, proseOf('What is lost? `what` [here](what.md), and whoever asks.'))).toBe(1);
  expect(count(NOUN_CLAUSE, commentsOf("/** Nobody, `who` */ const url = 'http://who'; // what is it"))).toBe(
    2,
  );
});

test.each([
  { name: 'comments in src/', texts: comments('src') },
  { name: 'comments in mocks/', texts: comments('mocks') },
  { name: 'README, CONTRIBUTING, CHANGELOG, SECURITY and docs/', texts: pages },
])('$name have at most 2 noun clauses in 1,000 words', ({ texts }) => {
  const rate = perThousand([...texts.values()]);
  const found = rate <= MAX_PER_THOUSAND ? [] : [`${rate.toFixed(1)} in 1,000 words`, ...worst(texts)];
  expect(found).toEqual([]);
});
