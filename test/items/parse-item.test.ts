import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidItemError } from '../../src/errors/session.ts';
import { parseAgentItems } from '../../src/items/parse-item.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { canonicalForm, itemDigest } from '../../src/items/digest.ts';
import { call, user } from '../support/conversation.ts';
import { anyItem } from '../support/items.ts';

const SECRET = 'sk-secret';

function errorOf(values: unknown): InvalidItemError {
  try {
    parseAgentItems(values);
  } catch (error) {
    if (error instanceof InvalidItemError) return error;
  }
  throw new Error('nothing was refused');
}

describe('an item of the SDK', () => {
  test('a parsed item is a copy', () => {
    const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] };
    const [parsed] = parseAgentItems([item]);
    item.content.push({ type: 'input_text', text: 'changed' });
    expect(parsed).toEqual({ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] });
  });

  test('an item of any type is accepted unchanged, and keeps its digest', () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        const [parsed] = parseAgentItems([item]);
        expect(parsed).toEqual(JSON.parse(JSON.stringify(item)));
        expect(parsed === undefined ? undefined : itemDigest(parsed)).toBe(itemDigest(item));
      }),
      { seed: 20261129, numRuns: 300 },
    );
  });

  test('an item of an unknown type is accepted, as a newer SDK may know it', () => {
    const item = { type: 'telepathy_call', thought: 'hm', depth: { of: [1, null] } };
    expect(parseAgentItems([item])).toEqual([item]);
  });

  test('an item may have a type like constructor', () => {
    for (const type of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(parseAgentItems([{ type }])).toEqual([{ type }]);
    }
  });

  test('an item may leave out the type message, and undefined fields', () => {
    expect(parseAgentItems([{ role: 'user', content: 'hi', id: undefined }])).toEqual([
      { role: 'user', content: 'hi' },
    ]);
  });

  test('an item with null for an ID has none', () => {
    const call = { type: 'function_call', callId: 'call_1', name: 'weather', arguments: '{}' };
    for (const item of [{ role: 'user', content: 'hi' }, { type: 'reasoning', content: [] }, call])
      expect(parseAgentItems([{ ...item, id: null }])).toEqual([item]);
  });

  test('bytes of an item become a data URL, with the media type beside them', () => {
    const image = { type: 'image', image: { data: new Uint8Array([104, 105]), mediaType: 'image/png' } };
    const file = { type: 'file', file: { data: Buffer.from('hi'), filename: 'a' } };
    const result = { type: 'function_call_result', callId: 'c', name: 'n' };
    expect(
      parseAgentItems([
        { ...result, output: image },
        { ...result, output: file },
      ]),
    ).toMatchObject([
      { output: { image: { data: 'data:image/png;base64,aGk=' } } },
      { output: { file: { data: 'data:text/plain;base64,aGk=' } } },
    ]);
  });

  test('dates of an item become the text of their JSON', () => {
    const item = { type: 'unknown', providerData: { at: new Date(0) } };
    expect(parseAgentItems([item])).toEqual([
      { type: 'unknown', providerData: { at: '1970-01-01T00:00:00.000Z' } },
    ]);
  });

  test('an item may have fields like __proto__, which stay fields', () => {
    const item: unknown = JSON.parse(
      '{"type":"unknown","providerData":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
    );
    const [parsed] = parseAgentItems([item]);
    expect(JSON.stringify(parsed)).toBe(JSON.stringify(item));
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Object.getPrototypeOf(parsed?.providerData)).toBe(Object.prototype);
  });
});

describe('what is no item is refused, with its place and without its content', () => {
  test.each<[string, unknown, string]>([
    ['text', SECRET, 'it is not an object'],
    ['nothing', undefined, 'it holds a value of type undefined'],
    ['null', null, 'it is not an object'],
    ['a number', 7, 'it is not an object'],
    ['a list', [user(SECRET)], 'it is not an object'],
    [
      'a message of nobody',
      { type: 'message', content: SECRET },
      "field 'role' must be 'user', 'assistant' or 'system'",
    ],
    [
      'a message of somebody else',
      { role: SECRET, content: 'hi' },
      "field 'role' must be 'user', 'assistant' or 'system'",
    ],
    [
      'a message of a prototype',
      { role: 'constructor', content: 'hi' },
      "field 'role' must be 'user', 'assistant' or 'system'",
    ],
    [
      'a user who says a number',
      { role: 'user', content: 7 },
      "field 'content' is wrong for a message:user (invalid_union)",
    ],
    [
      'a part that is no part',
      { role: 'user', content: [SECRET] },
      "field 'content' is wrong for a message:user (invalid_union)",
    ],
    [
      'an assistant who says text',
      { role: 'assistant', content: SECRET },
      "field 'content' is wrong for a message:assistant (invalid_type)",
    ],
    [
      'a system that says parts',
      { role: 'system', content: [] },
      "field 'content' is wrong for a message:system (invalid_type)",
    ],
    [
      'a call without an ID',
      { type: 'function_call', name: SECRET, arguments: '' },
      "field 'callId' is wrong for a function_call (invalid_type)",
    ],
    [
      'a call of nothing',
      { type: 'function_call', callId: 'c', arguments: '' },
      "field 'name' is wrong for a function_call (invalid_type)",
    ],
    [
      'arguments that are no text',
      { type: 'function_call', callId: 'c', name: 'n', arguments: { key: SECRET } },
      "field 'arguments' is wrong for a function_call (invalid_type)",
    ],
    [
      'a result of nothing',
      { type: 'function_call_result', callId: 'c' },
      "field 'output' is wrong for a function_call_result (invalid_union)",
    ],
    [
      'a compaction of nothing',
      { type: 'compaction', encrypted_content: '' },
      "field 'encrypted_content' is wrong for a compaction (too_small)",
    ],
    ['an ID that is none', { role: 'user', content: 'hi', id: 7 }, "field 'id' is wrong (invalid_type)"],
    [
      'provider data that is none',
      { role: 'user', content: 'hi', providerData: SECRET },
      "field 'providerData' is wrong (invalid_type)",
    ],
    ['a type that says nothing', { type: '' }, "field 'type' is wrong (too_small)"],
    [
      'a function',
      { type: 'unknown', providerData: { run: () => SECRET } },
      'it holds a value of type function',
    ],
    [
      'a symbol',
      { type: 'unknown', providerData: { key: Symbol(SECRET) } },
      'it holds a value of type symbol',
    ],
    ['a big integer', { type: 'unknown', providerData: { count: 10n } }, 'it holds a value of type bigint'],
  ])('%s', (_kind, value, problem) => {
    const error = errorOf([user('fine'), value]);
    expect(error).toMatchObject({
      code: 'invalid_item',
      index: 1,
      message: `Cannot store item 1: ${problem}`,
    });
  });

  test('a cycle', () => {
    const data: Record<string, unknown> = {};
    data['self'] = [data];
    expect(errorOf([{ type: 'unknown', providerData: data }]).message).toBe(
      'Cannot store item 0: it refers to itself',
    );
  });

  test('what is nested deeper than anyone can read', () => {
    let data: unknown = SECRET;
    for (let depth = 0; depth < 100_000; depth += 1) data = [data];
    expect(errorOf([{ type: 'unknown', providerData: { data } }]).message).toBe(
      'Cannot store item 0: it is nested deeper than 500 levels',
    );
  });

  test('what throws when it is read, whatever it says', () => {
    const traps = [
      {
        get content(): string {
          throw new TypeError(SECRET);
        },
      },
      { toJSON: (): never => errorWith(SECRET) },
    ];
    for (const trap of traps) {
      expect(errorOf([{ role: 'user', trap }]).message).toBe(
        'Cannot store item 0: it cannot be written as JSON',
      );
    }
  });

  test('what is not even a list', () => {
    for (const value of [undefined, null, 'hi', user('hi'), { length: 1 }]) {
      expect(errorOf(value)).toMatchObject({
        index: 0,
        message: 'Cannot store item 0: expected an array of items',
      });
    }
  });
});

/** The item as it is stored; none when it is refused. */
function taken(value: unknown): AgentInputItem[] {
  try {
    return parseAgentItems([value]);
  } catch (error) {
    if (error instanceof InvalidItemError) return [];
    throw error;
  }
}

function errorWith(message: string): never {
  throw new TypeError(message);
}

test('whatever is taken can be stored, and has a digest or is reasoning', () => {
  const type = fc.constantFrom(
    'message',
    'function_call',
    'hosted_tool_call',
    'unknown',
    'shell_call_output',
    'constructor',
  );
  const value = fc.dictionary(
    fc.constantFrom(
      'role',
      'content',
      'callId',
      'output',
      'action',
      'providerData',
      'arguments',
      'name',
      'tools',
      '__proto__',
    ),
    fc.oneof(fc.constantFrom('user', 'assistant'), fc.jsonValue()),
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(type, value, (name, fields) => {
      for (const item of taken({ ...fields, type: name })) {
        expect(canonicalForm(item)).toBeDefined();
        expect(JSON.parse(JSON.stringify(ledgerItem(item, true)))).toEqual(ledgerItem(item, true));
      }
    }),
    { seed: 20261129, numRuns: 500 },
  );
});

describe('an item in a record', () => {
  const item = call('call_1', 'look', {});

  test('a recorded item has its kind, its digest, its given ID and its content', () => {
    expect(ledgerItem({ ...item, id: 'fc_1' }, true)).toEqual({
      id: 'fc_1',
      kind: 'function_call',
      digest: itemDigest(item),
      item: { ...item, id: 'fc_1' },
    });
  });

  test('a recorded item has no content with keepContent: false', () => {
    expect(ledgerItem(item, false)).toEqual({ kind: 'function_call', digest: itemDigest(item) });
  });
});
