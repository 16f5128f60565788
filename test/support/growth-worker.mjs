// A process of its own that counts the work of each operation on a session: `node growth-worker.mjs '{ "turns": 100 }'`. Prints one
// JSON object: for each operation the executed blocks of the library's code, the records read and the requests. With `"isAlone": true`
// the session has no conversation, and the model sees the newest turns.
import { Session } from 'node:inspector/promises';
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { createSimulatorCore } from '../../dist/esm/mocks/simulator.js';
import { diagnose } from '../../dist/esm/src/doctor.js';
import { HybridRunner, HybridSession, memoryLedger } from '../../dist/esm/src/index.js';

const LIBRARY = new URL('../../dist/esm/src/', import.meta.url).href;
const { turns: TURNS, isAlone = false } = JSON.parse(process.argv[2] ?? '{}');

const inspector = new Session();
inspector.connect();
await inspector.post('Profiler.enable');
await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** The blocks of the library that were executed since the last call, each as often as it was. */
async function takeBlocks() {
  const { result } = await inspector.post('Profiler.takePreciseCoverage');
  const ranges = result
    .filter(({ url }) => url.startsWith(LIBRARY))
    .flatMap(({ functions }) => functions.flatMap((each) => each.ranges));
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

const simulator = createSimulatorCore({ unlink: 'none', respond: (context) => `answer ${context.length}` });
let requests = 0;
const client = new OpenAI({
  apiKey: 'test',
  baseURL: 'http://127.0.0.1/v1',
  fetch: (...args) => {
    requests += 1;
    return simulator.fetch(...args);
  },
});
const memory = memoryLedger();
let records = 0;

/** The store as another process has it: nothing of it is in memory. */
function coldStore() {
  return {
    ...memory,
    checkpoint: (...args) => memory.checkpoint(...args),
    append: (...args) => memory.append(...args),
    rewrite: (...args) => memory.rewrite(...args),
    delete: (...args) => memory.delete(...args),
    read: async (...args) => {
      const part = await memory.read(...args);
      records += part.records.length;
      return part;
    },
  };
}

const open = (options = {}) =>
  new HybridSession({
    client,
    ledger: coldStore(),
    sessionId: 'long',
    bookmark: false,
    ...(isAlone ? { mirror: 'off', history: { window: { turns: 10 } } } : {}),
    ...options,
  });

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
const runner = new HybridRunner({ tracingDisabled: true });
const lazyRunner = new HybridRunner({ tracingDisabled: true, history: 'reference' });
const user = (content) => ({ role: 'user', content });
const assistant = (text) => ({
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text }],
});

/** Turns of one append. */
const BATCH = isAlone ? 100 : 10;

let warm = open();
for (let turn = 0; turn < TURNS; turn += BATCH) {
  const numbers = Array.from({ length: BATCH }, (_, index) => turn + index);
  await warm.addItems(
    numbers.flatMap((number) => [user(`question ${number}`), assistant(`reply ${number}`)]),
  );
}
for (const text of ['one', 'two', 'three']) await runner.run(agent, text, { session: warm });
await warm.flush();
const { conversationId } = warm;

/** Deletes every tenth item of the list, as another client would. */
async function damage() {
  const items = simulator.snapshot().conversations.find(({ id }) => id === conversationId)?.items ?? [];
  for (const [index, { id }] of items.entries())
    if (index % 10 === 5) await client.conversations.items.delete(id, { conversation_id: conversationId });
}

const flushed = async (work) => {
  await work;
  await warm.flush();
};

const OPERATIONS = {
  append: () => flushed(warm.addItems([user('more')])),
  getItems: () => warm.getItems(),
  'getItems(10)': () => warm.getItems(10),
  turn: () => flushed(runner.run(agent, 'a turn', { session: warm })),
  'turn by reference': () => flushed(lazyRunner.run(agent, 'a turn', { session: warm })),
  turns: () => warm.turns({ limit: 10 }),
  usage: () => warm.usage(),
  transcript: () => warm.transcript({ limit: 10 }),
  find: () => warm.find('question 7'),
  popItem: () => flushed(warm.popItem()),
  undo: () => flushed(warm.undo()),
  fork: () => warm.fork({ sessionId: `fork of ${TURNS}` }),
  verify: () => warm.verify(),
  'cold getItems': () => open().getItems(),
  'cold turn': async () => {
    const session = open();
    await runner.run(agent, 'a cold turn', { session });
    await session.flush();
  },
  'cold turn by reference': async () => {
    const session = open();
    await lazyRunner.run(agent, 'a cold turn', { session });
    await session.flush();
  },
  adoption: () => open({ sessionId: undefined, conversationId, ledger: memoryLedger() }).getItems(),
  diagnosis: () => diagnose({ client, conversationId: 'long', ledger: coldStore() }),
  'repair of a read': async () => {
    await damage();
    await takeBlocks();
    const session = open({ rollout: 'rebuild', advanced: { compare: 'on-read' } });
    await session.getItems();
    await session.verify();
  },
  heal: () => open().heal(),
  compaction: async () => {
    warm = open();
    await warm.runCompaction({ force: true });
  },
  'turn behind a compaction': () => flushed(runner.run(agent, 'a turn', { session: warm })),
  clear: () => warm.clearSession(),
};

/** The operations on the list. */
const NEED_CONVERSATION = new Set(['adoption', 'diagnosis', 'repair of a read', 'heal', 'compaction']);

const counts = {};
for (const [name, work] of Object.entries(OPERATIONS)) {
  if (isAlone && NEED_CONVERSATION.has(name)) continue;
  requests = 0;
  records = 0;
  await takeBlocks();
  await work();
  counts[name] = { blocks: await takeBlocks(), records, requests };
}
process.stdout.write(JSON.stringify(counts));
