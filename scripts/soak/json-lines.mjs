import { createInterface } from 'node:readline';

/** Calls the listener with each line of a stream that is JSON. */
export function readLines(stream, listener) {
  createInterface({ input: stream }).on('line', (line) => {
    let value;
    try {
      value = JSON.parse(line);
    } catch {
      return;
    }
    listener(value);
  });
}

/** Writes a line; a pipe takes it at once, so a process that is killed afterwards has said it. */
export const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
