// A few turns with the packed package; in Bun the stores over its own clients, too.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The programs of a runtime, and the arguments before them. Every Node has the same. */
const NODE = { args: [], files: ['smoke.mjs'] };
const PROGRAMS = {
  bun: { args: [], files: ['smoke.mjs', 'bun-stores.mjs'] },
  deno: { args: ['run', '-A', '--node-modules-dir=manual'], files: ['smoke.mjs'] },
};

/** @returns the counts of a cell, and its failures. */
export async function runSmoke({ name, node }, folder) {
  const { args, files } = PROGRAMS[name] ?? NODE;
  const failures = [];
  for (const file of files) {
    const problem = await run(node ?? join(folder, 'node_modules', '.bin', name), [...args, file], folder);
    if (problem !== undefined) failures.push(`${name} ${file}: ${problem}`);
  }
  return { passed: files.length - failures.length, skipped: 0, failures };
}

/** @returns the problem, if there was one. */
function run(command, args, cwd) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], timeout: 240_000 });
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('close', (status) => resolve(status === 0 ? undefined : `it ended with ${status}`));
  });
}
