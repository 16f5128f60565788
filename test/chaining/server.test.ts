import { OpenAIResponsesModel, type Model } from '@openai/agents';
import OpenAI, { type ClientOptions } from 'openai';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  clientOf,
  MAX_FAILURES,
  ResponseIds,
  responseIdsOf,
  serverOf,
  servers,
  type ModelServer,
} from '../../src/chaining/server.ts';
import type { KnownContext, ServerRefusals } from '../../src/chaining/port.ts';

const MINUTE = 60_000;

/** A client with these options, and no environment. */
const clientWith = (options: ClientOptions = {}): OpenAI =>
  new OpenAI({
    apiKey: 'key',
    baseURL: 'https://models.example/v1',
    organization: null,
    project: null,
    ...options,
  });

const modelOf = (client: object): Model => {
  const model = new OpenAIResponsesModel(clientWith(), 'gpt-5');
  Reflect.set(model, '_client', client);
  return model;
};

const markOf = (options: ClientOptions = {}): string => serverOf(modelOf(clientWith(options))).mark;

/** The part of a mark that stands for the place and the owner, and the part that stands for the credentials. */
const partsOf = (mark: string): [string, string] => {
  const [place = '', credentials = ''] = mark.split('.');
  return [place, credentials];
};

describe('the mark of a server', () => {
  test('the mark of a server is the same in every version, because ledgers hold it', () => {
    expect(markOf({ organization: 'org_1', project: 'proj_1' })).toBe('6ajOF3QJItDc.k4u');
    const credentials = {
      defaultHeaders: { 'X-Tenant': 'b', Authorization: 'a', 'User-Agent': 'me' },
      defaultQuery: { 'api-key': 'c', version: '1' },
    };
    const address = 'https://me:secret@models.example/v1?api-key=1&token=2&version=3';
    expect([markOf(credentials), markOf({ baseURL: address })]).toEqual([
      'uwfeWu-bl1Zu.jYs',
      'uwfeWu-bl1Zu.cOj',
    ]);
  });

  test('the mark of a server is the same for every client of one account', () => {
    expect(markOf()).toMatch(/^[\w-]{12}\.[\w-]{3}$/);
    expect(markOf()).toBe(markOf());
    expect(markOf({ baseURL: 'https://models.example/v1//' })).toBe(markOf());
  });

  test.each<[string, ClientOptions]>([
    ['host', { baseURL: 'https://other.example/v1' }],
    ['port', { baseURL: 'https://models.example:8443/v1' }],
    ['path', { baseURL: 'https://models.example/v2' }],
    ['path in its middle', { baseURL: 'https://models.example//v1' }],
    ['organization', { organization: 'org_1' }],
    ['project', { project: 'proj_1' }],
  ])('the mark of a server has another first part for another %s', (_what, options) => {
    expect(partsOf(markOf(options))[0]).not.toBe(partsOf(markOf())[0]);
    expect(partsOf(markOf(options))[1]).toBe(partsOf(markOf())[1]);
  });

  test('the mark of a server tells an organization from a project of the same name', () => {
    expect(markOf({ organization: 'one' })).not.toBe(markOf({ project: 'one' }));
  });

  test.each<[string, ClientOptions]>([
    ['key', { apiKey: 'another' }],
    ['user of the address', { baseURL: 'https://me@models.example/v1' }],
    ['password of the address', { baseURL: 'https://:secret@models.example/v1' }],
    ['key in the address', { baseURL: 'https://models.example/v1?api-key=1' }],
    ['key in the query', { defaultQuery: { 'api-key': '1' } }],
    ['header', { defaultHeaders: { 'X-Tenant': 'one' } }],
    ['header in a list', { defaultHeaders: [['X-Tenant', 'one']] }],
    ['header in an object of headers', { defaultHeaders: new Headers({ 'X-Tenant': 'one' }) }],
  ])('the mark of a server has another second part for another %s', (_what, options) => {
    expect(partsOf(markOf(options))[1]).not.toBe(partsOf(markOf())[1]);
    expect(partsOf(markOf(options))[0]).toBe(partsOf(markOf())[0]);
  });

  test('the mark of a server is the same for headers in any form, order and case', () => {
    const forms: ClientOptions['defaultHeaders'][] = [
      { Authorization: 'one', 'X-Project': 'two', 'X-Tenant': 'three' },
      { 'x-tenant': 'three', 'x-project': 'two', authorization: 'one' },
      [
        ['X-Project', 'two'],
        ['X-Tenant', 'three'],
        ['Authorization', 'one'],
      ],
      new Headers({ 'X-Tenant': 'three', Authorization: 'one', 'X-Project': 'two' }),
    ];
    const [mark, ...others] = forms.map((defaultHeaders) => markOf({ defaultHeaders }));
    for (const other of others) expect(other).toBe(mark);
    expect(mark).not.toBe(markOf());
  });

  test.each<[string, ClientOptions]>([
    ['no account', { defaultHeaders: { 'User-Agent': 'me' }, defaultQuery: { version: '1' } }],
    ['no text', { defaultHeaders: { Authorization: null } }],
    ['no name', { defaultHeaders: ['Authorization'] as unknown as [string, string][] }],
  ])('the mark of a server does not depend on headers with %s', (_what, options) => {
    expect(markOf(options)).toBe(markOf());
  });

  test('the mark of a server does not depend on a key that rotates', () => {
    const rotating = [
      clientWith({ apiKey: async () => 'one' }),
      Object.assign(clientWith({ apiKey: async () => 'two' }), { apiKey: 'two' }),
      { baseURL: 'https://models.example/v1', apiKey: 'x', _options: { azureADTokenProvider: () => 'y' } },
      { baseURL: 'https://models.example/v1', apiKey: 'z', _options: { workloadIdentity: { id: 'one' } } },
      { baseURL: 'https://models.example/v1', apiKey: '' },
    ];
    const [mark, ...others] = rotating.map((client) => serverOf(modelOf(client)).mark);
    for (const other of others) expect(other).toBe(mark);
    expect(mark).not.toBe(markOf());
  });
});

describe('the server of a model', () => {
  test.each([
    ['https://api.openai.com/v1', true],
    ['https://eu.api.openai.com/v1', false],
    ['https://api.openai.com.example/v1', false],
  ])('the server of a model with the address %s is official: %s', (baseURL, isOfficial) => {
    expect(serverOf(modelOf(clientWith({ baseURL })))).toMatchObject({ model: 'gpt-5', isOfficial });
  });

  test.each<[string, object]>([
    ['without a client', {}],
    ['with an address that is no text', { baseURL: 7 }],
    ['with an invalid address', { baseURL: 'models.example' }],
  ])('the server of a model %s is its own', (_what, client) => {
    const model = modelOf(client);
    const server = serverOf(model);
    expect(server).toEqual({
      mark: expect.stringMatching(/^unknown-[\da-f-]{36}$/),
      model: 'gpt-5',
      isOfficial: false,
    });
    expect(serverOf(model)).toEqual(server);
    expect(serverOf(modelOf(client)).mark).not.toBe(server.mark);
  });

  test('the server of a model without a name has an empty one', () => {
    const model = modelOf(clientWith());
    Reflect.set(model, '_model', undefined);
    expect(serverOf(model).model).toBe('');
  });

  test('the client of a model has an address', () => {
    const client = clientWith();
    expect(clientOf(modelOf(client))).toBe(client);
    for (const other of [{}, { baseURL: 7 }]) expect(clientOf(modelOf(other))).toBeUndefined();
  });
});

describe('the memory of servers', () => {
  const here: ModelServer = { mark: 'here', model: 'gpt-5', isOfficial: false };
  const others: readonly ModelServer[] = [
    { ...here, mark: 'there' },
    { ...here, model: 'gpt-4.1' },
  ];
  const NOW = 1_000 * MINUTE;

  /** Fails as often as it takes to pause the server. */
  const fail = (now: number): void => servers.failed(here, now, MAX_FAILURES);

  /** The length of the pause that begins now. */
  const pauseFrom = (now: number): number => {
    let minutes = 0;
    while (servers.isPaused(here, now + minutes * MINUTE)) minutes += 1;
    expect(minutes === 0 || servers.isPaused(here, now + minutes * MINUTE - 1)).toBe(true);
    return minutes;
  };

  beforeEach(() => {
    servers.clear();
  });

  test('the memory of servers knows no server at first', () => {
    expect(servers.continues(here)).toBeUndefined();
    expect(servers.isPaused(here, 0)).toBe(false);
    expect(servers.isWaiting(here, 'resp_1', 0)).toBe(false);
  });

  test('the memory of servers goes by the newest response', () => {
    servers.confirmed(here);
    expect(servers.continues(here)).toBe(true);
    servers.failed(here, NOW);
    expect(servers.continues(here)).toBe(false);
    servers.confirmed(here);
    expect(servers.continues(here)).toBe(true);
    servers.doubted(here, NOW);
    expect(servers.continues(here)).toBe(false);
    servers.clear();
    servers.failed(here, NOW);
    expect(servers.continues(here)).toBe(false);
  });

  test('the memory of servers keeps servers and models apart', () => {
    servers.confirmed(here);
    for (const other of others) expect(servers.continues(other)).toBeUndefined();
    fail(NOW);
    for (const other of others) expect(servers.isPaused(other, NOW)).toBe(false);
    servers.wait(here, 'resp_1', NOW);
    expect(servers.isWaiting({ ...here, mark: 'there' }, 'resp_1', NOW - 1)).toBe(false);
    expect(servers.isWaiting({ ...here, model: 'gpt-4.1' }, 'resp_1', NOW - 1)).toBe(true);
  });

  test('the memory of servers pauses a server for five minutes at the third failure', () => {
    servers.failed(here, NOW);
    servers.failed(here, NOW);
    expect(servers.isPaused(here, NOW)).toBe(false);
    servers.failed(here, NOW);
    expect(pauseFrom(NOW)).toBe(5);
  });

  test('the memory of servers pauses a server at once if a failure counts three times', () => {
    fail(NOW);
    expect(pauseFrom(NOW)).toBe(5);
  });

  test('the memory of servers doubles the pause with every further failure, up to six hours', () => {
    const pauses: number[] = [];
    let now = NOW;
    for (let count = 0; count < 9; count += 1) {
      servers.failed(here, now, count === 0 ? MAX_FAILURES : 1);
      pauses.push(pauseFrom(now));
      now += (pauses.at(-1) ?? 0) * MINUTE;
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 320, 360, 360]);
  });

  test('the memory of servers counts failures during a pause once', () => {
    fail(NOW);
    fail(NOW);
    fail(NOW + 5 * MINUTE - 1);
    expect(pauseFrom(NOW)).toBe(5);
    servers.failed(here, NOW + 5 * MINUTE);
    expect(pauseFrom(NOW + 5 * MINUTE)).toBe(10);
  });

  test('the memory of servers forgets all failures at a confirmation', () => {
    fail(NOW);
    servers.confirmed(here);
    expect(servers.isPaused(here, NOW)).toBe(false);
    servers.failed(here, NOW);
    servers.failed(here, NOW);
    expect(servers.isPaused(here, NOW)).toBe(false);
    servers.failed(here, NOW);
    expect(pauseFrom(NOW)).toBe(5);
  });

  test('the memory of servers pauses a doubtful server for six hours, and again at the next failure', () => {
    servers.doubted(here, NOW);
    expect(pauseFrom(NOW)).toBe(360);
    servers.failed(here, NOW + 360 * MINUTE);
    expect(pauseFrom(NOW + 360 * MINUTE)).toBe(360);
  });

  test('the memory of servers learns the refusals before a response of the same server, unless it has its own', () => {
    const newest = (fields: Partial<ServerRefusals> = {}): KnownContext => ({
      server: here.mark,
      refusals: { count: 3, pause: 5 * MINUTE, until: NOW + 5 * MINUTE, ...fields },
    });
    servers.learn(here, { ...newest(), server: 'another' }, NOW);
    servers.learn(here, { server: here.mark }, NOW);
    servers.learn(here, undefined, NOW);
    expect(servers.isPaused(here, NOW)).toBe(false);
    expect(servers.refusals(here)).toEqual({});
    servers.learn(here, newest(), NOW);
    expect(servers.refusals(here)).toEqual({ refusals: newest().refusals });
    expect(servers.continues(here)).toBeUndefined();
    expect(pauseFrom(NOW)).toBe(5);
    servers.failed(here, NOW + 5 * MINUTE);
    expect(pauseFrom(NOW + 5 * MINUTE)).toBe(10);
    servers.confirmed(here);
    servers.learn(here, newest(), NOW);
    expect(servers.isPaused(here, NOW)).toBe(false);
    expect(servers.refusals(here)).toEqual({});
  });

  test('the memory of servers believes no record in a pause of more than six hours', () => {
    const refusals = { count: 1e9, pause: Number.MAX_VALUE, until: Number.MAX_VALUE };
    servers.learn(here, { server: here.mark, refusals }, NOW);
    expect(pauseFrom(NOW)).toBe(360);
    servers.clear();
    servers.learn(here, { server: here.mark, refusals: { ...refusals, pause: -1 } }, NOW);
    expect(servers.isPaused(here, NOW)).toBe(false);
  });

  test('the memory of servers avoids a response until its time, and no other one', () => {
    servers.wait(here, 'resp_1', NOW);
    expect(servers.isWaiting(here, 'resp_1', NOW - 1)).toBe(true);
    expect(servers.isWaiting(here, 'resp_1', NOW)).toBe(false);
    expect(servers.isWaiting(here, 'resp_2', NOW - 1)).toBe(false);
    servers.clear();
    expect(servers.isWaiting(here, 'resp_1', NOW - 1)).toBe(false);
  });
});

describe('the IDs of responses', () => {
  test('an ID is taken by the newest response that has it', () => {
    const ids = new ResponseIds();
    expect(ids.isKnown('resp_1')).toBe(false);
    expect(ids.isTaken('resp_1', 'a')).toBe(false);
    ids.answered('resp_1', 'a');
    expect(ids.isKnown('resp_1')).toBe(true);
    expect(ids.isTaken('resp_1', 'a')).toBe(false);
    ids.answered('resp_1', 'b');
    expect(ids.isTaken('resp_1', 'a')).toBe(true);
    expect(ids.isTaken('resp_1', 'b')).toBe(false);
    expect(ids.isTaken('resp_2', 'a')).toBe(false);
  });

  test('an ID is taken by a response from which no request may continue', () => {
    const ids = new ResponseIds();
    ids.answered('resp_1', 'a');
    ids.answered('resp_1', undefined);
    expect(ids.isTaken('resp_1', 'a')).toBe(true);
  });

  test.each([undefined, null, '', 7])('a response may have no ID: %j', (id) => {
    const ids = new ResponseIds();
    ids.answered(id, 'a');
    expect(ids.isKnown(id)).toBe(false);
    expect(ids.isTaken('', 'b')).toBe(false);
  });

  test('the models of one client share the IDs of its server', () => {
    const clients = [clientWith(), clientWith()] as const;
    const [one, other, foreign] = [clients[0], clients[0], clients[1]].map((client) =>
      responseIdsOf(modelOf(client)),
    );
    expect(one).toBe(other);
    expect(one).not.toBe(foreign);
  });
});
