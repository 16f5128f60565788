import type { AgentInputItem } from '@openai/agents';
import { array, assert, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemDigest } from '../../src/ledger/digest.ts';
import { behindChain, forModel } from '../../src/model/for-model.ts';
import { assistant, user } from '../support/conversation.ts';
import { anyItem } from '../support/items.ts';

const hosted: AgentInputItem = {
  type: 'hosted_tool_call',
  id: 'ws_1',
  name: 'web_search_call',
  status: 'completed',
  providerData: { type: 'web_search_call', id: 'ws_1' },
};

const digests = (items: readonly AgentInputItem[]): (string | null)[] =>
  items.map((item) => itemDigest(item)).filter((digest) => digest !== null);

describe('a stored item goes to the model', () => {
  test('without the ID that it has in the conversation', () => {
    expect(forModel(assistant('hello', 'msg_1'))).toEqual(assistant('hello'));
    expect(forModel({ ...user('hi'), id: 'msg_2' })).toEqual(user('hi'));
  });

  test('with the phase that it had when it was stored', () => {
    const stored = { ...assistant('hello', 'msg_1'), providerData: { phase: 'commentary', id: 'msg_1' } };
    expect(forModel(stored)).toEqual({ ...assistant('hello'), phase: 'commentary' });
  });

  test('by its ID where the API knows no other way', () => {
    const reasoning: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };
    expect([hosted, reasoning].map((item) => forModel(item))).toEqual([hosted, reasoning]);
  });

  test('and reads as it did before, whatever it is', () => {
    assert(
      property(anyItem, (item) => {
        expect(itemDigest(forModel(item))).toBe(itemDigest(item));
      }),
    );
  });
});

describe('behind a chain', () => {
  test('goes what is new, without an ID', () => {
    const sent = behindChain([assistant('hello', 'msg_1'), user('thanks')]);
    expect(sent).toEqual([assistant('hello'), user('thanks')]);
  });

  test('goes what a caller adds to an item, except an ID', () => {
    const item: AgentInputItem = { ...user('hi'), providerData: { id: 'msg_1', note: 'kept' } };
    expect(behindChain([item])).toEqual([{ ...user('hi'), providerData: { note: 'kept' } }]);
  });

  test('goes reasoning only when it brings its own content', () => {
    const encrypted: AgentInputItem = {
      type: 'reasoning',
      id: 'rs_1',
      content: [],
      providerData: { id: 'rs_1', encrypted_content: 'gAAAA' },
    };
    expect(behindChain([encrypted, { type: 'reasoning', id: 'rs_2', content: [] }])).toEqual([
      { type: 'reasoning', content: [], providerData: { encrypted_content: 'gAAAA' } },
    ]);
  });

  test('goes nothing at all when an item cannot go without its ID', () => {
    expect(behindChain([user('hi'), hosted])).toBeUndefined();
  });

  test('goes an item of a hosted tool that has no ID, such as an approval', () => {
    const approval: AgentInputItem = {
      type: 'hosted_tool_call',
      name: 'mcp_approval_response',
      providerData: { type: 'mcp_approval_response', approve: true, approval_request_id: 'mcpr_1' },
    };
    expect(behindChain([approval])).toEqual([approval]);
  });

  test('goes no ID and nothing that reads differently, whatever it is', () => {
    assert(
      property(array(anyItem, { maxLength: 4 }), (items) => {
        const sent = behindChain(items);
        if (sent === undefined) return;
        expect(digests(sent)).toEqual(digests(items));
        for (const item of sent) {
          expect(item).not.toHaveProperty('id');
          expect(item.providerData ?? {}).not.toHaveProperty('id');
        }
      }),
    );
  });

  test('leaves what it is given as it is', () => {
    const item = Object.freeze({
      ...assistant('hello', 'msg_1'),
      providerData: Object.freeze({ id: 'msg_1' }),
    });
    behindChain([item]);
    expect(item.providerData).toEqual({ id: 'msg_1' });
  });
});
