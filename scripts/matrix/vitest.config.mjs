// The configuration of a cell of the matrix: imports of the sources lead to the built modules.
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = import.meta.dirname;
const modules = resolve(root, 'modules');

const built = {
  name: 'built-modules',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith('.')) return undefined;
    const path = resolve(importer, '..', source);
    for (const room of ['src', 'mocks']) {
      const from = resolve(root, room);
      if (!path.startsWith(`${from}/`)) continue;
      const id = `${resolve(modules, room)}${path.slice(from.length).replace(/\.ts$/, '.js')}`;
      return { id, external: true };
    }
    return undefined;
  },
};

export default defineConfig({
  plugins: [built],
  // Several cells run in one folder.
  cacheDir: process.env['MATRIX_CACHE'],
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // The cells share the cores; and one copy of the SDK for all files of a cell: loading it takes longer than most tests.
    maxWorkers: 1,
    isolate: false,
  },
});
