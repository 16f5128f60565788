import { describe, expect, test } from 'vitest';
import { parseCheckpoint, parseRecord } from '../../src/ledger/record.ts';

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
const stamp = { v: 3, commit: 'c', time: 5 };

/** A record of every type that says all it can say. */
const RECORDS: readonly object[] = [
  { ...stamp, type: 'items', items: [item], operation, unproven: true },
  { ...stamp, type: 'replace', keep: 2, items: [{ seq: 7 }, item], operation },
  { ...stamp, type: 'pop' },
  { ...stamp, type: 'clear' },
  {
    ...stamp,
    type: 'mirror',
    added: [{ seq: 1, id: 'msg_1', assumed: true }],
    removed: ['msg_2'],
    surplus: ['msg_3'],
    again: [2],
    behind: 3,
    duplicates: [{ seq: 4, id: 'msg_4' }],
    settled: true,
    released: true,
    skipped: [{ seq: 5, reason: 'no form' }],
    unlinked: [6],
    deleted: ['conv_0'],
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
  { ...stamp, type: 'rewound' },
  { ...stamp, type: 'refused', id: 'resp_1' },
  { ...stamp, type: 'conversation', id: 'conv_1' },
  { ...stamp, type: 'alias', sessionId: 'user-42' },
  {
    ...stamp,
    type: 'state',
    nextSeq: 4,
    responses: [
      {
        id: 'resp_1',
        time: 5,
        store: true,
        model: 'gpt-5.5',
        parent: 'resp_0',
        context,
        seen: { lost: 1, whole: false },
        nextSeq: 3,
        history: 'd',
      },
    ],
    refused: ['resp_0'],
    dropped: [{ seq: 1, digest: 'd', id: 'msg_1', sentId: 'msg_2' }],
    possibleDuplicates: [{ seq: 2, digest: 'd', id: 'msg_1', sentId: 'msg_2', copies: 1, time: 5 }],
    removed: [{ id: 'msg_3', pending: true }],
    operations: [operation],
    rewound: false,
    lease: { writer: 'w', taken: 5, until: 9 },
    conversation: 'conv_1',
    healed: 'conv_0',
    former: [{ id: 'conv_0', fate: 'due' }],
    alias: 'user-42',
  },
  {
    ...stamp,
    type: 'entries',
    entries: [
      {
        seq: 3,
        kind: 'message:user',
        digest: 'd',
        id: 'msg_1',
        item: { role: 'user', content: 'hi' },
        origin: 'c',
        mirrorId: 'msg_2',
        assumed: true,
        written: { commit: 'c', time: 5 },
        link: 'msg_3',
        unlinked: false,
        adopted: true,
        skipped: 'no form',
        commit: 'c',
        due: 5,
      },
    ],
  },
  { ...stamp, type: 'rewritten', replaced: ['c'] },
];

const HEAD: object = {
  format: 3,
  version: 4,
  length: 3,
  digest: 'd',
  response: { id: 'resp_1', time: 1, store: false, model: 'gpt-5.5', refused: true, context },
  resumePoint: { nextSeq: 5, commit: 'c', pending: 0 },
  conversation: 'conv_1',
  alias: 'user-42',
};

const OF_RESPONSE = 'parent model context bytes since open seen lost whole';
const OF_ITEM = 'id item mirrorId link';

/** What a record or a checkpoint can do without. */
const OPTIONAL: Readonly<Record<string, string>> = {
  items: `${OF_ITEM} operation unproven`,
  replace: `${OF_ITEM} operation`,
  mirror: 'assumed surplus again behind duplicates settled released skipped unlinked deleted',
  response: `${OF_RESPONSE} history`,
  state: `${OF_RESPONSE} sentId lease conversation healed alias`,
  entries: `${OF_ITEM} assumed written skipped`,
  checkpoint: 'response model refused context bytes since open resumePoint conversation alias',
};

/** Where a state holds items that may have no ID. */
const WITHOUT_ID: ReadonlySet<unknown> = new Set(['dropped', 'possibleDuplicates']);

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
const OF_HEAD = fields(HEAD, 'checkpoint');

const record = (value: unknown): unknown => parseRecord(value, 'conv_1', 3);
const checkpoint = (value: unknown): unknown => parseCheckpoint(value, 'conv_1');

function canBeAbsent(whole: object, path: Path): boolean {
  const name = String(path.at(-1));
  if (name === 'id' && WITHOUT_ID.has(path[0])) return true;
  const type = 'type' in whole ? String(whole.type) : 'checkpoint';
  if (name === 'id' && path.includes('operation')) return false;
  return OPTIONAL[type]?.split(' ').includes(name) === true;
}

describe.each([
  ['a record', record, RECORDS, OF_RECORDS],
  ['a checkpoint', checkpoint, [HEAD], OF_HEAD],
] as const)('%s', (_name, read, wholes, all) => {
  test.each(wholes.map((one) => [one]))('a record comes back with all it says: %j', (whole) => {
    expect(read(JSON.parse(JSON.stringify(whole)))).toEqual(whole);
  });

  test.each(all)('a record with a field of the wrong kind is refused: %s', (_field, whole, path) => {
    const here = path.reduce<unknown>((value, key) => Reflect.get(value as object, key), whole);
    expect(() => read(changed(whole, path, ofAnotherKind(here)))).toThrow(
      expect.objectContaining({ code: 'ledger_unreadable', reason: 'damaged', sessionId: 'conv_1' }),
    );
  });

  const named = all.filter(([, , path]) => typeof path.at(-1) === 'string');

  test.each(named.filter(([, whole, path]) => canBeAbsent(whole, path)))(
    'a record is read without an optional field: %s',
    (_field, whole, path) => {
      const less = changed(whole, path, undefined);
      expect(read(less)).toEqual(less);
    },
  );

  test.each(named.filter(([, whole, path]) => !canBeAbsent(whole, path)))(
    'a record is refused without a required field: %s',
    (_field, whole, path) => {
      expect(() => read(changed(whole, path, undefined))).toThrow(
        expect.objectContaining({ code: 'ledger_unreadable', reason: 'damaged' }),
      );
    },
  );
});

test('a place is a whole number from 0', () => {
  for (const position of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => record({ ...stamp, type: 'repair', position })).toThrow('damaged at');
  expect(record({ ...stamp, type: 'repair', position: 0 })).toMatchObject({ position: 0 });
});

test('no number but the format is the format', () => {
  for (const format of [0, 1, 2, 2.5, -3])
    expect(() => checkpoint({ format, version: 0, length: 0, digest: 'd' })).toThrow(
      'begin with an empty ledger',
    );
  expect(() => checkpoint({ format: 4, version: 0, length: 0, digest: 'd' })).toThrow('update');
  expect(checkpoint({ format: 3, version: 0, length: 0, digest: 'd' })).toMatchObject({ format: 3 });
});

test('what has no format of its own is damaged, however great the number beside it', () => {
  expect(() => record({ v: '9', type: 'pop' })).toThrow('damaged');
  expect(() => record({ v: 3, type: 'pop' })).toThrow('damaged');
  expect(() => record({ v: 4, type: 'pop' })).toThrow('update agents-hybrid-session');
  expect(() => record(undefined)).toThrow("damaged at '' (");
});
