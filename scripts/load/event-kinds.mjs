// Every kind of event there is, as sessions tell it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, OpenAIProvider, Runner } from '@openai/agents';
import OpenAI from 'openai';
import { HybridRunner, HybridSession, memoryLedger } from '../../dist/esm/src/index.js';
import { createSimulatorCore } from '../../dist/esm/mocks/simulator.js';

const TYPES = join(import.meta.dirname, '..', '..', 'dist', 'esm', 'src', 'telemetry', 'events.d.ts');

/** Warnings of servers and stores that the ways below do not imitate. */
const ELSEWHERE = new Set([
  'bookmark_failed',
  'bookmark_ignored',
  'compaction_left_out',
  'foreign_fields_left_out',
  'foreign_item',
  'input_unsaved',
  'no_conversations',
  'parent_ignored',
  'parent_maybe_ignored',
  'reasoning_left_out',
  'store_rewound',
]);

const declared = readFileSync(TYPES, 'utf8');

/** The event types and warning codes, read from the declarations. */
export const KINDS = [
  ...[...declared.matchAll(/readonly type: '(\w+)'/g)].map(([, type]) => type),
  ...[...(/type WarningCode =([^;]+);/.exec(declared)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(
    ([, code]) => code,
  ),
].filter((kind) => kind !== 'warning' && !ELSEWHERE.has(kind));

/** An event's type, or a warning's code. */
export function kindOf(event) {
  return event.type === 'warning' ? event.code : event.type;
}

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const SAY = ['hi', 'what can you do?', 'thanks'];
const ours = new HybridRunner({ tracingDisabled: true });
const anchored = new HybridRunner({ tracingDisabled: true, history: 'reference' });

/** Actions that make sessions emit events; each in a world that unlinks answers. */
const WAYS = [
  // lost, turn
  async ({ open, theirs }) => converse(theirs, open({ rollout: 'shadow' })),
  // restored, planned
  async ({ open }) => converse(ours, open({ advanced: { compare: 'on-read' } })),
  // incomplete
  async ({ open, theirs, client, simulator }) => {
    const session = open({ keepContent: false, advanced: { cache: { maxBytes: 1 } }, onIncomplete: 'warn' });
    await converse(theirs, session);
    for (const { id } of simulator.snapshot().responses) await client.responses.delete(id);
    await session.getItems();
  },
  // unanchored
  async ({ open }) => converse(anchored, open()),
  // adopted
  async ({ open, client }) => {
    const session = open({ advanced: { compare: 'on-read' } });
    const id = await session.getSessionId();
    await client.conversations.items.create(id, { items: [{ role: 'user', content: 'hello' }] });
    await session.getItems();
  },
  // mirror_failed
  async ({ open, simulator }) => {
    simulator.fault('conversations.items.create', { status: 500 });
    await open().addItems([user('one')]);
  },
  // mirror_skipped
  async ({ open, simulator }) => {
    simulator.fault('conversations.items.create', { status: 400, times: 2 });
    await open().addItems([user('one')]);
  },
  // list_failed
  async ({ open, simulator }) => {
    const first = open();
    await first.addItems([user('one')]);
    simulator.fault('conversations.items.list', { status: 500 });
    await open({ conversationId: await first.getSessionId(), advanced: { compare: 'on-read' } }).getItems();
  },
  // parent_refused
  async ({ open, simulator }) => {
    const session = open();
    await converse(ours, session);
    simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    await converse(ours, session);
  },
  // turn_unsaved
  async ({ open, client }) => {
    const { id } = await client.responses.create({ model: 'gpt-5.4', input: 'hi' });
    await ours.run(agent, 'thanks', { session: open(), previousResponseId: id });
  },
  // rollout_failed
  async ({ open }) => open({ rollout: undecided }).getItems(),
  // ledger_damaged
  async ({ open, ledger }) => {
    const first = open();
    await first.addItems([user('one')]);
    const conversationId = await first.getSessionId();
    await open({
      ledger: torn(ledger, (await ledger.checkpoint(conversationId)).version - 1),
      conversationId,
    }).getItems();
  },
  // conflict
  async ({ open }) => {
    const first = open();
    const second = open({ conversationId: await first.getSessionId() });
    await second.getItems();
    await Promise.all([first.addItems([user('one')]), second.addItems([user('two')])]);
  },
  // compacted
  async ({ open }) => {
    const session = open();
    await converse(ours, session);
    await session.runCompaction({ force: true });
  },
  // compaction_failed
  async ({ open, simulator }) => {
    simulator.fault('responses.compact', { status: 400 });
    const session = open({ history: { compaction: { atTokens: 1 } } });
    await converse(ours, session);
    await session.flush();
  },
  // moved
  async ({ open }) => {
    const session = open();
    await session.addItems([user('one')]);
    await session.heal();
  },
];

/** Lets sessions emit events of every kind. @returns the events. */
export async function tellAll(observers = []) {
  const told = [];
  for (const way of WAYS) {
    const simulator = createSimulatorCore({ unlink: 'every-turn' });
    const client = new OpenAI({ apiKey: 'test', fetch: simulator.fetch, maxRetries: 0 });
    const ledger = memoryLedger();
    const watching = [{ event: (event) => void told.push(event) }, ...observers];
    const open = (given) =>
      new HybridSession({ client, ledger, bookmark: false, observers: watching, ...given });
    const theirs = new Runner({
      modelProvider: new OpenAIProvider({ openAIClient: client }),
      tracingDisabled: true,
    });
    await way({ simulator, client, ledger, open, theirs });
  }
  return told;
}

async function converse(runner, session) {
  for (const text of SAY) await runner.run(agent, text, { session });
}

function undecided() {
  throw new Error('never decides');
}

function user(content) {
  return { type: 'message', role: 'user', content };
}

/** A store whose record at a position cannot be read. */
function torn(ledger, position) {
  return {
    ...ledger,
    async read(sessionId, from = 0, to = position + 1) {
      const { records, ...page } = await ledger.read(sessionId, from, to);
      return {
        ...page,
        records: records.map((record, index) => (from + index === position ? { type: 'torn' } : record)),
      };
    },
  };
}
