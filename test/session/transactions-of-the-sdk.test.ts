import { MemorySession, type SessionHistoryTransactionArgs } from '@openai/agents';
import { expect, it } from 'vitest';
import { HybridSession } from '../../src/index.ts';
import { assistant, call, result, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

const SECRET = 'sk-of-a-getter';

/** A user's message that carries a value. */
function carrying(value: unknown): object {
  return { ...user('hi'), providerData: { value } };
}

function append(items: unknown): object {
  return { type: 'append_items', items };
}

function replace(replacement: unknown, expectedSuffix: unknown = []): object {
  return { type: 'replace_suffix', expectedSuffix, replacement };
}

/** An object with a field that does not show. */
function hiding(value: object, key: string | symbol = 'hidden'): object {
  return Object.defineProperty({ ...value }, key, { value: 1, enumerable: typeof key === 'symbol' });
}

function getting(value: object, key: string, get: () => unknown): object {
  return Object.defineProperty({ ...value }, key, { get, enumerable: true, configurable: true });
}

function fail(): never {
  throw new Error(SECRET);
}

function cyclic(): object {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}

class Point {
  readonly x = 1;
}

/** Values within an item. */
const VALUES: Readonly<Record<string, unknown>> = {
  'a date': new Date(0),
  'a map': new Map([['a', 1]]),
  'a set': new Set([1]),
  'a regular expression': /a/,
  'an error': new Error('a'),
  'a promise': Promise.resolve(),
  'an instance of a class': new Point(),
  'a boxed string': Object('a') as object,
  bytes: new Uint8Array([1, 2]),
  'a buffer of Node': Buffer.from('hi'),
  'an array buffer': new ArrayBuffer(2),
  'a view of data': new DataView(new ArrayBuffer(2)),
  floats: new Float32Array([1]),
  words: new Uint16Array([1]),
  'clamped bytes': new Uint8ClampedArray([1]),
  'bytes with a field': Object.assign(new Uint8Array([1]), { extra: 1 }),
  'a function': () => 1,
  'a symbol': Symbol('a'),
  'a big integer': 1n,
  nothing: undefined,
  null: null,
  'no number': Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  'an object without a prototype': Object.assign(Object.create(null) as object, { a: 1 }),
  'an object with an inherited field': Object.create({ a: 1 }) as object,
  'a hidden field': hiding({ a: 1 }),
  'a field named by a symbol': hiding({ a: 1 }, Symbol('a')),
  'a getter': getting({}, 'a', () => 1),
  'a getter that throws': getting({}, 'a', fail),
  'a getter named toJSON': getting({}, 'toJSON', () => () => 'x'),
  'a toJSON': { toJSON: () => 'x' },
  // oxlint-disable-next-line no-sparse-arrays
  'an array with a hole': [1, , 2],
  'an array with a field': Object.assign([1], { extra: 2 }),
  'an array with a hidden field': hiding([1]),
  'an array of a class': new (class extends Array<number> {})(),
  'a proxy': new Proxy({ a: 1 }, {}),
  'a proxy of an array': new Proxy([1], {}),
  'a cycle': cyclic(),
  'the same object twice': ((one) => [one, one])({ a: 1 }),
  'a field named __proto__': JSON.parse('{"__proto__": {"a": 1}}') as object,
  'a deep value': JSON.parse(`${'['.repeat(400)}${']'.repeat(400)}`) as unknown,
};

/** Transactions as such. */
const TRANSACTIONS: Readonly<Record<string, unknown>> = {
  none: undefined,
  null: null,
  'a text': 'append_items',
  'an array': [],
  'an unknown type': { type: 'clear' },
  'no items': { type: 'append_items' },
  'items that are a set': append(new Set([user('hi')])),
  'items like an array': append({ 0: user('hi'), length: 1 }),
  'an empty append': append([]),
  'an append': append([user('hi'), assistant('hello')]),
  'calls and results': append([call('c', 'f', {}), result('c', 'f', 'x')]),
  'a replacement of nothing': replace([user('hi')]),
  'a replacement by nothing': replace([]),
  'an extra field': { ...append([user('hi')]), extra: 1 },
  'an extra field without a value': { ...append([user('hi')]), extra: undefined },
  'a hidden field': hiding(append([user('hi')])),
  'a field named by a symbol': hiding(append([user('hi')]), Symbol('a')),
  'a getter for items': getting({ type: 'append_items' }, 'items', () => [user('hi')]),
  'a getter for items that throws': getting({ type: 'append_items' }, 'items', fail),
  'the fields of a replacement in an append': { ...append([]), replacement: [] },
  'a replacement without a suffix': { type: 'replace_suffix', replacement: [] },
  'a replacement with an extra field': { ...replace([user('hi')]), items: [] },
  'an inherited type': Object.assign(Object.create({ type: 'append_items' }) as object, { items: [] }),
  'a proxy': new Proxy(append([user('hi')]), {}),
  'a class': Object.assign(new Point(), append([user('hi')])),
  // oxlint-disable-next-line no-sparse-arrays
  'a hole among the items': append([user('hi'), , user('you')]),
  'a field on the items': append(Object.assign([user('hi')], { extra: 1 })),
  'a getter among the items': append(getting([user('hi')] as object, '0', () => user('hi'))),
  'an item that is none': append([{ type: 'message', role: 'user' }]),
  'an item of an unknown type': append([{ type: 'brand_new', a: 1 }]),
  'an item of the type unknown': append([{ type: 'unknown', a: 1 }]),
  'an item with an extra field': append([{ ...user('hi'), extra: 1 }]),
  'a result without a name': append([
    { type: 'function_call_result', callId: 'c', output: 'x', status: 'completed' },
  ]),
  'a suffix that is none': replace([], [{ type: 'message', role: 'user' }]),
};

const OPERATION_IDS: Readonly<Record<string, unknown>> = {
  none: undefined,
  'an empty one': '',
  spaces: '  ',
  'a number': 7,
  'a boxed one': Object('op') as object,
};

const CASES: readonly (readonly [string, unknown])[] = [
  ...Object.entries(VALUES).flatMap(([name, value]): [string, unknown][] => [
    [`an append with ${name} in an item`, { operationId: 'op', transaction: append([carrying(value)]) }],
    [`a replacement with ${name} in an item`, { operationId: 'op', transaction: replace([carrying(value)]) }],
  ]),
  ...Object.entries(TRANSACTIONS).map(([name, transaction]): [string, unknown] => [
    `the transaction ${name}`,
    { operationId: 'op', transaction },
  ]),
  ...Object.entries(OPERATION_IDS).map(([name, operationId]): [string, unknown] => [
    `the operation ID ${name}`,
    { operationId, transaction: append([user('hi')]) },
  ]),
  ['no arguments', undefined],
  ['null', null],
  ['an operation ID that throws', getting({ transaction: append([]) }, 'operationId', fail)],
  ['a transaction that throws', getting({ operationId: 'op' }, 'transaction', fail)],
  ['arguments with more', { operationId: 'op', transaction: append([user('hi')]), extra: 1 }],
  ['inherited arguments', Object.create({ operationId: 'op', transaction: append([user('hi')]) })],
];

/** What became of a transaction. */
interface Outcome {
  readonly error: unknown;
  /** How many items the session has afterwards. */
  readonly length: number;
}

async function outcome(session: MemorySession | HybridSession, args: unknown): Promise<Outcome> {
  await session.addItems([user('before')]);
  const error: unknown = await session
    .applyHistoryTransaction(args as SessionHistoryTransactionArgs)
    .then(() => undefined)
    .catch((reason: unknown) => reason);
  return { error, length: (await session.getItems()).length };
}

it.each(CASES)("a session takes or refuses as the SDK's own session does: %s", async (_name, args) => {
  const { client } = simulated();
  const theirs = await outcome(new MemorySession(), args);
  const { error, length } = await outcome(new HybridSession({ client }), args);
  expect({ isRefused: error !== undefined, length }).toEqual({
    isRefused: theirs.error !== undefined,
    length: theirs.length,
  });
  expect(errorCodeOf(error)).toMatch(/^(none|history_transaction|invalid_item)$/);
  expect(String(error)).not.toContain(SECRET);
});

function errorCodeOf(error: unknown): unknown {
  if (error === undefined) return 'none';
  return error instanceof Error && 'code' in error ? error.code : 'untyped';
}
