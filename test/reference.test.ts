import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { llmsPage } from '../scripts/reference/llms.mjs';
import { referencePage } from '../scripts/reference/page.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const path = `${root}docs/reference.md`;

const page = await referencePage(root);
if (process.env['UPDATE_DOCS'] === '1') await writeFile(path, page);

test('docs/reference.md is the page that the generator writes (npm run reference)', async () => {
  expect(await readFile(path, 'utf8')).toBe(page);
});

test('docs/reference.md describes every option, event, warning and error', () => {
  for (const heading of ['Options', 'Events', 'Warning codes', 'Errors', 'Exit codes']) {
    const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
    expect(section.split('\n').length).toBeGreaterThan(8);
  }
  expect(page).not.toMatch(/### `(?:undefined|\?)/);
});

test('llms.txt is the page that the generator writes from the headings (npm run reference)', async () => {
  const llms = await llmsPage(root);
  expect(await readFile(`${root}llms.txt`, 'utf8')).toBe(llms);
  expect(llms).toContain('(docs/ledgers.md): ');
  expect(llms).not.toMatch(/\): \.|undefined/);
});
