// A process that makes calls to the given sessions and prints the beginning and the outcome of each, one JSON line
// each. Ends after {"stop": true} on stdin.
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { HybridRunner, HybridSession } from '../../dist/esm/src/index.js';
import { runClock } from './fast-clock.mjs';
import { faultyStore } from './faulty-store.mjs';
import { readLines, say } from './json-lines.mjs';
import { random, sleep, weighted } from './random.mjs';
import { textsOf } from './texts.mjs';
import { openStores } from './stores.mjs';

const order = JSON.parse(process.argv[2]);
const { name, index, seed, speed, baseURL, lanes, kinds, period } = order;
const { rate } = order;
const faults = new Set(order.faults);
runClock(order);
const next = random(seed);
const client = new OpenAI({ apiKey: 'soak', baseURL, timeout: 3000, maxRetries: 2 });
const opened = await openStores(kinds, order);
const { stores } = opened;
const struck = (fault) => say({ struck: fault });
for (const kind of kinds) {
  stores[kind] = faultyStore(stores[kind], { next, faults, rate, speed, struck });
}

const runner = new HybridRunner({ tracingDisabled: true });
const agents = ['gpt-5.4', 'gpt-4.1'].map((model) => new Agent({ name: 'Assistant', model }));
const QUIET = new Set(['turn']);
const WEIGHTS = {
  run: 42,
  add: 30,
  pop: 4,
  verify: 6,
  read: 6,
  flush: 4,
  reopen: 6,
  heal: 0.7,
  clear: 0.5,
  ...order.calls,
};
/**
 * The lease must outlast a request: the client's timeout, and the delay of a machine with more processes than cores.
 */
const MIRROR_LEASE_MS = 90_000;
const MAX_TRIES = 3;

const sessions = new Map();
const busy = new Set();
let count = 0;
const stopping = new AbortController();

function open(place) {
  const session = new HybridSession({
    client,
    ledger: stores[place.kind],
    sessionId: place.key,
    bookmark: false,
    mirror: index % 2 === 0 ? 'await' : 'background',
    advanced: { mirrorLease: MIRROR_LEASE_MS },
    onEvent({ type, code, findings, reason, count }) {
      if (QUIET.has(type)) return;
      say({
        event: code === undefined ? type : `${type}:${code}`,
        session: place.key,
        at: Date.now(),
        reason,
        count,
        ids: findings?.map(({ id }) => id),
      });
    },
  });
  sessions.set(place.key, session);
  return session;
}

/** The sessions of this moment: histories must not grow for ever. */
function places() {
  const at = Math.floor((Date.now() - order.origin) / period);
  return order.places.filter(({ window }) => window === at % order.windows);
}

const user = (text) => ({ role: 'user', content: text });

const calls = {
  async run(session, [text], place) {
    const { finalOutput } = await runner.run(agents[place.model], text, { session });
    return { output: finalOutput };
  },
  async add(session, texts) {
    for (let tries = 1; ; tries += 1) {
      try {
        await session.addItems(texts.map((text) => user(text)));
        return { tries };
      } catch (error) {
        if (!faults.has('retry') || tries === MAX_TRIES) throw error;
      }
      await sleep(200);
    }
  },
  async pop(session) {
    const item = await session.popItem();
    return { popped: item === undefined ? undefined : textsOf([item])[0] };
  },
  async verify(session) {
    const { verified } = await session.verify();
    return { verified };
  },
  async read(session) {
    const texts = textsOf(await session.getItems());
    return { doubled: texts.filter((text, at) => texts.indexOf(text) !== at) };
  },
  flush: (session) => session.flush(),
  heal: (session) => session.heal(),
  async clear(session) {
    const cleared = await session.getSessionId();
    await session.clearSession();
    return { cleared };
  },
};

async function act(place) {
  const kind = weighted(next, WEIGHTS);
  if (kind === 'reopen') {
    // A memory ledger lives on; the session is another object.
    if (place.kind !== 'memory') sessions.delete(place.key);
    return;
  }
  count += 1;
  const id = `${name}.${count}`;
  const many = kind === 'add' ? 1 + Math.floor(next() * 4) : kind === 'run' ? 1 : 0;
  const texts = Array.from({ length: many }, (_, at) => `${id}.${at}`);
  const tokens = kind === 'run' ? [...texts, `re: ${texts[0]}`] : texts;
  say({ begin: id, kind, session: place.key, tokens, at: Date.now() });
  const session = sessions.get(place.key) ?? open(place);
  try {
    const result = await calls[kind](session, texts, place);
    say({ done: id, at: Date.now(), conversationId: await session.getSessionId(), ...result });
  } catch (error) {
    say({
      failed: id,
      at: Date.now(),
      code: error?.code ?? error?.status ?? error?.name,
      message: String(error?.message).slice(0, 200),
    });
  }
}

async function lane() {
  while (!stopping.signal.aborted) {
    const free = places().filter(({ key }) => !busy.has(key));
    const place = free[Math.floor(next() * free.length)];
    if (place === undefined) {
      await sleep(20);
      continue;
    }
    busy.add(place.key);
    await act(place).finally(() => busy.delete(place.key));
    await sleep(next() * order.pause);
  }
}

readLines(process.stdin, ({ stop }) => {
  if (stop === true) stopping.abort();
});
process.stdin.on('end', () => process.exit(0));
say({ ready: true });
await Promise.all(Array.from({ length: lanes }, lane));
say({ stopped: true });
for (const session of sessions.values()) await session.flush().catch(() => undefined);
for (const place of order.places.filter(({ kind }) => kind === 'memory')) {
  const session = sessions.get(place.key);
  if (session === undefined) continue;
  for (let tries = 0; tries < 5; tries += 1) {
    const done = await session.flush().then(
      () => true,
      () => false,
    );
    if (done) break;
  }
  const history = await session.getItems().then(textsOf, (error) => String(error));
  const report = await session.verify().catch((error) => ({ error: String(error) }));
  say({ audit: place.key, history, report, conversationId: session.conversationId });
}
await opened.close();
say({ ended: true });
process.exit(0);
