import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = await readFile(`${root}docs/guarantees.md`, 'utf8');
const rows = [...page.matchAll(/^\| (.+) \| `(test\/.+?)` \| (.+) \|$/gm)].map(
  ([, promise = '', file = '', title = '']) => ({ promise, file, title }),
);

it('docs/guarantees.md names a test for every promise', () => {
  expect(rows.length).toBeGreaterThan(40);
  expect(rows.length).toBe([...page.matchAll(/^\| (?!promise|---)/gm)].length);
});

it.each(rows)('$promise: the test exists', async ({ file, title }) => {
  const source = await readFile(`${root}${file}`, 'utf8');
  // As it is written, in any quotes.
  expect(source.replaceAll('\\', '')).toContain(title);
});

it.each([
  ['README.md', 'docs/guarantees.md'],
  ['README.md', 'SECURITY.md'],
  ['SECURITY.md', 'docs/guarantees.md'],
])('%s links to %s', async (from, to) => {
  expect(await readFile(`${root}${from}`, 'utf8')).toContain(`(${to})`);
});
