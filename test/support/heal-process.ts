import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The order for a healing process. */
export interface HealOrder {
  readonly path: string;
  readonly conversationId: string;
  readonly baseURL: string;
  readonly mirrorLease: number;
  /** How far its clock is ahead, in milliseconds: so that the lease of a process that was killed before has run out. */
  readonly later: number;
}

const WORKER = fileURLToPath(new URL('heal-worker.mjs', import.meta.url));

/**
 * Heals in a process of its own.
 * @param kill resolves when the process is to be killed, without a signal that it could catch.
 * @returns the new ID, if the process printed it, and its errors.
 */
export async function healElsewhere(
  order: HealOrder,
  kill?: Promise<unknown>,
): Promise<{ readonly to: string | undefined; readonly errors: string }> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let to: string | undefined;
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line !== 'ready') to = line;
  });
  void kill?.then(() => child.kill('SIGKILL'));
  await once(child, 'close');
  return { to, errors };
}
