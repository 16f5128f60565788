// How long a new process takes until the first answer in a session of many turns. A part: see run-part.mjs.
import { fileURLToPath } from 'node:url';
import { coldStart, WAYS } from './cold-start.mjs';
import { grownLedger } from './ledger-copy.mjs';
import { runForked } from './run-forked.mjs';
import { startServer } from './start-server.mjs';
import { openStores } from './stores.mjs';

const PROCESS = fileURLToPath(new URL('cold-start-process.mjs', import.meta.url));
const WARM_UP = 3;

/**
 * @returns for each store, way and place (`warm`: a new session object in a process that has run before; `new`: a new
 * process) the starts, see `coldStart`.
 */
export async function runColdStarts({ latency, turns, repeats, processes, say }) {
  const server = await startServer({ latency });
  const stores = await openStores();
  const measured = [];
  try {
    say(`cold starts: a session of ${turns} turns`);
    const grown = await grownLedger(server.url, turns, { mirror: 'background' });
    for (const store of stores) {
      say(`cold starts: ${store.name}`);
      const where = { url: server.url, sessionId: grown.sessionId, turn: turns + 1 };
      // Every start adds a turn to its session: each gets a copy of its own.
      const copy = await copies(store, grown);
      for (let count = -WARM_UP; count < repeats; count += 1) {
        for (const way of WAYS) {
          await copy.renew();
          globalThis.gc();
          const start = await coldStart(way, { ...where, store });
          if (count >= 0) measured.push({ store: store.name, way, place: 'warm', ...start });
        }
      }
      if (store.path === undefined) continue;
      for (let count = 0; count < processes; count += 1) {
        for (const way of WAYS) {
          await copy.renew();
          const options = { ...where, way, path: store.path, rawPath: store.rawPath };
          const start = await runForked('a cold start', PROCESS, [JSON.stringify(options)]);
          measured.push({ store: store.name, way, place: 'new', ...start });
        }
      }
    }
  } finally {
    for (const store of stores) await store.close();
    server.close();
  }
  return measured;
}

/** Puts the session back to where it was before the last start. */
async function copies(store, { sessionId, records, head, responseId }) {
  const raw = await store.raw();
  await raw.write(sessionId, 1, responseId);
  await raw.close();
  return {
    async renew() {
      const ledger = store.ledger();
      const version = (await ledger.checkpoint(sessionId))?.version;
      if (version !== records.length) {
        await ledger.delete(sessionId);
        await ledger.append(sessionId, records, head, 0);
      }
      await ledger.close?.();
    },
  };
}
