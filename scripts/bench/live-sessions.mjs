// How much memory an idle session takes, with very many of them in one process. A part: see run-part.mjs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentCache, memoryLedger } from 'agents-hybrid-session';
import { sqliteLedger } from 'agents-hybrid-session/sqlite';
import { agent, clientFor, hybridSession, runnerOf } from './clients.mjs';
import { itemsOfTurns, question } from './script.mjs';
import { startServer } from './start-server.mjs';

const AT_ONCE = 20;
const TURNS = 10;

/**
 * @returns for each kind the bytes of a session: the growth of the collected heap, and of the resident memory.
 * @throws if a sample of the sessions, used again, lacks an item.
 */
export async function runLiveSessions({ kind, sessions, say }) {
  const server = await startServer({ latency: 0, retain: sessions * 2 });
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const file = sqliteLedger({ path: join(folder, 'ledger.db') });
  const client = clientFor(server.url, 'key');
  const runner = runnerOf('anchored', client);
  const nothing = contentCache(1);
  const kinds = {
    /** The history is released after each use. */
    idle: () => filled({ ledger: file, mirror: 'off', advanced: { cache: nothing } }),
    /** The history stays in memory. */
    sqlite: () => filled({ ledger: file, mirror: 'off' }),
    /** With its content. */
    memory: (ledger) => filled({ ledger, mirror: 'off' }),
    /** One real turn each, with a conversation. */
    mirrored: (ledger) => asked({ ledger }),
  };
  try {
    say(`${sessions} live sessions: ${kind}`);
    const ledger = memoryLedger();
    // Objects that all sessions share are no session's memory.
    for (let count = 0; count < 50; count += 1) await kinds[kind](ledger);
    const before = memory();
    const live = [];
    for (let from = 0; from < sessions; from += AT_ONCE) {
      const chunk = Array.from({ length: Math.min(AT_ONCE, sessions - from) }, () => kinds[kind](ledger));
      live.push(...(await Promise.all(chunk)));
    }
    const after = memory();
    const length = kind === 'mirrored' ? 2 : TURNS * 2;
    for (let index = 0; index < live.length; index += Math.ceil(live.length / 100)) {
      const items = await live[index].getItems();
      if (items.length !== length) throw new Error(`bench: a session has ${items.length} of ${length} items`);
    }
    return {
      kind,
      sessions,
      turns: length / 2,
      heap: (after.heap - before.heap) / sessions,
      resident: (after.resident - before.resident) / sessions,
    };
  } finally {
    server.close();
    await file.close();
    rmSync(folder, { recursive: true, force: true });
  }

  async function filled(options) {
    const session = hybridSession(client, options);
    await session.addItems(itemsOfTurns(1, TURNS));
    return session;
  }

  async function asked(options) {
    const session = hybridSession(client, options);
    await runner.run(agent, question(1), { session });
    return session;
  }
}

function memory() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}
