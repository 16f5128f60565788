import { describe, expect, it } from 'vitest';
import {
  createBookmarkedConversation,
  createConversation,
  localSessionId,
} from '../../src/conversation/create-conversation.ts';
import { circuitBreakerOf, CircuitBreaker } from '../../src/conversation/circuit-breaker.ts';
import {
  deleteBookmark,
  deleteClearedConversations,
  deleteConversation,
  deleteWithBookmark,
} from '../../src/conversation/delete-conversations.ts';
import { toNotFoundError, toUnavailableError } from '../../src/conversation/api-error.ts';
import { StockSession } from '../../src/conversation/stock-session.ts';
import { ConversationNotFoundError, ConversationsUnavailableError } from '../../src/errors/session.ts';
import { memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { texts } from '../support/conversation.ts';
import { clientOn, page } from '../support/fake-client.ts';
import { simulated } from '../support/simulated.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const failure = (status: number, message = 'no'): Response =>
  Response.json({ error: { message } }, { status });

/** A client that keeps the bodies of its requests, and gives these answers in turn. */
function creating(...answers: readonly (() => Response)[]) {
  const bodies: unknown[] = [];
  const client = clientOn((_, init) => {
    bodies.push(JSON.parse(typeof init?.body === 'string' ? init.body : ''));
    return (answers[bodies.length - 1] ?? (() => Response.json({ id: `conv_${bodies.length}` })))();
  });
  return { client, bodies };
}

describe('a new conversation', () => {
  it('a new conversation is empty, and has metadata where there are any', async () => {
    const { client, bodies } = creating();
    expect(await createConversation(client)).toBe('conv_1');
    expect(await createConversation(client, { mine: 'yes' })).toBe('conv_2');
    expect(bodies).toEqual([{ items: [] }, { items: [], metadata: { mine: 'yes' } }]);
  });

  it.each([[null], [{}], [{ id: 7 }], [{ id: '' }], [{ id: '..' }]])(
    'an answer without a usable ID is refused: %j',
    async (answer) => {
      const { client } = creating(() => Response.json(answer));
      await expect(createConversation(client)).rejects.toMatchObject({
        code: 'invalid_response',
        operation: 'conversations.create',
      });
    },
  );

  it('a server without conversations is told apart from one that fails', async () => {
    const absent = creating(() => failure(404)).client;
    await expect(createConversation(absent)).rejects.toBeInstanceOf(ConversationsUnavailableError);
    await expect(createConversation(creating(() => failure(500)).client)).rejects.toMatchObject({
      status: 500,
    });
  });

  it('a bookmarked conversation names its bookmark from the start', async () => {
    const { client, bodies } = creating();
    expect(await createBookmarkedConversation(client, true, { mine: 'yes' })).toEqual({
      conversationId: 'conv_2',
      bookmarkId: 'conv_1',
    });
    expect(bodies[1]).toEqual({ items: [], metadata: { mine: 'yes', hybrid_session: 'conv_1' } });
  });

  it('a conversation without a bookmark has only its own metadata', async () => {
    const full = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`key ${at}`, 'value']));
    for (const [isMarked, own] of [
      [false, { mine: 'yes' }],
      [true, full],
    ] as const) {
      const { client, bodies } = creating();
      expect(await createBookmarkedConversation(client, isMarked, own)).toEqual({
        conversationId: 'conv_1',
        bookmarkId: undefined,
      });
      expect(bodies).toEqual([{ items: [], metadata: own }]);
    }
    const { client, bodies } = creating();
    await createBookmarkedConversation(client, false);
    expect(bodies).toEqual([{ items: [] }]);
  });

  it('a bookmark that cannot be made is left to the first write, unless the server has no conversations', async () => {
    const down = creating(() => failure(500));
    expect(await createBookmarkedConversation(down.client, true)).toEqual({
      conversationId: 'conv_2',
      bookmarkId: undefined,
    });
    const absent = creating(() => failure(404));
    await expect(createBookmarkedConversation(absent.client, true)).rejects.toBeInstanceOf(
      ConversationsUnavailableError,
    );
    expect(absent.bodies).toHaveLength(1);
  });

  it('a local ID is different each time', () => {
    expect(localSessionId()).toMatch(/^local_[\da-f-]{36}$/);
    expect(localSessionId()).not.toBe(localSessionId());
  });
});

const missing = (message: unknown, status = 404): unknown =>
  toNotFoundError({ name: 'NotFoundError', status, code: 'gone', error: { message } }, 'conv_1');

describe('the error of a missing conversation', () => {
  it('a 404 that speaks of a conversation is one', () => {
    const error = missing("Conversation with id 'conv_1' not found.");
    expect(error).toBeInstanceOf(ConversationNotFoundError);
    expect(error).toMatchObject({ cause: new Error('NotFoundError (404, gone)') });
  });

  it.each([
    'Not found',
    'Unknown path /conversations/conv_1 of a conversation',
    'conversational',
    undefined,
    7,
  ])('a 404 that says %j comes from a server without conversations', (message) => {
    expect(missing(message)).toBeInstanceOf(ConversationsUnavailableError);
  });

  it('a 404 without a body comes from a server without conversations', () => {
    expect(toNotFoundError({ status: 404 }, 'conv_1')).toBeInstanceOf(ConversationsUnavailableError);
  });

  it('another error stays as it is', () => {
    const error = { status: 500 };
    expect(toNotFoundError(error, 'conv_1')).toBe(error);
    expect(toNotFoundError('text', 'conv_1')).toBe('text');
    expect(missing('conversation', 405)).toBeInstanceOf(ConversationsUnavailableError);
  });

  it.each([404, 405, 501])('a server that answers %i has no such endpoint', (status) => {
    expect(toUnavailableError({ name: 'APIError', status })).toMatchObject({
      cause: new Error(`APIError (${status})`),
    });
  });

  it.each([400, 403, 500, 502, undefined])('a server that answers %s may have it', (status) => {
    expect(toUnavailableError({ name: 'APIError', status })).toBeUndefined();
  });
});

/** A world with a conversation that names its bookmark. */
async function marked() {
  const { client, simulator } = simulated();
  const { conversationId, bookmarkId = '' } = await createBookmarkedConversation(client, true);
  const history = { format: 1, conversation: conversationId, length: 0, proof: 'x' };
  await client.conversations.update(bookmarkId, { metadata: { history: JSON.stringify(history) } });
  const left = (): string[] => simulator.snapshot().conversations.map(({ id }) => id);
  return { client, simulator, conversationId, bookmarkId, left };
}

describe('the deletion of conversations', () => {
  it('a conversation is deleted with its bookmark, or alone', async () => {
    const both = await marked();
    expect(await deleteWithBookmark(both.client, both.conversationId, true)).toBe(true);
    expect(both.left()).toEqual([]);
    const alone = await marked();
    expect(await deleteWithBookmark(alone.client, alone.conversationId, false)).toBe(true);
    expect(alone.left()).toEqual([alone.bookmarkId]);
    const bookmark = await marked();
    await deleteBookmark(bookmark.client, bookmark.conversationId);
    expect(bookmark.left()).toEqual([bookmark.conversationId]);
  });

  it('a conversation that does not exist, or cannot, is told', async () => {
    const { client, simulator, left } = await marked();
    expect(await deleteConversation(client, 'conv_unknown')).toBe(false);
    const from = simulator.log.length;
    expect(await deleteConversation(client, '..')).toBe(false);
    await deleteBookmark(client, '..');
    expect(simulator.log).toHaveLength(from);
    expect(left()).toHaveLength(2);
  });

  it('a deletion that fails is an error', async () => {
    const { client, simulator, conversationId } = await marked();
    simulator.fault('conversations.delete', { status: 500 });
    await expect(deleteConversation(client, conversationId)).rejects.toMatchObject({ status: 500 });
  });

  it('cleared conversations are deleted, a failed one stays due, and the first error is told', async () => {
    const { client, simulator } = simulated();
    const ledger = new Ledger({ store: memoryLedger(), sessionId: 'session' });
    const ids: string[] = [];
    for (let nth = 0; nth < 3; nth += 1) {
      const { id } = await client.conversations.create({});
      ids.push(id);
      await ledger.append(() => [{ type: 'conversation', id }, { type: 'clear' }]);
    }
    const due = async (): Promise<string[]> => {
      const { former } = await ledger.read();
      return [...former].flatMap(([id, fate]) => (fate === 'due' ? [id] : []));
    };
    expect(await due()).toEqual(ids);
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    expect(await deleteClearedConversations(client, ledger, false)).toMatchObject({ status: 500 });
    expect(await due()).toEqual(ids.slice(0, 1));
    expect(await deleteClearedConversations(client, ledger, false)).toBeUndefined();
    expect(await due()).toEqual([]);
  });
});

describe('the circuit breaker', () => {
  const down = { status: 500 };
  const failing = (times: number): CircuitBreaker => {
    const breaker = new CircuitBreaker();
    for (let nth = 0; nth < times; nth += 1) breaker.failed(down);
    return breaker;
  };

  it('the circuit opens at the third failure in a row, for a second', () => {
    const two = failing(2);
    expect([two.error, two.allowsRequest()]).toEqual([undefined, true]);
    const three = failing(3);
    expect([three.error, three.allowsRequest()]).toEqual([down, false]);
    passTime(999);
    expect(three.allowsRequest()).toBe(false);
    passTime(1);
    expect(three.error).toBeUndefined();
  });

  it('the circuit closes when the clock is set back', () => {
    const breaker = failing(3);
    passTime(-3_600_000);
    expect([breaker.error, breaker.allowsRequest()]).toEqual([undefined, true]);
    passTime(999);
    expect(breaker.allowsRequest()).toBe(false);
  });

  it('one trial request is allowed after a pause, and the next one a pause later', () => {
    const breaker = failing(3);
    passTime(1000);
    expect(breaker.allowsRequest()).toBe(true);
    expect(breaker.allowsRequest()).toBe(false);
    passTime(1000);
    expect(breaker.allowsRequest()).toBe(true);
  });

  it('the pause doubles with each failure, up to a minute', () => {
    const breaker = failing(3);
    for (const pause of [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      breaker.failed(down);
      passTime(pause - 1);
      expect(breaker.error).toBe(down);
      passTime(1);
      expect(breaker.error).toBeUndefined();
    }
  });

  it('a success or a refusal closes the circuit, and the first pause is short again', () => {
    for (const end of ['success', 'refusal']) {
      const breaker = failing(5);
      if (end === 'success') breaker.succeeded();
      else breaker.failed({ status: 400 });
      expect([breaker.error, breaker.allowsRequest()]).toEqual([undefined, true]);
      for (let nth = 0; nth < 3; nth += 1) breaker.failed(down);
      passTime(1000);
      expect(breaker.error).toBeUndefined();
    }
  });

  it('a client has one circuit breaker', () => {
    const [one, other] = [simulated().client, simulated().client];
    expect(circuitBreakerOf(one)).toBe(circuitBreakerOf(one));
    expect(circuitBreakerOf(one)).not.toBe(circuitBreakerOf(other));
  });
});

const message = (at: number) => ({
  type: 'message',
  id: `msg_${at}`,
  role: 'user',
  status: 'completed',
  content: [{ type: 'input_text', text: `text ${at}` }],
});

/** A server with pages of two items; the last page leads back where it is said so. */
const serving = (count: number, leadsBack = false) => {
  const asked: string[] = [];
  const client = clientOn((url) => {
    const after = url.searchParams.get('after');
    asked.push(after ?? '');
    const from = after === null ? 0 : Number(after.slice(4)) + 1;
    const data = [from, from + 1].filter((at) => at < count).map((at) => message(at));
    const hasMore = from + 2 < count;
    const last = leadsBack && !hasMore ? 'msg_1' : (data.at(-1)?.id ?? null);
    return page(data, { has_more: hasMore || leadsBack, last_id: last });
  });
  return { asked, stock: new StockSession(client, 'conv_1') };
};

describe('the list of the stock session', () => {
  it('all pages are read, each once, and the items of the API are kept beside those of the SDK', async () => {
    const { stock, asked } = serving(5);
    const { items, list } = await stock.read(undefined);
    expect(texts(items)).toEqual(['text 0', 'text 1', 'text 2', 'text 3', 'text 4']);
    expect(list.map(({ id }) => id)).toEqual(['msg_0', 'msg_1', 'msg_2', 'msg_3', 'msg_4']);
    expect(asked).toEqual(['', 'msg_1', 'msg_3']);
  });

  it('a second read begins with an empty list', async () => {
    const { stock } = serving(2);
    await stock.read(undefined);
    expect((await stock.read(undefined)).list).toHaveLength(2);
  });

  it('pages that lead back are refused', async () => {
    const { stock } = serving(4, true);
    await expect(stock.read(undefined)).rejects.toThrow(
      'Cannot use the response to conversations.items.list: its pages lead back',
    );
  });

  it('an item without an ID is refused', async () => {
    const stock = new StockSession(
      clientOn(() => page([{ ...message(0), id: '' }])),
      'conv_1',
    );
    await expect(stock.read(undefined)).rejects.toMatchObject({ code: 'invalid_response' });
  });
});
