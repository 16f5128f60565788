// The calls of a turn to its ledger: how many, for which purpose, and how long they take. A part: see run-part.mjs.
import { agent, clientFor, hybridSession, runnerOf } from './clients.mjs';
import { question } from './script.mjs';
import { startServer } from './start-server.mjs';
import { openStores } from './stores.mjs';

const WARM_UP_TURNS = 20;

/** @returns for each store and mirror the calls of every measured turn: `append` with the types of its records, `read`, `checkpoint`. */
export async function runLedgerWrites({ turns, say }) {
  const server = await startServer({ latency: 5 });
  const measured = [];
  for (const store of await openStores()) {
    for (const mirror of ['await', 'background', 'off']) {
      say(`ledger writes: ${store.name}, mirror ${mirror}`);
      const client = clientFor(server.url, `key-${store.name}-${mirror}`);
      const inner = store.ledger();
      const calls = [];
      const session = hybridSession(client, { ledger: watched(inner, calls), mirror });
      const runner = runnerOf('anchored', client);
      const perTurn = [];
      for (let turn = 1; turn <= WARM_UP_TURNS + turns; turn += 1) {
        calls.length = 0;
        await runner.run(agent, question(turn), { session });
        await session.flush();
        if (turn > WARM_UP_TURNS) perTurn.push([...calls]);
      }
      await inner.close?.();
      measured.push({ store: store.name, mirror, turns: perTurn });
    }
    await store.close();
  }
  server.close();
  return measured;
}

/** The same store; notes every call with its milliseconds and how many records it was about. */
function watched(store, calls) {
  const watch = async (what, work) => {
    const begun = performance.now();
    const result = await work();
    calls.push({ ...what(result), milliseconds: performance.now() - begun });
    return result;
  };
  return {
    checkpoint: (id) =>
      watch(
        () => ({ call: 'checkpoint', records: [] }),
        () => store.checkpoint(id),
      ),
    read: (id, from, to) =>
      watch(
        ({ records }) => ({ call: 'read', records: records.map(({ type }) => type) }),
        () => store.read(id, from, to),
      ),
    append: (id, records, head, expected) =>
      watch(
        () => ({ call: 'append', records: records.map(({ type }) => type) }),
        () => store.append(id, records, head, expected),
      ),
    rewrite: (id, records, head, expected) =>
      watch(
        () => ({ call: 'rewrite', records: records.map(({ type }) => type) }),
        () => store.rewrite(id, records, head, expected),
      ),
    delete: (id) => store.delete(id),
  };
}
