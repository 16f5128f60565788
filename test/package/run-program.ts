import { spawn, type ChildProcess } from 'node:child_process';

/** The output and the exit code of a program. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is started. */
export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that was started and not yet ended. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** Resolves with the first line on stdout that matches. */
  readonly line: (pattern: RegExp) => Promise<string>;
  readonly finished: Promise<Finished>;
}

/** Starts a program without a key, tracing or stdin. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): RunningProgram {
  const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, FORCE_COLOR: _color, ...surroundings } = process.env;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...surroundings, NO_COLOR: '1', OPENAI_AGENTS_DISABLE_TRACING: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = stdout
          .split('\n')
          .slice(0, -1)
          .find((one) => pattern.test(one));
        if (found === undefined) return;
        child.stdout.off('data', look);
        resolve(found);
      };
      child.stdout.on('data', look);
      void finished.then(
        ({ code }) => reject(new Error(`${command} ended with ${code}: ${stdout}${stderr}`)),
        reject,
      );
      look();
    });
  return { child, line, finished };
}

/** Runs a program to its end. @throws Error with all it said, unless it ended with exit code 0. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Finished> {
  const finished = await startProgram(command, args, options).finished;
  if (finished.code === 0) return finished;
  throw new Error(
    `'${command} ${args.join(' ')}' ended with ${finished.code}\n${finished.stdout}\n${finished.stderr}`,
  );
}
