// The simulator in a process of its own.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** @returns its URL, and how to end it. */
export async function startSimulator() {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'simulator.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`The simulator ended with ${code}`)));
  });
  return { url, close: () => child.stdin.end() };
}
