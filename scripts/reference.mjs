// Writes docs/reference.md from the docstrings of the sources: `node scripts/reference.mjs`.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { referencePage } from './reference/page.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
await writeFile(`${root}docs/reference.md`, await referencePage(root));
