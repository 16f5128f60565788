import { inspect } from 'node:util';
import { Agent, type AgentInputItem } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../../mocks/http/operations.ts';
import {
  encryptedLedger,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HybridSessionEvent,
  type HybridSessionOptions,
  type LedgerRecord,
  type LedgerStore,
} from '../../src/index.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { failureOf, guardProcess } from './support/property.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

guardProcess();

/**
 * The planted secrets: the key, the user's text, a tool's arguments, a record of the store, the words of the server.
 */
const KEY = 'sk-planted-key-of-the-account';
const CONTENT = 'planted words of the user';
const ARGUMENTS = 'planted arguments of a tool';
const RECORD = 'planted text of a record';
const QUOTED = 'planted words that the server quotes';
const PLANTED = [KEY, CONTENT, ARGUMENTS, RECORD, QUOTED];

const runner = new HybridRunner({ tracingDisabled: true });
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

/** Everything that a log could show of a value, however it shows it. */
function shown(value: unknown): string {
  const parts = [inspect(value, { depth: 12, showHidden: true }), JSON.stringify(value) ?? ''];
  for (let at = value; at instanceof Error; at = at.cause)
    parts.push(
      String(at),
      at.message,
      at.stack ?? '',
      JSON.stringify(Object.entries(at)),
      JSON.stringify(Object.getOwnPropertyDescriptors(at)),
    );
  return parts.join('\n');
}

function expectNothingPlanted(value: unknown, planted: readonly string[] = PLANTED): void {
  const text = shown(value);
  for (const one of planted) expect(text).not.toContain(one);
}

/** Something that went wrong in a ledger, and the error that tells of it. */
const DAMAGE: Readonly<Record<string, (records: LedgerRecord[]) => unknown[]>> = {
  'a record that is no record': (records) => [{ text: RECORD }, ...records],
  'a record of an unknown type': ([first, ...rest]) => [{ ...first, type: RECORD }, ...rest],
  'a record of a newer version': ([first, ...rest]) => [{ ...first, v: 99 }, ...rest],
  'items that are none': ([named, first, ...rest]) => [named, { ...first, items: [RECORD] }, ...rest],
  'an item with a digest of another type': ([named, first, ...rest]) => [
    named,
    { ...first, items: [{ digest: 7, kind: RECORD }] },
    ...rest,
  ],
  'a text': (records) => [RECORD, ...records],
};

function replaced(store: LedgerStore, change: (records: LedgerRecord[]) => unknown[]): LedgerStore {
  return {
    ...store,
    read: async (sessionId, from = 0, to?: number) => {
      const { records } = await store.read(sessionId);
      return { records: change([...records]).slice(from, to) as LedgerRecord[] };
    },
  };
}

describe('a damaged ledger', () => {
  it.each(Object.keys(DAMAGE))('errors of a damaged ledger do not quote its content: %s', async (kind) => {
    const { simulator } = simulated();
    const client = new OpenAI({ apiKey: KEY, fetch: simulator.fetch, maxRetries: 0 });
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    await session.addItems([user(CONTENT), user(CONTENT)]);
    const conversationId = await session.getSessionId();
    const damaged = replaced(ledger, DAMAGE[kind] ?? ((records) => records));
    const events: HybridSessionEvent[] = [];
    const options: HybridSessionOptions = {
      client,
      ledger: damaged,
      conversationId,
      onEvent: (event) => void events.push(event),
    };
    for (const work of [
      (one: HybridSession) => one.getItems(),
      (one: HybridSession) => one.addItems([user(CONTENT)]),
      (one: HybridSession) => one.verify(),
      (one: HybridSession) => one.flush(),
      (one: HybridSession) => one.erase(),
    ]) {
      const error = await failureOf(() => work(new HybridSession(options)));
      // A call that only appends does not read the earlier records.
      if (error !== undefined) expect(error).toMatchObject({ code: 'ledger_unreadable' });
      expectNothingPlanted(error);
    }
    expectNothingPlanted(events);
    expect(await failureOf(() => new HybridSession(options).getItems())).toMatchObject({
      code: 'ledger_unreadable',
    });
  });

  it('errors of an encrypted ledger quote neither its key nor its content', async () => {
    const secret = new TextEncoder().encode('planted secret of the ledger, 32+');
    const inner = memoryLedger();
    const ledger = encryptedLedger(inner, { keys: [{ id: 'k1', secret }] });
    await new HybridSession({ mirror: 'off', sessionId: 's', ledger }).addItems([user(CONTENT)]);
    const other = encryptedLedger(inner, { keys: [{ id: 'k1', secret: secret.map((byte) => byte ^ 1) }] });
    const plain = encryptedLedger(
      replaced(inner, () => [{ v: 3, commit: RECORD, time: 0, type: 'pop' }]),
      { keys: [{ id: 'k1', secret }] },
    );
    for (const wrong of [other, plain]) {
      const error = await failureOf(() =>
        new HybridSession({ mirror: 'off', sessionId: 's', ledger: wrong }).getItems(),
      );
      expect(error).toMatchObject({ code: 'ledger_unreadable' });
      expectNothingPlanted(error, [...PLANTED, 'planted secret of the ledger']);
    }
  });
});

describe('a server that quotes what it was sent', () => {
  const words = { message: `${QUOTED}: ${CONTENT} ${KEY}`, type: QUOTED, param: QUOTED, code: QUOTED };
  const OPERATIONS: readonly Operation[] = [
    'conversations.items.create',
    'conversations.items.list',
    'conversations.items.delete',
    'conversations.create',
    'conversations.retrieve',
    'conversations.update',
    'conversations.delete',
    'responses.retrieve',
  ];

  it.each(OPERATIONS)('events, reports and errors do not quote the server: %s', async (operation) => {
    for (const status of [400, 401, 404, 429, 500]) {
      const { simulator } = simulated({ unlink: 'every-turn' });
      const client = new OpenAI({
        apiKey: KEY,
        maxRetries: 0,
        fetch: async (input, init) => {
          const from = simulator.log.length;
          const response = await simulator.fetch(input, init);
          const isMeant = armed && simulator.log.slice(from).some((entry) => entry.operation === operation);
          return isMeant ? Response.json({ error: words }, { status }) : response;
        },
      });
      let armed = false;
      const events: HybridSessionEvent[] = [];
      const ledger = memoryLedger();
      const open = (conversationId?: string): HybridSession =>
        new HybridSession({
          client,
          ledger,
          conversationId,
          keepContent: false,
          advanced: { compare: 'on-read' },
          onEvent: (event) => void events.push(event),
        });
      const session = open();
      await runner.run(agent, CONTENT, { session });
      const conversationId = await session.getSessionId();
      armed = true;
      const work: (() => Promise<unknown>)[] = [
        () => session.addItems([user(CONTENT)]),
        () => session.popItem(),
        () => session.flush(),
        async () => expectNothingPlanted(await session.verify(), [KEY, CONTENT, QUOTED]),
        () => open(conversationId).getItems(),
        () => new HybridSession({ client, conversationId }).getItems(),
        () => session.heal(),
        () => session.clearSession(),
      ];
      for (const one of work) {
        const error = await failureOf(one);
        // The API's own errors pass through untouched, with the words of the server.
        if (error === undefined || 'status' in error) continue;
        const { cause } = error;
        const isOfApi = cause instanceof Error && 'status' in cause;
        const own = isOfApi ? [error.message, Object.entries(error)] : error;
        expectNothingPlanted(own, [KEY, CONTENT, QUOTED]);
      }
      expectNothingPlanted(events, [KEY, CONTENT, QUOTED]);
      expectNothingPlanted(session.stats(), [KEY, CONTENT, QUOTED]);
    }
  });
});

describe('an item that is refused', () => {
  const items: readonly (readonly [string, unknown])[] = [
    [
      'arguments of another type',
      { type: 'function_call', callId: 'c', name: 'f', arguments: { secret: ARGUMENTS } },
    ],
    ['content of another type', { role: 'user', content: { secret: CONTENT } }],
    [
      'a getter that throws',
      Object.defineProperty({ role: 'user' }, 'content', {
        enumerable: true,
        get: () => {
          throw new Error(CONTENT);
        },
      }),
    ],
    [
      'a toJSON that throws',
      {
        role: 'user',
        content: CONTENT,
        toJSON: () => {
          throw new Error(CONTENT);
        },
      },
    ],
    ['a role that says it all', { role: CONTENT, content: CONTENT }],
    ['a type that is no text', { type: { secret: CONTENT } }],
    ['a function', { role: 'user', content: CONTENT, callback: () => CONTENT }],
  ];

  it.each(items)('errors name a refused item by its index alone: %s', async (_, item) => {
    const session = new HybridSession({ mirror: 'off', sessionId: 's' });
    const error = await failureOf(() => session.addItems([item as AgentInputItem]));
    expect(error).toMatchObject({ code: 'invalid_item', index: 0 });
    expectNothingPlanted(error);
  });
});

describe('a name in an error', () => {
  it('a name in an error stays on its line and in its direction', async () => {
    const conversationId = 'conv_1\n2026-01-01 INFO forged\u001B[2J\u202E\u2028';
    const { client } = simulated();
    const error = await failureOf(() => new HybridSession({ client, conversationId }).getItems());
    expect(error).toMatchObject({ code: 'conversation_not_found', conversationId });
    expect(error?.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
    expect(error?.message).toContain('conv_1\\u000a2026');
  });
});
