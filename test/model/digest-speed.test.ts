import type { AgentInputItem } from '@openai/agents';
import { expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/ledger/digest.ts';
import { extendContext } from '../../src/model/request.ts';
import { assistant, call, result, user } from '../support/conversation.ts';

const ITEMS = 1000;

/** A history as a long conversation has it: what people and models say, and what tools return. */
const history: AgentInputItem[] = Array.from({ length: ITEMS / 4 }, (_, index) => [
  user(`Question ${index}: ${'what is it? '.repeat(20)}`),
  call(`call_${index}`, 'look_up', { query: `query ${index}`, limit: 10 }),
  result(
    `call_${index}`,
    'look_up',
    JSON.stringify({ found: Array.from({ length: 20 }, (__, at) => `row ${at}`) }),
  ),
  assistant(`Answer ${index}: ${'it is what it is. '.repeat(20)}`, `msg_${index}`),
]).flat();

/** The least of several measurements: what a machine that does other things as well can only make longer. */
function least(work: () => unknown): number {
  const times = Array.from({ length: 15 }, () => {
    const begin = performance.now();
    work();
    return performance.now() - begin;
  });
  return Math.min(...times);
}

const digest = (): string => extendContext(EMPTY_DIGEST, history);
const send = (): string => JSON.stringify(structuredClone(history));

test('digests a history in a few times what it takes to copy it and to write it as JSON', () => {
  // Every turn copies the history several times and writes it once: digesting it is a small part of that.
  expect(least(digest)).toBeLessThan(5 * least(send));
});

test('takes longer in proportion to the items, and not to their square', () => {
  const double = [...history, ...history];
  const twice = least(() => extendContext(EMPTY_DIGEST, double));
  expect(twice).toBeLessThan(4 * least(digest));
});
