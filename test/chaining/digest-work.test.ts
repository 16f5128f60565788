import type { hash } from 'node:crypto';
import type { AgentInputItem } from '@openai/agents';
import { beforeEach, expect, test, vi } from 'vitest';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { extendContext, plannable } from '../../src/chaining/request.ts';
import { assistant, call, result, user } from '../support/conversation.ts';

/** What was hashed since the test began: how often, and how many characters. */
const hashed = vi.hoisted(() => ({ times: 0, characters: 0 }));

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<{ readonly hash: typeof hash }>();
  const counting = (algorithm: string, text: string, encoding: 'base64url'): string => {
    hashed.times += 1;
    hashed.characters += text.length;
    return original.hash(algorithm, text, encoding);
  };
  return { ...original, hash: counting };
});

beforeEach(() => {
  hashed.times = 0;
  hashed.characters = 0;
});

/** A history as a long conversation has it: what people and models say, and what tools return. */
function history(items: number): AgentInputItem[] {
  return Array.from({ length: items / 4 }, (_, index) => [
    user(`Question ${index}: ${'what is it? '.repeat(20)}`),
    call(`call_${index}`, 'look_up', { query: `query ${index}`, limit: 10 }),
    result(
      `call_${index}`,
      'look_up',
      JSON.stringify({ found: Array.from({ length: 20 }, (__, at) => `row ${at}`) }),
    ),
    assistant(`Answer ${index}: ${'it is what it is. '.repeat(20)}`, `msg_${index}`),
  ]).flat();
}

/** The same, and how often something was read of it, at any depth. */
function watched<T extends object>(value: T, reads: { count: number }): T {
  return new Proxy(value, {
    get(target, property) {
      reads.count += 1;
      const found: unknown = Reflect.get(target, property);
      return typeof found === 'object' && found !== null ? watched(found, reads) : found;
    },
  });
}

function readsOf(items: readonly AgentInputItem[]): number {
  const reads = { count: 0 };
  extendContext(
    EMPTY_DIGEST,
    items.map((item) => watched(item, reads)),
  );
  return reads.count;
}

test('a request hashes each item once, and the context once for each', () => {
  const items = history(1000);
  extendContext(EMPTY_DIGEST, items);
  expect(hashed.times).toBe(2 * items.length);
});

test('a request hashes little more than what the history is as JSON', () => {
  const items = history(1000);
  extendContext(EMPTY_DIGEST, items);
  // Two digests of 43 characters and a dot between them are what a context is made of.
  expect(hashed.characters).toBeLessThan(JSON.stringify(items).length + items.length * 87);
});

test('hashing costs as much for every item of a history of any length', () => {
  expect(readsOf(history(2000))).toBe(2 * readsOf(history(1000)));
});

test('a request with a history of any length is read in one pass', () => {
  const items = history(1000);
  const request = {
    input: items,
    modelSettings: {},
    tools: [],
    outputType: 'text',
    handoffs: [],
    tracing: false,
  };
  plannable(request as never, {} as never);
  expect(hashed.times).toBe(2 * items.length);
});
