// Loads every mutated source before a test does: the mutants in code that runs then belong to no test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { sources } = JSON.parse(readFileSync(join(process.env['MUTATION_FOLDER'], 'mutants.json'), 'utf8'));
for (const name of Object.keys(sources)) await import(join(import.meta.dirname, '../..', name));
