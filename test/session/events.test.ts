import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import {
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HybridSessionEvent,
  type HybridSessionOptions,
  type LedgerStore,
  type WarningCode,
} from '../../src/index.ts';
import { assistantAgent, converse, recorder, TURNS, type Recorder } from '../flows/support/story.ts';
import { user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** What must be in no event, no error and no cause of one. */
const SECRET = 'sk-4711-secret';

const SAY = [`my key is ${SECRET}`, `call get_weather {"city":"${SECRET}"}`, 'thanks'];

interface Watched extends Simulated, Recorder {
  readonly ledger: LedgerStore;
  readonly open: (options?: HybridSessionOptions) => HybridSession;
}

/** A world whose API key is the secret, and a session that is watched. */
function watched(options: Parameters<typeof simulated>[0] = {}): Watched {
  const { simulator } = simulated(options);
  const client = new OpenAI({ apiKey: SECRET, fetch: simulator.fetch, maxRetries: 0 });
  const ledger = memoryLedger();
  const told = recorder();
  return {
    simulator,
    client,
    ledger,
    ...told,
    open: (given) => new HybridSession({ client, ledger, onEvent: told.onEvent, ...given }),
  };
}

/** The warnings of servers that drop a request's context or fields have stories of their own. */
type HandledCode = Exclude<
  WarningCode,
  | 'bookmark_failed'
  | 'bookmark_ignored'
  | 'compaction_left_out'
  | 'foreign_fields_left_out'
  | 'foreign_item'
  | 'input_unsaved'
  | 'no_conversations'
  | 'parent_maybe_ignored'
  | 'reasoning_left_out'
  | 'store_rewound'
>;

/** How each event comes about. */
const WAYS: Readonly<
  Record<Exclude<HybridSessionEvent['type'], 'warning'> | HandledCode, (world: Watched) => Promise<unknown>>
> = {
  async lost({ open, client }) {
    const session = open({ rollout: 'shadow' });
    await converse(simulatedRunner(client), session, SAY);
    await session.getItems();
  },
  async restored({ open, client }) {
    const session = open({ advanced: { compare: 'on-read' } });
    await converse(simulatedRunner(client), session, SAY);
    await session.getItems();
  },
  async incomplete({ open, client, simulator }) {
    const session = open({ keepContent: false, advanced: { cache: { maxBytes: 1 } } });
    await converse(simulatedRunner(client), session, SAY);
    for (const { id } of simulator.snapshot().responses) await client.responses.delete(id);
    await session.getItems();
  },
  async full_history({ open }) {
    const runner = new HybridRunner({ tracingDisabled: true, history: 'reference' });
    await converse(runner, open(), SAY);
  },
  async adopted({ open, client }) {
    const session = open({ advanced: { compare: 'on-read' } });
    const id = await session.getSessionId();
    await client.conversations.items.create(id, { items: [{ role: 'user', content: SECRET }] });
    await session.getItems();
  },
  async mirror_failed({ open, client, simulator }) {
    simulator.fault('conversations.items.create', { status: 500, message: `no, ${SECRET}` });
    const session = open();
    await converse(simulatedRunner(client), session, SAY);
    await session.flush();
  },
  async mirror_skipped({ open, client, simulator }) {
    simulator.fault('conversations.items.create', { status: 400, message: `no, ${SECRET}`, times: 2 });
    await converse(simulatedRunner(client), open(), SAY);
  },
  async list_failed({ open, client, simulator }) {
    const first = open();
    await converse(simulatedRunner(client), first, SAY);
    simulator.fault('conversations.items.list', { status: 500, message: `no, ${SECRET}` });
    const session = open({ conversationId: await first.getSessionId(), advanced: { compare: 'on-read' } });
    await session.getItems();
    await session.verify();
  },
  async turn({ open, client }) {
    await converse(simulatedRunner(client), open({ rollout: 'shadow' }), SAY);
  },
  async parent_refused({ open, client, simulator }) {
    simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    await converse(new HybridRunner({ tracingDisabled: true }), open({ client }), SAY);
  },
  async turn_unsaved({ open }) {
    const [runner, session] = [new HybridRunner({ tracingDisabled: true }), open()];
    const agent = assistantAgent();
    const { lastResponseId = '' } = await runner.run(agent, SECRET, { session });
    await runner.run(agent, SECRET, { session, previousResponseId: lastResponseId });
  },
  async rollout_failed({ open, client }) {
    const session = open({
      rollout: () => {
        throw new Error(SECRET);
      },
    });
    await converse(simulatedRunner(client), session, SAY);
  },
  async ledger_damaged({ open, ledger }) {
    const first = open();
    await first.addItems([user(SECRET)]);
    const conversationId = await first.getSessionId();
    const newest = ((await ledger.checkpoint(conversationId))?.version ?? 0) - 1;
    const torn: LedgerStore = {
      ...ledger,
      async read(sessionId, from = 0, to = newest + 1) {
        const page = await ledger.read(sessionId, from, to);
        const damaged = { type: SECRET } as never;
        return {
          ...page,
          records: page.records.map((record, index) => (from + index === newest ? damaged : record)),
        };
      },
    };
    await open({ ledger: torn, conversationId }).getItems();
  },
  async compacted({ open, client }) {
    const session = open();
    await converse(simulatedRunner(client), session, SAY);
    await session.runCompaction({ force: true });
  },
  async compaction_failed({ open, client, simulator }) {
    simulator.fault('responses.compact', { status: 400, message: `no, ${SECRET}` });
    const session = open({ history: { compaction: { atTokens: 1 } } });
    await converse(simulatedRunner(client), session, SAY);
    await session.flush();
  },
  async conflict({ open }) {
    const first = open();
    const conversationId = await first.getSessionId();
    const second = open({ conversationId });
    await second.getItems();
    await Promise.all([first.addItems([user(SECRET)]), second.addItems([user(SECRET)])]);
  },
  async conversation_changed({ open }) {
    const session = open();
    await session.addItems([user(SECRET)]);
    await session.heal();
  },
  async parent_ignored({ open, simulator }) {
    // A server that ignores the parent.
    const fetch = async (input: Request | string | URL, init?: RequestInit): Promise<Response> => {
      const request = new Request(input, init);
      if (request.method !== 'POST' || !request.url.endsWith('/responses')) return simulator.fetch(request);
      const { previous_response_id: _parent, ...body } = JSON.parse(await request.text());
      const { method, headers } = request;
      return simulator.fetch(new Request(request.url, { method, headers, body: JSON.stringify(body) }));
    };
    const client = new OpenAI({ apiKey: SECRET, project: crypto.randomUUID(), fetch, maxRetries: 0 });
    await converse(new HybridRunner({ tracingDisabled: true }), open({ client }), SAY);
  },
};

/** Typed as a listener, as the compiler lets an asynchronous function be. */
const failingLater: () => unknown = () => Promise.resolve().then(failing);

function failing(): never {
  throw new Error('the listener failed');
}

/** Everything that a log would show of an error. */
function shown(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    const fields = Object.entries(at).map(([key, value]) => `${key} ${JSON.stringify(value) ?? ''}`);
    parts.push(at.name, at.message, ...fields);
  }
  return parts.join('\n');
}

/** Whether the error is one of ours; those of the API and its client pass through untouched. */
function isOurs(error: unknown): boolean {
  return error instanceof Error && /^(Hybrid|History|Mirror|Ledger|Invalid|Conversation)/.test(error.name);
}

describe.each(Object.keys(WAYS) as (keyof typeof WAYS)[])('the event %s', (type) => {
  it('the event is emitted, and holds neither content nor a key', async () => {
    const world = watched({ unlink: 'every-turn', unlinkModels: [/./] });
    const error: unknown = await WAYS[type](world).catch((thrown: unknown) => thrown);
    expect(world.of(type).length).toBeGreaterThan(0);
    const text = JSON.stringify(world.events);
    expect(text).not.toMatch(/4711|secret|weather|Answer|thanks|sunny/);
    expect(world.events.map(({ sessionId }) => sessionId)).toEqual(
      world.events.map(() => expect.stringMatching(/^conv_/)),
    );
    expect(isOurs(error) ? shown(error) : '').not.toMatch(/4711|secret|weather|Answer|thanks|sunny/);
  });

  it('an event costs nothing when the listener fails later', async () => {
    const world = watched({ unlink: 'every-turn', unlinkModels: [/./] });
    const rejected: unknown[] = [];
    const note = (reason: unknown): void => void rejected.push(reason);
    process.on('unhandledRejection', note);
    try {
      await WAYS[type]({
        ...world,
        open: (options) => world.open({ ...options, onEvent: failingLater }),
      }).catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(rejected).toEqual([]);
  });

  it('an event costs nothing when the listener throws', async () => {
    const world = watched({ unlink: 'every-turn', unlinkModels: [/./] });
    const failed: unknown = await WAYS[type](world).catch((thrown: unknown) => String(thrown));
    const again = watched({ unlink: 'every-turn', unlinkModels: [/./] });
    const { open } = again;
    const same: unknown = await WAYS[type]({
      ...again,
      open: (options) => open({ ...options, onEvent: failing }),
    }).catch((thrown: unknown) => String(thrown));
    expect(same).toEqual(failed);
  });
});

describe('errors', () => {
  it('errors of every kind hold neither content nor a key', async () => {
    const errors: unknown[] = [];
    const note = (error: unknown): void => void errors.push(error);
    const { open, client, simulator } = watched();
    await open({ conversationId: 'conv_missing' }).getItems().catch(note);
    const session = open({ keepContent: false, advanced: { cache: { maxBytes: 1 } } });
    await session.addItems([{ role: SECRET } as never]).catch(note);
    await session.addItems([{ ...user(SECRET), providerData: { [SECRET]: 1n } }]).catch(note);
    await session
      .applyHistoryTransaction({
        operationId: 'op',
        transaction: { type: 'replace_suffix', expectedSuffix: [user(SECRET)], replacement: [] },
      })
      .catch(note);
    await session.addItems([user(`first ${SECRET}`)]);
    simulator.fault('conversations.items.create', { status: 500, message: SECRET });
    await session.addItems([user(SECRET)]);
    await session.flush().catch(note);
    await client.conversations.delete(await session.getSessionId());
    await session.getItems().catch(note);
    expect(errors.map((error) => (error instanceof Error ? error.name : error))).toEqual([
      'ConversationNotFoundError',
      'InvalidItemError',
      'InvalidItemError',
      'HistoryTransactionError',
      'MirrorIncompleteError',
      'HistoryIncompleteError',
    ]);
    for (const error of errors) expect(shown(error)).not.toMatch(/4711|secret/);
  });
});

describe('a watched session', () => {
  it('a watched session emits no warning without a fault', async () => {
    const { open, client, events } = watched();
    const session = open({ advanced: { compare: 'on-read' } });
    await converse(simulatedRunner(client), session, TURNS);
    await session.verify();
    expect(events.map((event) => event.type)).toEqual(TURNS.map(() => 'turn'));
  });
});
