import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where a store that many processes can reach lives: a file or a URL. */
export interface SharedStore {
  readonly kind: 'sqlite' | 'redis' | 'postgres';
  readonly at: string;
}

/** What a worker process is to do. */
export interface WorkerOrder {
  readonly store: SharedStore;
  readonly conversationId: string;
  readonly baseURL: string;
  readonly name: string;
  readonly turns: number;
  readonly mirrorLease: number;
  readonly pause?: number;
}

/** What a worker process did. */
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
 * @param killAfter milliseconds from the moment it is ready until it is killed, with no chance to say goodbye.
 */
export async function work(order: WorkerOrder, killAfter?: number): Promise<WorkerResult> {
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
    else if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
  });
  await once(child, 'close');
  return { resolved, finished, errors };
}
