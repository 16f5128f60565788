// Writes docs/reference.md from the docstrings of the sources, and llms.txt from the headings: `node scripts/reference.mjs`.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { llmsPage } from './reference/llms.mjs';
import { referencePage } from './reference/page.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
await writeFile(`${root}docs/reference.md`, await referencePage(root));
await writeFile(`${root}llms.txt`, await llmsPage(root));
