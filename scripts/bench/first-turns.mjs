// What a new process takes to load the SDK, to load this package, and to run its first turn. A part: see run-part.mjs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runForked } from './run-forked.mjs';
import { startServer } from './start-server.mjs';

const PROCESS = fileURLToPath(new URL('first-turn-process.mjs', import.meta.url));

/** `memory` is the SDK's session, `ledger` ours with its default ledger, `sqlite` ours with a new file. */
const WAYS = ['memory', 'ledger', 'sqlite'];

/** @returns for each way the milliseconds of every process. */
export async function runFirstTurns({ latency, processes, say }) {
  const server = await startServer({ latency });
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const measured = [];
  try {
    say('first turns');
    // The first process reads the files from the disk.
    for (let count = -1; count < processes; count += 1) {
      for (const way of WAYS) {
        const options = { way, url: server.url, path: join(folder, `${count}.db`) };
        const first = await runForked('a first turn', PROCESS, [JSON.stringify(options)]);
        if (count >= 0) measured.push({ way, ...first });
      }
    }
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return measured;
}
