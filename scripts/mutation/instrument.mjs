// The sources with all their mutants in them, each behind a switch: the instrumenter of Stryker.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';

const silent = {
  isDebugEnabled: () => false,
  debug() {},
  info() {},
  warn: console.warn,
  error: console.error,
};

/** @returns the sources by name, and the place of each change. */
export async function instrument(root, names) {
  const instrumenter = new Instrumenter(silent);
  const contents = new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
  const { files, mutants } = await instrumenter.instrument(
    names.map((name) => ({ name, mutate: true, content: contents.get(name) })),
    { plugins: null, excludedMutations: [], ignorers: [] },
  );
  return {
    sources: Object.fromEntries(files.map(({ name, content }) => [name, content])),
    mutants: mutants.map(({ id, fileName, mutatorName, replacement, location }) => ({
      id,
      fileName,
      mutatorName,
      replacement,
      line: location.start.line + 1,
      text: (contents.get(fileName).split('\n')[location.start.line] ?? '').trim(),
    })),
  };
}
