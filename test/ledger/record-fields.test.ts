import { describe, expect, test } from 'vitest';
import { parseHead, parseRecord } from '../../src/ledger/ledger-record.ts';

const item = {
  digest: 'd',
  kind: 'message:user',
  id: 'msg_1',
  item: { role: 'user', content: 'hi' },
  mirrorId: 'msg_2',
  link: 'msg_3',
};
const operation = { id: 'op_1', digest: 'd' };
const context = { length: 3, digest: 'd', bytes: 70, since: 4, open: ['call_1'] };
const stamp = { v: 1, commit: 'c', time: 5 };
const moving = { ...stamp, v: 2 };

/** A record of every type that says all it can say. */
const RECORDS: readonly object[] = [
  { ...stamp, type: 'items', items: [item], operation, unproven: true },
  { ...stamp, type: 'replace', keep: 2, items: [{ seq: 7 }, item], operation },
  { ...stamp, type: 'pop' },
  { ...stamp, type: 'clear' },
  {
    ...stamp,
    type: 'mirror',
    added: [{ seq: 1, id: 'msg_1' }],
    removed: ['msg_2'],
    surplus: ['msg_3'],
    again: [2],
    behind: 3,
    strays: [{ seq: 4, id: 'msg_4' }],
    settled: true,
    released: true,
    skipped: [{ seq: 5, reason: 'no form' }],
    unlinked: [6],
  },
  {
    ...stamp,
    type: 'response',
    id: 'resp_1',
    parent: 'resp_0',
    model: 'gpt-5.5',
    store: true,
    context,
    seen: { lost: 1, whole: false },
    history: 'd',
  },
  { ...stamp, type: 'lease', writer: 'w', until: 9 },
  { ...stamp, type: 'repair', position: 3 },
  { ...stamp, type: 'refused', id: 'resp_1' },
  { ...moving, type: 'heal', to: 'conv_2' },
  { ...moving, type: 'origin', from: 'conv_1', whole: true },
  { ...moving, type: 'moved', to: 'conv_2' },
];

const HEAD: object = {
  format: 2,
  version: 4,
  length: 3,
  digest: 'd',
  response: { id: 'resp_1', time: 1, store: false, model: 'gpt-5.5', refused: true, context },
  tip: { nextSeq: 5, commit: 'c', pending: 0 },
  cleared: true,
  move: { from: 'conv_0', whole: true, to: 'conv_2', done: true },
};

/** What a record or a head can do without. */
const OPTIONAL = new Set([
  'bytes',
  'cleared',
  'context',
  'done',
  'history',
  'item',
  'link',
  'lost',
  'mirrorId',
  'model',
  'move',
  'open',
  'operation',
  'parent',
  'refused',
  'response',
  'seen',
  'since',
  'tip',
  'unproven',
  'whole',
  'surplus',
  'again',
  'behind',
  'strays',
  'settled',
  'released',
  'skipped',
  'unlinked',
]);

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value)
    ? value.flatMap((entry: unknown, index) => pathsOf(entry, [...path, index]))
    : Object.entries(value).flatMap(([key, entry]) => pathsOf(entry, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

/** A copy with another value at that place; without the place for `undefined`. */
function changed(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((entry: unknown, index) => (index === key ? changed(entry, rest, to) : entry));
  const fields = Object.entries(value as object).map(([name, entry]: [string, unknown]) => [
    name,
    name === key ? changed(entry, rest, to) : entry,
  ]);
  return JSON.parse(JSON.stringify(Object.fromEntries(fields)));
}

function ofAnotherKind(value: unknown): unknown {
  if (typeof value === 'string') return 7;
  if (typeof value !== 'object') return 'seven';
  return Array.isArray(value) ? { seven: 7 } : [7];
}

const isContent = (path: Path): boolean => path.includes('item') && path.at(-1) !== 'item';

/** Every field of every kind, by name, without the inside of what users said. */
function fields(whole: object, name: string): [string, object, Path][] {
  return pathsOf(whole)
    .filter((path) => !isContent(path))
    .map((path) => [`${name}: ${path.join('.')}`, whole, path]);
}

const OF_RECORDS = RECORDS.flatMap((one) => fields(one, String(Reflect.get(one, 'type'))));
const OF_HEAD = fields(HEAD, 'head');

const record = (value: unknown): unknown => parseRecord(value, 'conv_1', 3);
const head = (value: unknown): unknown => parseHead(value, 'conv_1');

function canBeAbsent(path: Path): boolean {
  // These are optional at one place and required at another.
  const name = String(path.at(-1));
  if (name === 'id') return path.includes('items');
  if (name === 'from' || name === 'to') return path[0] === 'move';
  return OPTIONAL.has(name);
}

describe.each([
  ['a record', record, RECORDS, OF_RECORDS],
  ['a head', head, [HEAD], OF_HEAD],
] as const)('%s', (_name, read, wholes, all) => {
  test.each(wholes.map((one) => [one]))('comes back with all it says: %j', (whole) => {
    expect(read(JSON.parse(JSON.stringify(whole)))).toEqual(whole);
  });

  test.each(all)('with a field of the wrong kind is refused: %s', (_field, whole, path) => {
    const here = path.reduce<unknown>((value, key) => Reflect.get(value as object, key), whole);
    expect(() => read(changed(whole, path, ofAnotherKind(here)))).toThrow(
      expect.objectContaining({ code: 'ledger_record', reason: 'damaged', sessionId: 'conv_1' }),
    );
  });

  const named = all.filter(([, , path]) => typeof path.at(-1) === 'string');

  test.each(named.filter(([, , path]) => canBeAbsent(path)))(
    'is read without what it can do without: %s',
    (_field, whole, path) => {
      const less = changed(whole, path, undefined);
      expect(read(less)).toEqual(less);
    },
  );

  test.each(named.filter(([, , path]) => !canBeAbsent(path)))(
    'is refused without what it cannot do without: %s',
    (_field, whole, path) => {
      expect(() => read(changed(whole, path, undefined))).toThrow(
        expect.objectContaining({ code: 'ledger_record', reason: 'damaged' }),
      );
    },
  );
});

test('a place is a whole number from 0', () => {
  for (const position of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => record({ ...stamp, type: 'repair', position })).toThrow('damaged at');
  expect(record({ ...stamp, type: 'repair', position: 0 })).toMatchObject({ position: 0 });
});

test('what moves a session is of the format that an older version stops at, and nothing else is', () => {
  expect(() => record({ ...stamp, type: 'moved', to: 'conv_2' })).toThrow('damaged');
  expect(() => record({ ...moving, type: 'pop' })).toThrow('damaged');
  expect(head({ format: 1, version: 0, length: 0, digest: 'd' })).toMatchObject({ format: 1 });
  expect(() => head({ format: 0, version: 0, length: 0, digest: 'd' })).toThrow('damaged');
});

test('what has no format of its own is damaged, however great the number beside it', () => {
  expect(() => record({ v: '9', type: 'pop' })).toThrow('damaged');
  expect(() => record({ v: 2, type: 'pop' })).toThrow('damaged');
  expect(() => record({ v: 3, type: 'pop' })).toThrow('update agents-hybrid-session');
  expect(() => record(undefined)).toThrow("damaged at '' (");
});
