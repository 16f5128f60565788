// The tests that a mutant has to get past: those of its own room, quick ones first. What only a story would notice counts
// as not noticed.
import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BaseSequencer } from 'vitest/node';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('../..', import.meta.url));
const room = process.env['MUTATION_ROOM'] ?? '*';
const folder = process.env['MUTATION_FOLDER'];
const { sources } =
  folder === undefined ? {} : JSON.parse(readFileSync(join(folder, 'mutants.json'), 'utf8'));

const FAST_CHECK = join(root, 'scripts', 'mutation', 'fast-check.mjs');

/** Test files that take long, the longest last. */
const SLOW = [
  'agent-item',
  'draft-store',
  'copy-json',
  'apply-records',
  'digest-oracle',
  'history-reader',
  'reconcile',
  'round-trip',
];

/** The file's own test before all others. */
function rank({ moduleId }) {
  const name = basename(moduleId, '.test.ts');
  return name === basename(process.env['MUTATED_FILE'] ?? '', '.ts') ? -2 : SLOW.indexOf(name);
}

class QuickFirst extends BaseSequencer {
  async sort(files) {
    return files.toSorted((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

export default defineConfig({
  plugins: [
    {
      name: 'mutants',
      enforce: 'pre',
      load: (id) => sources?.[relative(root, id)],
      resolveId: (id, importer) => (id === 'fast-check' && importer !== FAST_CHECK ? FAST_CHECK : undefined),
    },
  ],
  test: {
    root,
    include: [`test/${room}/*.test.ts`],
    // It counts calls, for which it has to load everything itself.
    exclude: ['test/model/digest-work.test.ts'],
    // One copy of the SDK for all files.
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
    ...(sources === undefined ? {} : { runner: join(root, 'scripts', 'mutation', 'runner.mjs') }),
    onConsoleLog: () => false,
    sequence: { sequencer: QuickFirst },
    testTimeout: 10_000,
  },
});
