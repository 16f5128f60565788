import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readLines } from './json-lines.mjs';

/** Runs one of the soak's programs; it gets its order as an argument, commands on stdin, and says JSON lines. */
export function runProgram(program, order, onLine) {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), JSON.stringify(order)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = `${errors}${text}`.slice(-4000);
  });
  child.stdin.on('error', () => undefined);
  readLines(child.stdout, onLine);
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, errors }));
  return {
    child,
    ended,
    tell: (command) => child.stdin.write(`${JSON.stringify(command)}\n`),
    kill: () => child.kill('SIGKILL'),
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
  };
}

/** Starts the API. */
export async function startApi(order) {
  let waiting = [];
  let url;
  const program = runProgram('api.mjs', order, (line) => {
    url ??= line.url;
    for (const resolve of waiting.splice(0)) resolve(line);
  });
  const nextLine = () => new Promise((resolve) => waiting.push(resolve));
  program.child.stderr.pipe(process.stderr);
  await nextLine();
  return {
    ...program,
    url,
    async ask(command) {
      const answer = nextLine();
      program.tell(command);
      return answer;
    },
  };
}
