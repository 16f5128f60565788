// A few turns in another runtime than Node.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** @returns the counts of a cell, and its failures. */
export function runSmoke({ name }, folder) {
  const args = name === 'deno' ? ['run', '-A', '--node-modules-dir=manual', 'smoke.mjs'] : ['smoke.mjs'];
  const child = spawn(join(folder, 'node_modules', '.bin', name), args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 120_000,
  });
  return new Promise((resolve) => {
    const end = (problem) =>
      resolve({
        passed: problem === undefined ? 1 : 0,
        skipped: 0,
        failures: problem === undefined ? [] : [problem],
      });
    child.once('error', ({ message }) => end(message));
    child.once('close', (status) => end(status === 0 ? undefined : `${name} ended with ${status}`));
  });
}
