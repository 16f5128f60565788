import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PART = fileURLToPath(new URL('run-part.mjs', import.meta.url));

/** Runs a part in a process of its own; `profile` is a folder for a CPU profile of it. */
export function startPart(name, options, profile) {
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  return new Promise((resolve, reject) => {
    const child = fork(PART, [name, JSON.stringify(options)], { execArgv: ['--expose-gc', ...profiling] });
    let result;
    child.on('message', (message) => (result = message));
    child.once('exit', (code) =>
      result === undefined ? reject(new Error(`bench: '${name}' ended with ${code}`)) : resolve(result),
    );
  });
}
