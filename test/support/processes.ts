import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where a store that many processes can reach lives: a file or a URL. */
export interface SharedStore {
  readonly kind: 'sqlite' | 'redis' | 'postgres' | 'mysql';
  readonly at: string;
}

/** The order for a worker process. */
export interface WorkerOrder {
  readonly store: SharedStore;
  readonly conversationId: string;
  readonly baseURL: string;
  readonly name: string;
  readonly turns: number;
  readonly mirrorLease: number;
  /** How far its clock is ahead, in milliseconds: so that the lease of a process that was killed before has run out. */
  readonly later: number;
}

/** The results of a worker process. */
export interface WorkerResult {
  /** The texts of the turns whose run resolved. */
  readonly resolved: readonly string[];
  /** Whether it ended by itself, with nothing pending. */
  readonly finished: boolean;
  readonly errors: string;
}

const WORKER = fileURLToPath(new URL('turn-worker.mjs', import.meta.url));

/**
 * Runs a worker process.
 *
 * @param kill resolves when it is to be killed, with no chance to say goodbye.
 */
export async function work(order: WorkerOrder, kill?: Promise<unknown>): Promise<WorkerResult> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const resolved: string[] = [];
  let finished = false;
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'flushed') finished = true;
    else if (line !== 'ready') resolved.push(line);
  });
  void kill?.then(() => child.kill('SIGKILL'));
  await once(child, 'close');
  return { resolved, finished, errors };
}
