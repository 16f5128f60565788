import { fork } from 'node:child_process';

/**
 * Runs a program in a process of its own.
 *
 * @param what is named in the error if the process ends without a message.
 * @returns the message that the program sends.
 */
export function runForked(what, program, args, execArgv = []) {
  return new Promise((resolve, reject) => {
    const child = fork(program, args, { execArgv });
    let result;
    child.on('message', (message) => (result = message));
    child.once('exit', (code) =>
      result === undefined ? reject(new Error(`bench: ${what} ended with ${code}`)) : resolve(result),
    );
  });
}
