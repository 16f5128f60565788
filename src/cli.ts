#!/usr/bin/env node
import { addAbortSignal } from 'node:stream';
import { isatty } from 'node:tty';
import { loadPackage } from './cli/setup/load-package.ts';
import { main } from './cli/main.ts';

// `agents-hybrid-session repro | head -1` closes the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

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
      let asked = 0;
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        // Not `once`: the SDK ends the process when no other listener is left. The second signal ends it at once.
        process.on(signal, () => ((asked += 1) === 1 ? resolve(signal) : process.exit(130)));
      }
    }),
  load: loadPackage,
});
