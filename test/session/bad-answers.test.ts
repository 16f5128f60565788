import { describe, expect, it } from 'vitest';
import { ResponseReader } from '../../src/conversation/response-reader.ts';
import { contentCache, HybridSession, memoryLedger } from '../../src/index.ts';
import { converse, listedTexts, recorder, TURNS } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { clientOn, page } from '../support/fake-client.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { changed, html, notJson, tamperedClient, type Tamper } from './support/tampered.ts';

const isList = (method: string, path: string): boolean => method === 'GET' && path.endsWith('/items');
const isWrite = (method: string, path: string): boolean => method === 'POST' && path.endsWith('/items');
const isDelete = (method: string): boolean => method === 'DELETE';
const isAsk = (method: string, path: string): boolean => method === 'POST' && path === '/responses';
const isCreate = (method: string, path: string): boolean => method === 'POST' && path === '/conversations';
const isRetrieve = (method: string, path: string): boolean =>
  method === 'GET' && path.startsWith('/responses/') && !path.endsWith('/input_items');

/** Answers that are not what the endpoint promises. */
const WRONG: Readonly<Record<string, (answer: () => Promise<Response>) => Promise<Response>>> = {
  'is not JSON': async () => notJson(),
  'is a page of HTML': async () => html(),
  'is empty JSON': async () => Response.json({}),
  'is null': async () => Response.json(null),
  'is an array': async () => Response.json([]),
  'is a text': async () => Response.json('sk-secret'),
};

/** Lists that are almost right. */
const WRONG_LISTS: typeof WRONG = {
  ...WRONG,
  'has no data': async (answer) => changed(answer(), (body) => ({ ...body, data: undefined })),
  'has data that is no array': async (answer) => changed(answer(), (body) => ({ ...body, data: {} })),
  'has an item without an ID': async (answer) =>
    changed(answer(), (body) => ({ ...body, data: withoutField(body['data'], 'id') })),
  'has an item with an empty ID': async (answer) =>
    changed(answer(), (body) => ({ ...body, data: [{ id: '', type: 'message' }] })),
  'has an item without a type and a role': async (answer) =>
    changed(answer(), (body) => ({
      ...body,
      data: withoutField(withoutField(body['data'], 'type'), 'role'),
    })),
  'has an item that is nested without end': async () =>
    new Response(
      `{"data":[{"id":"msg_1","type":"message","deep":${'['.repeat(20_000)}"sk-secret"${']'.repeat(20_000)}}],"has_more":false}`,
      { headers: { 'content-type': 'application/json' } },
    ),
  'has an item that is none': async (answer) =>
    changed(answer(), (body) => ({ ...body, data: ['sk-secret'] })),
};

function withoutField(data: unknown, field: string): unknown[] {
  return Array.isArray(data) ? data.map((item: object) => ({ ...item, [field]: undefined })) : [];
}

function only(
  applies: (method: string, path: string) => boolean,
  wrong: (answer: () => Promise<Response>) => Promise<Response>,
): Tamper {
  return ({ method, path }, answer) => (applies(method, path) ? wrong(answer) : undefined);
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Everything that a log would show of an error. */
function shown(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause)
    parts.push(String(at), at.stack ?? '', JSON.stringify(at));
  return parts.join('\n');
}

describe('an answer to conversations.create', () => {
  it.each(Object.keys(WRONG))('an answer to conversations.create that %s is refused', async (kind) => {
    const { simulator } = simulated();
    const client = tamperedClient(simulator, only(isCreate, WRONG[kind] ?? (async () => html())));
    const session = new HybridSession({ client });
    const error = await thrownBy(session.addItems([user('hi')]));
    expect(error).toMatchObject({ code: 'invalid_response', operation: 'conversations.create' });
    expect(shown(error)).not.toContain('sk-secret');
    expect(session.sessionId).toBeUndefined();
  });

  it.each([undefined, null, '', 7, {}])(
    'an answer to conversations.create with the ID %j is refused, and the request repeated later',
    async (id) => {
      const { simulator } = simulated();
      let times = 0;
      const client = tamperedClient(simulator, ({ method, path }, answer) => {
        if (!isCreate(method, path) || times > 0) return undefined;
        times += 1;
        return changed(answer(), (body) => ({ ...body, id }));
      });
      const session = new HybridSession({ client, bookmark: false });
      expect(await thrownBy(session.getSessionId())).toMatchObject({ code: 'invalid_response' });
      await session.addItems([user('hi')]);
      expect(texts(await session.getItems())).toEqual(['hi']);
    },
  );
});

describe('an answer to items.list', () => {
  it.each(Object.keys(WRONG_LISTS))('an answer to items.list that %s is not adopted', async (kind) => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
    const ledger = memoryLedger();
    const wrong = tamperedClient(simulator, only(isList, WRONG_LISTS[kind] ?? (async () => html())));
    const session = new HybridSession({ client: wrong, ledger, conversationId: id });
    for (const work of [session.getItems(), session.addItems([user('two')]), session.verify()]) {
      const error = await thrownBy(work);
      expect(error).toMatchObject({ code: 'invalid_response', operation: 'conversations.items.list' });
      expect(shown(error)).not.toContain('sk-secret');
    }
    expect(await ledger.checkpoint(id)).toBeUndefined();
    expect(listedTexts(simulator, id)).toEqual(['one']);
  });

  it.each(['is not JSON', 'is null', 'has an item that is none', 'has an item without an ID'])(
    'an answer to items.list that %s is a typed error in mode off, too',
    async (kind) => {
      const { client, simulator } = simulated();
      const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
      const wrong = tamperedClient(simulator, only(isList, WRONG_LISTS[kind] ?? (async () => html())));
      const session = new HybridSession({ client: wrong, conversationId: id, rollout: 'off' });
      for (const work of [session.getItems(), session.getItems(2), session.popItem()]) {
        const error = await thrownBy(work);
        expect(error).toMatchObject({ code: 'invalid_response', operation: 'conversations.items.list' });
        expect(shown(error)).not.toContain('sk-secret');
      }
      expect(listedTexts(simulator, id)).toEqual(['one']);
    },
  );

  it.each(Object.keys(WRONG_LISTS))(
    'an answer to items.list that %s costs a known session no item',
    async (kind) => {
      const { client, simulator } = simulated();
      const ledger = memoryLedger();
      const first = new HybridSession({ client, ledger });
      await converse(simulatedRunner(client), first, TURNS);
      const before = await first.getItems();
      const wrong = tamperedClient(simulator, only(isList, WRONG_LISTS[kind] ?? (async () => html())));
      const { onEvent, of, events } = recorder();
      const conversationId = await first.getSessionId();
      const session = new HybridSession({
        client: wrong,
        ledger,
        conversationId,
        advanced: { compare: 'on-read' },
        onEvent,
      });
      expect(await session.getItems()).toEqual(before);
      expect(of('list_failed')).toEqual([
        expect.objectContaining({ reason: 'InvalidResponseError (invalid_response)' }),
      ]);
      expect(JSON.stringify(events)).not.toContain('sk-secret');
    },
  );

  it('an answer to items.list whose pages repeat does not hang', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
    const circular = tamperedClient(
      simulator,
      only(isList, async () =>
        Response.json({ object: 'list', data: [{ id: 'msg_1', type: 'message' }], has_more: true }),
      ),
    );
    const session = new HybridSession({ client: circular, conversationId: id });
    expect(await thrownBy(session.getItems())).toMatchObject({
      code: 'invalid_response',
      message: expect.stringContaining('leads back to itself'),
    });
  });

  it.each(['off', 'shadow'] as const)(
    'an answer to items.list whose cursor repeats does not hang in mode %s',
    async (rollout) => {
      const { client, simulator } = simulated();
      const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
      const message = { id: 'msg_1', type: 'message', role: 'user', content: [], status: 'completed' };
      const circular = tamperedClient(
        simulator,
        only(isList, async () => page([message], { has_more: true, last_id: 'msg_1' })),
      );
      const session = new HybridSession({ client: circular, conversationId: id, rollout });
      expect(await thrownBy(session.getItems())).toMatchObject({
        code: 'invalid_response',
        message: expect.stringContaining('lead back'),
      });
    },
  );

  it('a listed item of an unknown type is kept as it is', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
    const novelty = { id: 'new_1', type: 'telepathy', thought: { depth: 3 } };
    const newer = tamperedClient(
      simulator,
      only(isList, async (answer) =>
        changed(answer(), (body) => ({
          ...body,
          data: [...(Array.isArray(body['data']) ? body['data'] : []), novelty],
        })),
      ),
    );
    const session = new HybridSession({ client: newer, conversationId: id });
    expect(await session.getItems()).toEqual([
      expect.objectContaining({ role: 'user' }),
      { type: 'unknown', id: 'new_1', providerData: novelty },
    ]);
  });
});

describe('an answer to items.create', () => {
  it.each(Object.keys(WRONG_LISTS))(
    'an answer to items.create that %s loses no item and writes none twice',
    async (kind) => {
      const { simulator } = simulated();
      let isWrong = true;
      const client = tamperedClient(simulator, async ({ method, path }, answer) => {
        if (!isWrong || !isWrite(method, path)) return undefined;
        await answer();
        return WRONG_LISTS[kind]?.(answer);
      });
      const { onEvent, of, events } = recorder();
      const session = new HybridSession({ client, onEvent });
      const [answer] = await converse(simulatedRunner(client), session, ['hi']);
      expect(texts(await session.getItems())).toEqual(['hi', answer]);
      expect(of('mirror_failed')).toEqual([
        expect.objectContaining({ count: 2, reason: 'InvalidResponseError (invalid_response)' }),
      ]);
      expect(JSON.stringify(events)).not.toContain('sk-secret');
      isWrong = false;
      await session.flush();
      const id = await session.getSessionId();
      expect(listedTexts(simulator, id)).toEqual(['hi', answer]);
      expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], listed: 2 });
    },
  );

  it.each([
    ['fewer', (data: unknown[]) => data.slice(0, 1)],
    ['more', (data: unknown[]) => [...data, { id: 'msg_extra', type: 'message' }]],
  ])('an answer to items.create with %s items than were sent is refused', async (_, change) => {
    const { simulator } = simulated();
    let isWrong = true;
    const client = tamperedClient(simulator, ({ method, path }, answer) =>
      isWrong && isWrite(method, path)
        ? changed(answer(), (body) => ({
            ...body,
            data: change(Array.isArray(body['data']) ? body['data'] : []),
          }))
        : undefined,
    );
    const session = new HybridSession({ client });
    await session.addItems(['one', 'two', 'three'].map((text) => user(text)));
    isWrong = false;
    await session.flush();
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one', 'two', 'three']);
    expect(await session.verify()).toMatchObject({ pending: 0, findings: [], listed: 3 });
  });
});

describe('an answer to responses.retrieve', () => {
  const WRONG_RESPONSES: typeof WRONG = {
    ...WRONG,
    'is another response': async (answer) => changed(answer(), (body) => ({ ...body, id: 'resp_another' })),
    'has no output': async (answer) => changed(answer(), (body) => ({ ...body, output: undefined })),
    'has output without IDs': async (answer) =>
      changed(answer(), (body) => ({ ...body, output: withoutField(body['output'], 'id') })),
  };

  it.each(Object.keys(WRONG_RESPONSES))(
    'an answer to responses.retrieve that %s restores no item',
    async (kind) => {
      const { client, simulator } = simulated({ unlink: 'every-turn' });
      const ledger = memoryLedger();
      const first = new HybridSession({ client, ledger, keepContent: false });
      await converse(simulatedRunner(client), first, TURNS);
      const conversationId = await first.getSessionId();
      const wrong = tamperedClient(
        simulator,
        only(isRetrieve, WRONG_RESPONSES[kind] ?? (async () => html())),
      );
      const session = new HybridSession({ client: wrong, ledger, conversationId, keepContent: false });
      const error = await thrownBy(session.getItems());
      expect(error).toMatchObject({ code: 'invalid_response', operation: 'responses.retrieve' });
      expect(shown(error)).not.toContain('sk-secret');

      const later = new HybridSession({ client, ledger, conversationId, keepContent: false });
      expect(texts(await later.getItems())).toEqual(texts(await first.getItems()));
    },
  );
});

describe('an answer of the model', () => {
  it.each([42, null, '', {}, [], true])(
    'an answer of the model with the ID %j ends its turn, and the next process can read the session',
    async (id) => {
      const { client, simulator } = simulated();
      const ledger = memoryLedger();
      const wrong = tamperedClient(
        simulator,
        only(isAsk, async (answer) => changed(answer(), (body) => ({ ...body, id }))),
      );
      const session = new HybridSession({ client: wrong, ledger });
      const answers = await converse(simulatedRunner(wrong), session, ['hi', 'thanks']);
      const said = ['hi', answers[0], 'thanks', answers[1]];
      expect(texts(await session.getItems())).toEqual(said);
      const conversationId = await session.getSessionId();
      const later = new HybridSession({ client, ledger, conversationId });
      expect(texts(await later.getItems())).toEqual(said);
      expect(await later.verify()).toMatchObject({ verified: true, responseId: undefined });
    },
  );
});

describe('an answer to a deletion', () => {
  const NOT_DONE: typeof WRONG = {
    'is an error with status 200': async () => Response.json({ error: { message: 'sk-secret' } }),
    'is a page of HTML': async () => html(),
    'is a text': async () => Response.json('sk-secret'),
  };

  it.each(Object.keys(NOT_DONE))(
    'an answer to a deletion that %s leaves the removal pending',
    async (kind) => {
      const { simulator } = simulated();
      let isWrong = true;
      const client = tamperedClient(simulator, ({ method }, answer) =>
        isWrong && isDelete(method) ? NOT_DONE[kind]?.(answer) : undefined,
      );
      const session = new HybridSession({ client });
      await session.addItems([user('one'), user('two')]);
      expect(texts([await session.popItem()])).toEqual(['two']);
      expect(texts(await session.getItems())).toEqual(['one']);
      expect(await thrownBy(session.flush())).toMatchObject({ code: 'mirror_incomplete', pending: 1 });
      isWrong = false;
      await session.flush();
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one']);
    },
  );

  it.each(Object.keys(NOT_DONE))(
    "an answer to a deletion that %s does not remove another writer's item",
    async (kind) => {
      const { client, simulator } = simulated();
      const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
      const wrong = tamperedClient(simulator, ({ method }, answer) =>
        isDelete(method) ? NOT_DONE[kind]?.(answer) : undefined,
      );
      const session = new HybridSession({ client: wrong, conversationId: id, rollout: 'off' });
      expect(await thrownBy(session.popItem())).toMatchObject({ operation: 'conversations.items.delete' });
      expect(listedTexts(simulator, id)).toEqual(['one']);
    },
  );

  it.each(Object.keys(NOT_DONE))(
    'an answer to a deletion that %s erases no session, and leaves the deletion after a clear pending',
    async (kind) => {
      const { simulator } = simulated();
      let isWrong = true;
      const client = tamperedClient(simulator, ({ method }, answer) =>
        isWrong && isDelete(method) ? NOT_DONE[kind]?.(answer) : undefined,
      );
      const { onEvent, of } = recorder();
      const session = new HybridSession({ client, onEvent, bookmark: false });
      await converse(simulatedRunner(client), session, ['hi']);
      const conversationId = await session.getSessionId();
      const error = await thrownBy(session.erase({ remote: true }));
      expect(error).toMatchObject({ code: 'invalid_response', operation: 'responses.delete' });
      expect(shown(error)).not.toContain('sk-secret');
      expect((await session.getItems()).length).toBe(2);
      await session.clearSession();
      expect(of('mirror_failed')).toMatchObject([{ sessionId: conversationId, count: 1 }]);
      isWrong = false;
      expect(await session.getItems()).toEqual([]);
      await session.flush();
      expect(simulator.snapshot().conversations.map(({ id }) => id)).not.toContain(conversationId);
    },
  );
});

describe('answers without an end', () => {
  it('a list is not read for ever', async () => {
    let pages = 0;
    const client = clientOn(() => {
      pages += 1;
      return page([{ id: `msg_${pages}`, type: 'message', role: 'user', content: [] }], {
        has_more: true,
        last_id: `msg_${pages}`,
      });
    });
    for (const rollout of ['chain', 'off'] as const) {
      pages = 0;
      const session = new HybridSession({ client, conversationId: 'conv_1', rollout, bookmark: false });
      expect(await thrownBy(session.getItems())).toMatchObject({
        code: 'invalid_response',
        operation: 'conversations.items.list',
      });
      expect(pages).toBeLessThan(2510);
    }
  });

  it('a chain is not followed for ever', async () => {
    let depth = 0;
    const client = clientOn(({ pathname }) => {
      const id = pathname.split('/')[3] ?? '';
      if (pathname.endsWith('/input_items')) return page([]);
      depth += 1;
      return Response.json({ id, status: 'completed', output: [], previous_response_id: `resp_${depth}` });
    });
    const chain = new ResponseReader(client, contentCache());
    expect(await thrownBy(chain.context('resp_first'))).toMatchObject({
      code: 'invalid_response',
      operation: 'responses.retrieve',
    });
  });

  it('a session whose responses go back for ever is not erased for ever', async () => {
    const { simulator } = simulated();
    let depth = 0;
    const client = tamperedClient(simulator, ({ method, path }) => {
      if (!isRetrieve(method, path)) return undefined;
      depth += 1;
      return Response.json({ id: path.split('/')[2], previous_response_id: `resp_${depth}` });
    });
    const session = new HybridSession({ client });
    await converse(simulatedRunner(client), session, ['hi']);
    expect(await thrownBy(session.erase({ remote: true }))).toMatchObject({ code: 'invalid_response' });
  });

  it('nothing is deleted that stands behind another response than the one asked for', async () => {
    const { client, simulator } = simulated();
    const other = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    const wrong = tamperedClient(
      simulator,
      only(isRetrieve, async () => Response.json({ id: 'resp_x', previous_response_id: other.id })),
    );
    const session = new HybridSession({ client: wrong });
    await converse(simulatedRunner(wrong), session, ['hi']);
    await session.erase({ remote: true });
    expect((await client.responses.retrieve(other.id)).id).toBe(other.id);
  });
});
