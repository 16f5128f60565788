// The tests that a mutant has to pass: those of its own room and its stories, quick ones first.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BaseSequencer } from 'vitest/node';
import { defineConfig } from 'vitest/config';
import { EXCLUDED_TESTS, testsOf } from './rooms.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const room = process.env['MUTATION_ROOM'] ?? '*';
const folder = process.env['MUTATION_FOLDER'];
const { sources } =
  folder === undefined ? {} : JSON.parse(readFileSync(join(folder, 'mutants.json'), 'utf8'));

const FAST_CHECK = join(root, 'scripts', 'mutation', 'fast-check.mjs');
const LOAD_SOURCES = join(root, 'scripts', 'mutation', 'load-sources.mjs');

/** @returns the duration of each test file without a mutant, as far as it is known. */
function durations() {
  const known = new Map();
  const coverage = join(folder ?? '', 'coverage.json');
  if (folder === undefined || !existsSync(coverage)) return known;
  for (const { file, duration } of Object.values(JSON.parse(readFileSync(coverage, 'utf8')).tests))
    known.set(file, (known.get(file) ?? 0) + duration);
  return known;
}

class QuickFirst extends BaseSequencer {
  async sort(files) {
    const known = durations();
    const mutated = basename(process.env['MUTATED_FILE'] ?? '', '.ts');
    /** The mutated file's own test comes first. */
    const rank = ({ moduleId }) =>
      basename(moduleId, '.test.ts') === mutated ? -1 : (known.get(moduleId) ?? 0);
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
    include: testsOf(room),
    exclude: EXCLUDED_TESTS,
    // One copy of the SDK for all files.
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
    ...(sources === undefined
      ? {}
      : { runner: join(root, 'scripts', 'mutation', 'runner.mjs'), setupFiles: [LOAD_SOURCES] }),
    onConsoleLog: () => false,
    sequence: { sequencer: QuickFirst },
    testTimeout: 25_000,
  },
});
