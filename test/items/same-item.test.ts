import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { itemDigest } from '../../src/items/digest.ts';
import { comparable, isSameItem } from '../../src/items/same-item.ts';
import { assistant, call, user } from '../support/conversation.ts';

function reasoning(text: string, id?: string): AgentInputItem {
  const content = [{ type: 'input_text' as const, text }];
  return { type: 'reasoning', content, ...(id === undefined ? {} : { id }) };
}

const known = (item: AgentInputItem): { digest: string | null; item: AgentInputItem } => ({
  digest: itemDigest(item),
  item,
});

describe('an item and an entry of the ledger', () => {
  test('an item is the same by its content, whatever its ID', () => {
    expect(isSameItem(known(assistant('hi', 'msg_1')), assistant('hi', 'msg_2'))).toBe(true);
    expect(isSameItem(known(assistant('hi')), assistant('ho'))).toBe(false);
    expect(isSameItem(known(user('hi')), assistant('hi'))).toBe(false);
  });

  test('an item is the same by its digest where the ledger has no content', () => {
    expect(isSameItem({ digest: itemDigest(user('hi')), item: undefined }, user('hi'))).toBe(true);
    expect(isSameItem({ digest: itemDigest(user('hi')), item: undefined }, user('ho'))).toBe(false);
  });

  test('reasoning is the same by its text', () => {
    expect(isSameItem(known(reasoning('a thought', 'rs_1')), reasoning('a thought'))).toBe(true);
    expect(isSameItem(known(reasoning('a thought')), reasoning('another'))).toBe(false);
    expect(isSameItem(known(reasoning('a thought')), assistant('a thought'))).toBe(false);
  });

  test('any reasoning is the same where the ledger has no content', () => {
    expect(isSameItem({ digest: null, item: undefined }, reasoning('another'))).toBe(true);
  });

  test('reasoning without a list of texts equals reasoning with an empty one', () => {
    const odd = { type: 'reasoning', content: 'a thought' } as unknown as AgentInputItem;
    const bare = { type: 'reasoning' } as unknown as AgentInputItem;
    const empty: AgentInputItem = { type: 'reasoning', content: [] };
    expect(isSameItem(known(odd), empty)).toBe(true);
    expect(isSameItem(known(bare), empty)).toBe(true);
    expect(isSameItem(known(empty), reasoning('a thought'))).toBe(false);
  });

  test('a part of reasoning that is no object counts as a part without text', () => {
    const odd = { type: 'reasoning', content: ['a thought'] } as unknown as AgentInputItem;
    const textless = { type: 'reasoning', content: [{}] } as unknown as AgentInputItem;
    expect(isSameItem(known(odd), textless)).toBe(true);
    expect(isSameItem(known(odd), reasoning('a thought'))).toBe(false);
  });
});

describe('an item for the comparison of the runner', () => {
  test('a message is reduced to its digest', () => {
    expect(comparable(assistant('hi', 'msg_1'))).toEqual({
      type: 'unknown',
      providerData: { digest: itemDigest(assistant('hi')) },
    });
    expect(comparable(call('c1', 'look', {}))).not.toEqual(comparable(call('c2', 'look', {})));
  });

  test('reasoning keeps its ID and its content', () => {
    const item = { ...reasoning('a thought', 'rs_1'), providerData: { summary: [] } } as AgentInputItem;
    expect(comparable(item)).toEqual({
      type: 'reasoning',
      id: 'rs_1',
      content: [{ type: 'input_text', text: 'a thought' }],
    });
    expect(comparable(reasoning('a thought'))).toStrictEqual({
      type: 'reasoning',
      content: [{ type: 'input_text', text: 'a thought' }],
    });
  });

  test('a compaction keeps its encrypted content', () => {
    const item: AgentInputItem = {
      type: 'compaction',
      id: 'cmp_1',
      encrypted_content: 'sealed',
      providerData: { more: 1 },
    };
    expect(comparable(item)).toStrictEqual({ type: 'compaction', encrypted_content: 'sealed' });
  });
});
