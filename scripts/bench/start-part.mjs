import { fileURLToPath } from 'node:url';
import { runForked } from './run-forked.mjs';

const PART = fileURLToPath(new URL('run-part.mjs', import.meta.url));

/** Runs a part in a process of its own; `profile` is a folder for a CPU profile of it. */
export function startPart(name, options, profile) {
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  return runForked(`'${name}'`, PART, [name, JSON.stringify(options)], ['--expose-gc', ...profiling]);
}
