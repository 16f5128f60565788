#!/usr/bin/env node
import { addAbortSignal } from 'node:stream';
import { isatty } from 'node:tty';
import { loadPackage } from './cli/setup/load-package.ts';
import { main } from './cli/main.ts';

/** Resolves with a name for the first failure of standard output, such as a reader that went away: `list | head -1`. */
const unwritable = new Promise<string>((resolve) => {
  let code: string | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (code !== undefined) return;
    code = error.code ?? error.name;
    if (code !== 'EPIPE')
      process.stderr.write(
        `agents-hybrid-session: cannot_write: Cannot write to standard output (${code})\n` +
          'Try: the same again, with another place for its output\n',
      );
    resolve(code === 'EPIPE' ? 'SIGPIPE' : code);
  });
  process.on('exit', () => {
    if (code !== undefined && code !== 'EPIPE') process.exitCode = 70;
  });
});
// A message that cannot be written ends no work.
process.stderr.on('error', () => undefined);

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  input: (signal) => addAbortSignal(signal, process.stdin.setEncoding('utf8')),
  terminal: {
    input: isatty(0),
    out: isatty(1),
    err: isatty(2),
    columns: process.stdout.columns ?? 80,
  },
  stopped: () =>
    new Promise((resolve) => {
      void unwritable.then(resolve);
      let asked = 0;
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        // Not `once`: the SDK ends the process when no other listener is left. The second signal ends it at once.
        process.on(signal, () => ((asked += 1) === 1 ? resolve(signal) : process.exit(130)));
      }
    }),
  load: loadPackage,
});
