// The process in which the mutants of a room are tried: node scripts/mutation/trial.mjs FOLDER ROOM
// Mutants in code that runs when a file is loaded, and that no test has noticed so far, are tried one by one, each with
// its files loaded anew.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVitest } from 'vitest/node';
import { readLog } from './log.mjs';

const [folder, root] = process.argv.slice(2);
const { mutants } = JSON.parse(readFileSync(join(folder, 'mutants.json'), 'utf8'));
const coverage = join(folder, 'coverage.json');

const vitest = await createVitest('test', {
  root,
  config: join(root, 'scripts', 'mutation', 'vitest.config.mjs'),
  watch: false,
  reporters: [{}],
});

/** @returns whether all tests passed. */
async function run(mode, mutant) {
  vitest.state.filesMap.clear();
  vitest.state.errorsSet.clear();
  vitest.provide('mutation', { mode, folder, mutant: mutant?.id });
  vitest.config.related = mutant === undefined ? undefined : [join(root, mutant.fileName)];
  vitest.config.bail = mutant === undefined ? 0 : 1;
  process.env['MUTATED_FILE'] = mutant?.fileName ?? '';
  await vitest.start();
  const failed = vitest.state.getFiles().filter(({ result }) => result?.state === 'fail');
  return { failed, passed: failed.length === 0 && vitest.state.errorsSet.size === 0 };
}

if (!existsSync(coverage)) {
  const { passed, failed } = await run('cover');
  if (!passed) {
    console.error('mutation: these tests fail before anything is broken:');
    for (const { name } of failed) console.error(`  ${name}`);
    for (const error of vitest.state.errorsSet) console.error(error);
    await vitest.close();
    process.exit(1);
  }
}
await run('try');
const { fixed } = JSON.parse(readFileSync(coverage, 'utf8'));
const { noticed, passed } = readLog(folder);
const log = (entry) => appendFileSync(join(folder, 'log'), `${JSON.stringify(entry)}\n`);
for (const mutant of mutants) {
  const { id } = mutant;
  if (!(id in fixed) || noticed.has(id) || passed.has(`${id} `)) continue;
  log({ begin: id });
  const outcome = await run('load', mutant);
  log(outcome.passed ? { passed: id } : { noticed: id });
}
await vitest.close();
// Open handles of tests must not keep the process alive.
process.exit(0);
