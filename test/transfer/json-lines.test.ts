import { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ItemConverter } from '../../src/items/item-converter.ts';
import { fromJsonLines, toJsonLines } from '../../src/index.ts';
import { apiItemsByType } from '../support/api-items.ts';
import { anyVocabulary } from '../support/content.ts';
import { agentItemsByType, anyHistory } from '../support/items.ts';

const user = (content: string): AgentInputItem => ({ role: 'user', content });

async function parsed(source: Parameters<typeof fromJsonLines>[0]): Promise<AgentInputItem[]> {
  const items: AgentInputItem[] = [];
  for await (const item of fromJsonLines(source)) items.push(item);
  return items;
}

const written = (items: readonly AgentInputItem[]): string => [...toJsonLines(items)].join('');

/** The text's bytes in pieces that respect neither lines nor characters. */
function* torn(text: string, size: number): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** What comes of writing and reading, and of writing that again, from every kind of source. */
async function roundTrips(
  items: readonly AgentInputItem[],
  size: number,
): Promise<{ lines: number; read: AgentInputItem[]; same: boolean }[]> {
  const text = written(items);
  const trips = [];
  for (const source of [text, torn(text, size), Readable.from(torn(text, size))]) {
    const read = await parsed(source);
    trips.push({ lines: text.split('\n').length - 1, read, same: written(read) === text });
  }
  return trips;
}

const pieces = fc.integer({ min: 1, max: 9 });

const exact = (items: readonly AgentInputItem[]): unknown =>
  [1, 2, 3].map(() => ({ lines: items.length, read: items, same: true }));

describe('items that a user, a tool or the SDK made come back, and of those the same bytes', () => {
  test.each(Object.entries(agentItemsByType(anyVocabulary)))('%s', async (_type, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { maxLength: 5 }), pieces, async (items, size) => {
        expect(await roundTrips(items, size)).toEqual(exact(items));
      }),
      { seed: 20261129, numRuns: 40 },
    );
  });
});

describe('items that a model or the server made come back, and of those the same bytes', () => {
  const converter = new ItemConverter();
  test.each(Object.entries(apiItemsByType(anyVocabulary)))('%s', async (_type, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { maxLength: 5 }), async (raw) => {
        const items = await converter.toAgentItems(raw);
        expect(await roundTrips(items, 7)).toEqual(exact(items));
      }),
      { seed: 20261129, numRuns: 40 },
    );
  });
});

test('a whole history comes back, and of that the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(anyHistory, pieces, async (items, size) => {
      expect(await roundTrips(items, size)).toEqual(exact(items));
    }),
    { seed: 20261129, numRuns: 60 },
  );
});

describe('toJsonLines', () => {
  it('toJsonLines makes one line of an item to every reader, also to those that end lines where JSON does not', async () => {
    const item = user('a\u2028b\u2029c\u0085d\r\ne\u000Bf\u000Cg\u001Ch');
    const text = written([item, user('next')]);
    const ends = '\n\r\u2028\u2029\u0085\u000B\u000C\u001C\u001D\u001E';
    expect(Array.from(text).filter((char) => ends.includes(char))).toEqual(['\n', '\n']);
    const lines: string[] = [];
    for await (const line of createInterface({ input: Readable.from([text]) })) lines.push(line);
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toEqual(item);
    expect(await parsed(text)).toEqual([item, user('next')]);
  });

  it('toJsonLines keeps halves of surrogate pairs, which UTF-8 cannot hold', async () => {
    const item = user('\uD83D and \uDC00');
    const bytes = Buffer.from(written([item]));
    expect(await parsed([bytes])).toEqual([item]);
  });

  it('writes bytes as the SDK stores them', async () => {
    const item = {
      role: 'user',
      content: [{ type: 'input_image', image: Uint8Array.of(1, 2, 3), mediaType: 'image/png' }],
    };
    const text = written([item as unknown as AgentInputItem]);
    expect(text).toContain('"image":"data:image/png;base64,AQID"');
  });

  it('names what is not an item by its place', () => {
    const items = [user('a'), user('b'), { role: 'nobody', content: 'secret' } as unknown as AgentInputItem];
    const lines = toJsonLines(items);
    expect([lines.next().done, lines.next().done]).toEqual([false, false]);
    expect(() => lines.next()).toThrow(
      "Cannot store item 2: field 'role' must be 'user', 'assistant' or 'system'",
    );
  });

  it('toJsonLines takes an item of 20 MB', async () => {
    const item = user('x\n"\\'.repeat(5_000_000));
    const text = written([item, user('y')]);
    const [first, second] = await parsed(torn(text, 65_536));
    expect(second).toEqual(user('y'));
    expect((first as { content: string }).content.length).toBe(20_000_000);
  });
});

describe('fromJsonLines', () => {
  it('fromJsonLines passes over empty lines, carriage returns, a byte order mark and a missing end', async () => {
    const text = `\uFEFF${written([user('a')]).trimEnd()}\r\n\r\n   \n${written([user('b')]).trimEnd()}`;
    expect(await parsed(text)).toEqual([user('a'), user('b')]);
    expect(await parsed([Buffer.from(text)])).toEqual([user('a'), user('b')]);
    expect(await parsed('')).toEqual([]);
    expect(await parsed([])).toEqual([]);
  });

  it('fromJsonLines gives the items before the line that is wrong, one at a time', async () => {
    const items = fromJsonLines(`${written([user('a')])}{}\n`);
    expect((await items.next()).value).toEqual(user('a'));
    await expect(items.next()).rejects.toThrow('Cannot read line 2');
  });

  it.each([
    ['{"role":"user","content":"secret"\n', 'it is not JSON'],
    ['{"role":"user","content":"secret"', 'it is not JSON and has no end: the file may have been cut short'],
    ['secret\n', 'it is not JSON'],
    ['[{"role":"user","content":"secret"}]\n', 'it is not an object'],
    ['"secret"\n', 'it is not an object'],
    ['null\n', 'it is not an object'],
    ['{"role":"secret","content":"a"}\n', "field 'role' must be 'user', 'assistant' or 'system'"],
    ['{"role":"user"}\n', "field 'content' is wrong for a message:user (invalid_union)"],
    ['{"type":"function_call","name":"f","arguments":"{}"}\n', "field 'callId' is wrong for a function_call"],
  ])('names the line and quotes nothing: %j', async (line, problem) => {
    const good = written([user('a'), user('b')]);
    for (const source of [good + line, torn(good + line, 5)]) {
      const error: unknown = await parsed(source).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'invalid_item', name: 'InvalidItemError', line: 3 });
      const { message } = error as Error;
      expect(message.startsWith(`Cannot read line 3: ${problem}`)).toBe(true);
      expect(message).not.toContain('secret');
    }
  });

  it('fromJsonLines refuses bytes that are not UTF-8 rather than guess', async () => {
    const bytes = Buffer.concat([Buffer.from(written([user('a')])), Buffer.from([0x22, 0xff, 0x22, 0x0a])]);
    await expect(parsed([bytes])).rejects.toMatchObject({
      line: 2,
      message: 'Cannot read line 2: it is not UTF-8',
    });
  });
});
