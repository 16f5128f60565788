// How many turns a process takes in a second, with very many live sessions: the client calls the simulator in the same process, without
// HTTP. A part: see run-part.mjs.
import { performance } from 'node:perf_hooks';
import { memoryLedger } from 'agents-hybrid-session';
import OpenAI from 'openai';
import { createSimulatorCore } from '../../dist/esm/mocks/simulator.js';
import { agent, hybridSession, runnerOf, stockRunner } from './clients.mjs';
import { answerTo, question } from './script.mjs';

const AT_ONCE = 50;
const BLOCK = 500;

/**
 * Every session has one turn before the measurement, and the blocks of turns take turns, so that a disturbance affects both.
 *
 * @returns for each way the turns per second of each block, with so many at once, and the milliseconds of single turns, one at a
 * time.
 */
export async function runThroughput({ sessions, blocks, say }) {
  const ways = [];
  for (const [name, begin] of Object.entries({ hand: byHand, anchored: withSessions })) {
    say(`throughput: ${sessions} conversations, ${name}`);
    const simulator = createSimulatorCore({
      unlink: 'none',
      retain: sessions * 20,
      respond: (context) => answerTo(context),
    });
    const client = new OpenAI({
      apiKey: 'key',
      baseURL: 'http://simulator.test/v1',
      fetch: (target, init) => simulator.handle(new Request(target, init)),
    });
    const way = { name, turn: begin(client), next: 0, perSecond: [], single: [] };
    await many(way, sessions);
    ways.push(way);
  }
  for (let block = 0; block < blocks; block += 1) {
    for (const way of ways) {
      globalThis.gc();
      const begun = performance.now();
      await many(way, BLOCK);
      way.perSecond.push((BLOCK * 1000) / (performance.now() - begun));
    }
    for (const way of ways) {
      for (let count = 0; count < BLOCK; count += 1) {
        const begun = performance.now();
        await way.turn((way.next += 1) % sessions);
        way.single.push(performance.now() - begun);
      }
    }
  }
  return ways.map(({ name, perSecond, single }) => ({ way: name, sessions, perSecond, single }));

  async function many(way, count) {
    const end = way.next + count;
    const worker = async () => {
      while (way.next < end) await way.turn((way.next += 1) % sessions);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }
}

function byHand(client) {
  const runner = stockRunner(client);
  const last = new Map();
  return async (index) => {
    const result = await runner.run(agent, question(index), { previousResponseId: last.get(index) });
    last.set(index, result.lastResponseId);
  };
}

function withSessions(client) {
  const runner = runnerOf('anchored', client);
  const ledger = memoryLedger();
  const live = new Map();
  return async (index) => {
    let session = live.get(index);
    if (session === undefined) live.set(index, (session = hybridSession(client, { ledger, mirror: 'off' })));
    await runner.run(agent, question(index), { session });
  };
}
