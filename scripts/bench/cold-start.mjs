import { agent, hybridSession, runnerOf, stockRunner } from './clients.mjs';
import { question } from './script.mjs';
import { MemorySession } from '@openai/agents';
import OpenAI from 'openai';

/**
 * By hand: one row with the last response's ID. Ours: with the anchored history, and without. `memory`: the SDK's session, which holds
 * the whole history before the time begins.
 */
export const WAYS = ['hand', 'anchored', 'chain', 'memory'];

/**
 * One turn of a session that this process has not touched yet.
 *
 * @returns milliseconds to the request to the model and to the answer; requests sent and rows read before that request,
 * and rows read in all.
 */
export async function coldStart(way, { url, sessionId, turn, store }) {
  const known =
    way === 'memory'
      ? new MemorySession({ initialItems: await itemsIn(store.ledger(), sessionId) })
      : undefined;
  const begun = performance.now();
  const start = { rows: 0, requests: 0, rowsBefore: undefined, requestsBefore: undefined, asked: undefined };
  const client = new OpenAI({
    apiKey: 'key-cold',
    baseURL: url,
    fetch(target, init) {
      if (target === `${url}/responses` && start.asked === undefined) {
        start.asked = performance.now() - begun;
        start.rowsBefore = start.rows;
        start.requestsBefore = start.requests;
      }
      start.requests += 1;
      return fetch(target, init);
    },
  });
  const { answered, close } = await (known ? inMemory() : way === 'hand' ? byHand() : withSession());
  const took = answered - begun;
  await close();
  const { asked, rows, rowsBefore, requestsBefore } = start;
  return { asked, answered: took, rows, rowsBefore, requestsBefore };

  async function inMemory() {
    await stockRunner(client).run(agent, question(turn), { session: known });
    return { answered: performance.now(), close: async () => undefined };
  }

  async function byHand() {
    const raw = await store.raw();
    const previousResponseId = await raw.read(sessionId);
    start.rows += 1;
    await stockRunner(client).run(agent, question(turn), { previousResponseId });
    return { answered: performance.now(), close: () => raw.close() };
  }

  async function withSession() {
    const ledger = counted(store.ledger());
    const session = hybridSession(client, { ledger, conversationId: sessionId, mirror: 'background' });
    await runnerOf(way, client).run(agent, question(turn), { session });
    const answeredAt = performance.now();
    return {
      answered: answeredAt,
      async close() {
        await session.flush();
        await ledger.close?.();
      },
    };
  }

  function counted(ledger) {
    return {
      ...ledger,
      async checkpoint(id) {
        start.rows += 1;
        return ledger.checkpoint(id);
      },
      async read(...about) {
        const page = await ledger.read(...about);
        start.rows += page.records.length;
        return page;
      },
    };
  }
}

/** The items of a ledger that nothing was ever removed from. */
async function itemsIn(ledger, sessionId) {
  const items = [];
  let from = 0;
  for (;;) {
    const { records } = await ledger.read(sessionId, from);
    if (records.length === 0) break;
    for (const record of records)
      if (record.type === 'items') items.push(...record.items.map(({ item }) => item));
    from += records.length;
  }
  await ledger.close?.();
  return items;
}
