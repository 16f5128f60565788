import { once, EventEmitter } from 'node:events';
import type { CliIo } from '../../../src/cli/command.ts';
import { loadPackage } from '../../../src/cli/setup/load-package.ts';

/** An io that captures its output and lets a test send the signal. */
export interface CapturedIo {
  readonly io: CliIo;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves as soon as stdout holds something that matches, with the first group or the whole match. */
  readonly printed: (pattern: RegExp) => Promise<string>;
  readonly stop: (signal: string) => void;
}

/** The environment of a command. */
export interface Surroundings {
  /** Standard input, in pieces. */
  readonly input?: readonly string[];
  readonly terminal?: Partial<CliIo['terminal']>;
  /** In the place of installed packages. */
  readonly load?: CliIo['load'];
}

/** An io with the given environment, without a terminal. */
export function captureIo(
  env: Readonly<Record<string, string>> = {},
  { input = [], terminal = {}, load = loadPackage }: Surroundings = {},
): CapturedIo {
  const events = new EventEmitter();
  let stdout = '';
  let stderr = '';
  return {
    io: {
      env,
      out: (text) => {
        stdout += text;
        events.emit('out');
      },
      err: (text) => {
        stderr += text;
      },
      input: async function* (signal) {
        for (const piece of input) {
          signal.throwIfAborted();
          yield piece;
        }
      },
      terminal: { input: false, out: false, err: false, columns: 80, ...terminal },
      load,
      stopped: async () => String((await once(events, 'stop'))[0]),
    },
    stdout: () => stdout,
    stderr: () => stderr,
    printed: async (pattern) => {
      for (;;) {
        const match = pattern.exec(stdout);
        if (match !== null) return match[1] ?? match[0];
        await once(events, 'out');
      }
    },
    stop: (signal) => void events.emit('stop', signal),
  };
}
