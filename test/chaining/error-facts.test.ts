import { describe, expect, test } from 'vitest';
import { errorFacts, parentRefusal, type Facts } from '../../src/chaining/parent-refusal.ts';

/** Facts without all that is absent. */
const facts = (fields: Partial<Facts>): Facts => ({
  status: undefined,
  code: undefined,
  param: '',
  message: '',
  ...fields,
});

const said = (...evidence: readonly unknown[]): string[] =>
  errorFacts(...evidence).map(({ message }) => message);

/** The status of an error's own facts. */
const statusOf = (error: unknown): number | undefined => errorFacts(error)[0]?.status;

/** A text at the bottom of so many objects. */
const buried = (levels: number): unknown => (levels === 0 ? 'deep down' : { inner: buried(levels - 1) });

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index + 1}`);

describe('the facts of an error', () => {
  test.each([undefined, null, 404, true, () => 'x'])('the facts of an error are none in %s', (value) => {
    expect(errorFacts(value)).toEqual([]);
  });

  test('the facts of an error are those of all its evidence', () => {
    expect(errorFacts('one', { status: 404, code: 'gone', param: 'id', message: 'two' })).toEqual([
      facts({ message: 'one' }),
      facts({ status: 404, code: 'gone', param: 'id', message: 'gone\ntwo' }),
    ]);
  });

  test('the facts of an error hold its message, its cause and its errors, which are not enumerable', () => {
    const error = new AggregateError([new Error('one'), 'two'], 'several');
    error.cause = { detail: 'because' };
    expect(said(error).toSorted()).toEqual(['because', 'one', 'several', 'two']);
  });

  test('the facts of a list hold its texts together, and each of its objects', () => {
    expect(errorFacts([])).toEqual([]);
    expect(errorFacts(['one', { message: 'two' }, 'three', ['four'], 5])).toEqual([
      facts({ message: 'one three' }),
      facts({ message: 'two' }),
      facts({ message: 'four' }),
    ]);
    expect(errorFacts([{ message: 'one' }])).toEqual([facts({ message: 'one' })]);
  });

  test('the facts of a list hold at most forty of its texts and of its objects', () => {
    expect(said(numbers(41))).toEqual([numbers(40).join(' ')]);
    expect(said(numbers(41).map((message) => ({ message })))).toEqual(numbers(40));
  });

  test('the facts of an object hold at most forty of its fields', () => {
    expect(said(Object.fromEntries(numbers(41).map((name) => [`f${name}`, name])))).toEqual([
      numbers(40).join('\n'),
    ]);
  });

  test.each([
    'headers',
    'input',
    'instructions',
    'metadata',
    'output',
    'previous_response_id',
    'providerData',
    'requestID',
    'request_id',
    'stack',
    'tools',
  ])('the facts of an error leave out its field `%s`, which may quote the request', (field) => {
    expect(said({ message: 'no', [field]: 'quoted' })).toEqual(['no']);
    expect(said({ message: 'no', [field]: { text: 'quoted' } })).toEqual(['no']);
  });

  test('the facts of an error keep its parameter apart from its message', () => {
    expect(errorFacts({ param: 'input', message: 'no' })).toEqual([facts({ param: 'input', message: 'no' })]);
    for (const param of [7, { name: 'input' }, null])
      expect(errorFacts({ param, message: 'no' })).toEqual([facts({ message: 'no' })]);
  });

  test('the facts of an event leave out its type, which tells nothing about a failure', () => {
    expect(said({ type: 'error', message: 'no' })).toEqual(['error\nno']);
    expect(said({ type: 'model', event: { type: 'error', message: 'no' } })).toEqual(['', 'error\nno']);
    expect(said({ name: 'model', event: 'no' })).toEqual(['model\nno']);
  });

  test('the facts of a failed response are those of its error', () => {
    const error = { message: 'no' };
    expect(said({ object: 'response', message: 'quoted', error })).toEqual(['no']);
    expect(said({ output: [], text: 'quoted', error })).toEqual(['no']);
    expect(said({ object: 'error', output: 'quoted', message: 'yes', error })).toEqual(['error\nyes', 'no']);
  });

  test('the facts of an error end at the seventh level', () => {
    expect(said(buried(7)).at(-1)).toBe('deep down');
    expect(said(buried(8))).toEqual(Array.from({ length: 7 }, () => ''));
    const list = (levels: number): unknown => (levels === 0 ? ['deep down'] : [list(levels - 1)]);
    expect(said(list(6))).toEqual(['deep down']);
    expect(said(list(7))).toEqual([]);
    const response = (levels: number): unknown =>
      levels === 0 ? 'deep down' : { object: 'response', error: response(levels - 1) };
    expect(said(response(6))).toEqual(['deep down']);
    expect(said(response(7))).toEqual([]);
  });

  test('the facts of an error hold the beginning of a long text', () => {
    const long = 'x'.repeat(5000);
    const beginning = 'x'.repeat(4000);
    expect(said(long)).toEqual([beginning]);
    expect(said({ message: long })).toEqual([beginning]);
    expect(errorFacts({ param: long })).toEqual([facts({ param: beginning })]);
  });
});

describe('the status of an error', () => {
  test.each(['server_error', 'internal_error', 'internal_server_error'])(
    'the status of an error with the code `%s` is 500',
    (code) => {
      expect(statusOf({ code })).toBe(500);
      expect(parentRefusal('resp_1', { code, message: 'Sorry' })).toBe('server error');
    },
  );

  test.each<[object, number | undefined]>([
    [{ status: 400 }, 400],
    [{ status: 599 }, 599],
    [{ status: 399 }, undefined],
    [{ status: 600 }, undefined],
    [{ status: '404' }, undefined],
    [{ code: 404 }, 404],
    [{ code: '404' }, undefined],
    [{ message: '404 Not Found' }, 404],
    [{ message: '503' }, 503],
    [{ message: '4044 things' }, undefined],
    [{ message: 'Error 404' }, undefined],
    [{ message: '304 Not Modified' }, undefined],
    [{ message: 404 }, undefined],
    [{ status: 422, code: 404, message: '500 Sorry' }, 422],
    [{ status: 200, code: 404, message: '500 Sorry' }, 404],
    [{ status: 700, message: '500 Sorry' }, 500],
  ])('the status of the error %j is %s', (error, status) => {
    expect(statusOf(error)).toBe(status);
  });

  test('the status of an error is that of the error around it if it has none', () => {
    const error = {
      status: 404,
      error: { message: 'one', inner: [{ status: 500, message: 'two' }, 'three'] },
    };
    expect(errorFacts(error).map(({ status, message }) => [status, message])).toEqual([
      [404, ''],
      [404, 'one'],
      [404, 'three'],
      [500, 'two'],
    ]);
  });
});

describe('a refusal without a known form', () => {
  test.each<[string, unknown, string | undefined]>([
    ['with a status and no body', { status: 400, message: '400 status code (no body)' }, 'refused'],
    ['with a status alone', { status: 400 }, 'refused'],
    ['with an empty message', { status: 400, message: ' \n' }, 'refused'],
    ['with a message in a later line', { status: 400, message: '\nInvalid input' }, undefined],
    [
      'with more than the text of the client',
      { status: 400, message: '400 status code (no body) x' },
      undefined,
    ],
    [
      'with a text before that of the client',
      { status: 400, message: 'x 400 status code (no body)' },
      undefined,
    ],
    ['with no status and no message', new Error(''), undefined],
    ['of a feature that is not there', { status: 501, message: 'Not implemented' }, 'refused'],
    ['of a method that is not there', { status: 405, message: 'Not allowed' }, 'refused'],
    ['of a thing that is not there', { status: 404, message: 'Not Found' }, 'refused'],
    ['of a thing that is gone', { status: 410, message: 'Gone' }, 'refused'],
    ['of a conflict', { status: 409, message: 'Conflict' }, undefined],
    ['at the lowest status of a server', { status: 500, message: 'Sorry' }, 'server error'],
    ['at another status of a server', { status: 502, message: 'Sorry' }, 'server error'],
    ['at the highest status of a client', { status: 499, message: 'Sorry' }, undefined],
    ['by the name of the SDK', { status: 400, message: 'previousResponseId: no' }, 'refused'],
    ['by the parameter', { status: 400, message: 'no', param: 'previous_response_id' }, 'refused'],
    [
      'by a parameter that holds its name',
      { status: 400, message: 'no', param: 'x.previous_response' },
      undefined,
    ],
    ['by the ID of the parent', { status: 400, message: 'What is resp_1?' }, 'refused'],
  ])('a refusal %s has its reason', (_how, error, why) => {
    expect(parentRefusal('resp_1', error)).toBe(why);
  });

  test.each([401, 403, 408, 429])('an error with the status %i never concerns the parent', (status) => {
    const message = 'Previous response not found';
    expect(parentRefusal('resp_1', { status, message })).toBeUndefined();
    expect(parentRefusal('resp_1', new Error(message, { cause: { status, message: '' } }))).toBeUndefined();
  });

  test.each([
    'The model is away',
    'No such models',
    'No such deployment',
    'No such deployments',
    'No such engine',
    'Item with id msg_1 not found',
    'No such conversation',
    'No such conversations',
    'No such container',
    'No such containers',
    'No such file',
    'No such files',
    'No such vector store',
    'No such vector_stores',
    'No such prompt',
    'No such prompts',
    'No such project',
    'No such projects',
  ])('a server that does not find another thing refuses no parent: %s', (message) => {
    expect(parentRefusal('resp_1', { status: 404, message })).toBeUndefined();
  });
});
