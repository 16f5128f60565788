import { setDefaultOpenAIClient, type AgentInputItem } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import type { ChainingPort } from '../../src/chaining/port.ts';
import { user } from '../support/conversation.ts';
import { noHistory } from './known-port.ts';
import {
  recordServedHistory,
  sessionForRequest,
  type UnattributedRequest,
} from '../../src/chaining/attribution.ts';

function port(): ChainingPort {
  return {
    client: undefined,
    history: noHistory,
    view: () => Promise.reject(new Error('Nobody looks')),
    answered: () => undefined,
    refused: () => undefined,
    lost: () => undefined,
    compact: async () => false,
    uncompact: async () => false,
    warn: () => undefined,
    planning: () => () => undefined,
  };
}

/** A request with these contexts, of a client that nobody asks for. */
function asked(contexts: readonly string[]): UnattributedRequest {
  return { items: [], contexts, client: undefined };
}

let told = 0;

/** Names of histories that no other session has served. */
function fresh(): (name: string) => string {
  told += 1;
  const story = told;
  return (name) => `${name} of story ${story}`;
}

test('sessionForRequest finds the session whose history a request begins with', () => {
  const of = fresh();
  const one = port();
  recordServedHistory(one, of('one 2'), []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('one 1'), of('one 2'), of('one 3')]))).toBe(one);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('one 1')]))).toBeUndefined();
});

test('sessionForRequest takes the longest history when several are beginnings of the request', () => {
  const of = fresh();
  const [short, long] = [port(), port()];
  recordServedHistory(short, of('length 1'), []);
  recordServedHistory(long, of('length 2'), []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('length 1'), of('length 2'), of('length 3')]))).toBe(long);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('length 1'), of('other')]))).toBe(short);
});

test('sessionForRequest chooses nobody where two sessions have served the same', () => {
  const of = fresh();
  const [one, other] = [port(), port()];
  recordServedHistory(one, of('same'), []);
  recordServedHistory(other, of('same'), []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('same')]))).toBeUndefined();
  recordServedHistory(other, of('no longer the same'), []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('same')]))).toBe(one);
});

test('sessionForRequest goes by what a session served last', () => {
  const of = fresh();
  const one = port();
  recordServedHistory(one, of('before'), []);
  recordServedHistory(one, of('after'), []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('before')]))).toBeUndefined();
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('after')]))).toBe(one);
  recordServedHistory(one, of('before'), []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('before')]))).toBe(one);
});

test('sessionForRequest knows nobody by an empty history: every request begins with that', () => {
  const one = port();
  recordServedHistory(one, EMPTY_DIGEST, []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, 'anything']))).toBeUndefined();
});

test('a session is found by its first history behind an empty one', () => {
  const of = fresh();
  const one = port();
  recordServedHistory(one, EMPTY_DIGEST, []);
  recordServedHistory(one, of('first'), []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('first')]))).toBe(one);
  recordServedHistory(one, of('first'), []);
  expect(sessionForRequest(asked([EMPTY_DIGEST, of('first')]))).toBe(one);
});

test('a session is found by the digest of its messages, in whatever form they are', () => {
  const of = fresh();
  const one = port();
  recordServedHistory(one, of('digest'), [user('hi')]);
  expect(
    sessionForRequest({
      items: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
      contexts: [EMPTY_DIGEST, of('digest')],
      client: undefined,
    }),
  ).toBe(one);
});

test('sessionForRequest takes a request with the history of the run around it for no other session', () => {
  const of = fresh();
  const [outer, inner] = [port(), port()];
  recordServedHistory(outer, of('outer 2'), []);
  recordServedHistory(inner, of('outer 1'), []);
  const contexts = [EMPTY_DIGEST, of('outer 1'), of('outer 2')];
  expect(sessionForRequest(asked(contexts))).toBe(outer);
  expect(sessionForRequest(asked(contexts), [outer])).toBeUndefined();
  expect(sessionForRequest(asked(contexts.slice(0, 2)), [outer])).toBe(inner);
  expect(sessionForRequest(asked(contexts), [outer, inner])).toBeUndefined();
});

function ofClient(contexts: readonly string[], client: object | undefined): UnattributedRequest {
  return { ...asked(contexts), client };
}

describe('the client of a request', () => {
  const [mine, theirs] = [new OpenAI({ apiKey: 'mine' }), new OpenAI({ apiKey: 'theirs' })];

  test('the client of a request is that of its session', () => {
    const of = fresh();
    const [one, other] = [
      { ...port(), client: mine },
      { ...port(), client: theirs },
    ];
    recordServedHistory(one, of('same'), []);
    expect(sessionForRequest(ofClient([of('same')], mine))).toBe(one);
    for (const client of [theirs, {}, undefined])
      expect(sessionForRequest(ofClient([of('same')], client))).toBeUndefined();
    // Two sessions with equal histories are told apart by it.
    recordServedHistory(other, of('same'), []);
    expect(sessionForRequest(ofClient([of('same')], mine))).toBe(one);
    expect(sessionForRequest(ofClient([of('same')], theirs))).toBe(other);
  });

  test('the client of a request is the default client if its session has none', () => {
    const of = fresh();
    const one = port();
    recordServedHistory(one, of('default'), []);
    for (const client of [mine, theirs, undefined])
      expect(sessionForRequest(ofClient([of('default')], client))).toBe(one);
    onTestFinished(() => Reflect.apply(setDefaultOpenAIClient, undefined, [undefined]));
    setDefaultOpenAIClient(mine);
    expect(sessionForRequest(ofClient([of('default')], mine))).toBe(one);
    expect(sessionForRequest(ofClient([of('default')], theirs))).toBeUndefined();
  });
});

function thought(id: string): AgentInputItem {
  return { type: 'reasoning', id, content: [] };
}

describe('reasoning, which no digest covers', () => {
  test('reasoning has to be the same in the served history and in the request', () => {
    const of = fresh();
    const one = port();
    const context = of('with reasoning');
    const request = (...items: AgentInputItem[]): UnattributedRequest => ({
      items,
      contexts: [of('nothing'), ...items.map(() => context)],
      client: undefined,
    });
    recordServedHistory(one, context, [user('hi'), thought('rs_1')]);
    expect(sessionForRequest(request(user('hi'), thought('rs_1')))).toBe(one);
    expect(sessionForRequest(request(user('hi'), thought('rs_1'), user('thanks')))).toBe(one);
    for (const items of [
      [user('hi')],
      [user('hi'), thought('rs_2')],
      [thought('rs_1'), user('hi')],
      [user('hi'), thought('rs_1'), thought('rs_1')].slice(0, 1),
    ])
      expect(sessionForRequest(request(...items))).toBeUndefined();
  });
});
