import type { AgentInputItem } from '@openai/agents';
import { array, assert, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemDigest } from '../../src/ledger/digest.ts';
import { behindChain, bytesForModel, forModel } from '../../src/model/for-model.ts';
import { assistant, user } from '../support/conversation.ts';
import { anyItem } from '../support/items.ts';

const hosted: AgentInputItem = {
  type: 'hosted_tool_call',
  id: 'ws_1',
  name: 'web_search_call',
  status: 'completed',
  providerData: { type: 'web_search_call', id: 'ws_1' },
};

/** Reasoning with its ID. */
const reasoning = (providerData: Record<string, unknown>): AgentInputItem => ({
  type: 'reasoning',
  id: 'rs_1',
  content: [],
  providerData,
});

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

describe('what the API takes by its content', () => {
  test.each([
    'function_call_output',
    'custom_tool_call',
    'custom_tool_call_output',
    'computer_call_output',
    'shell_call',
    'shell_call_output',
    'apply_patch_call',
    'apply_patch_call_output',
    'mcp_approval_response',
    'compaction',
    'function_call',
    'message',
  ])('goes behind a chain without its ID: %s', (type) => {
    const item: AgentInputItem = {
      type: 'unknown',
      id: 'x_1',
      providerData: { type, id: 'x_1', kept: true },
    };
    expect(behindChain([item])).toEqual([{ type: 'unknown', providerData: { type, kept: true } }]);
  });

  test.each(['web_search_call', 'mcp_call', 'telepathy', ''])(
    'is not what is only found by its ID, wherever that stands: %j',
    (type) => {
      const unknown: AgentInputItem = { type: 'unknown', providerData: { type } };
      expect(behindChain([{ ...unknown, id: 'x_1' }])).toBeUndefined();
      expect(behindChain([{ type: 'unknown', providerData: { type, id: 'x_1' } }])).toBeUndefined();
      expect(behindChain([unknown])).toEqual([unknown]);
    },
  );

  test("is a call and its result in the SDK's form, too", () => {
    const call: AgentInputItem = {
      type: 'function_call',
      id: 'fc_1',
      callId: 'c',
      name: 'f',
      arguments: '{}',
      providerData: { id: 'fc_1' },
    };
    const { id: _id, ...bare } = call;
    expect([forModel(call), behindChain([call])]).toEqual([
      { ...bare, providerData: {} },
      [{ ...bare, providerData: {} }],
    ]);
    const result: AgentInputItem = {
      type: 'function_call_result',
      id: 'fco_1',
      callId: 'c',
      name: 'f',
      output: 'x',
      status: 'completed',
    };
    const { id: _resultId, ...bareResult } = result;
    expect(forModel(result)).toEqual(bareResult);
  });

  test('is a message without a type', () => {
    expect(behindChain([{ role: 'user', content: 'hi', id: 'msg_1' }])).toEqual([
      { role: 'user', content: 'hi' },
    ]);
    expect(forModel({ role: 'user', content: 'hi', id: 'msg_1' })).toEqual({ role: 'user', content: 'hi' });
  });

  test('is encrypted reasoning under either name', () => {
    expect(behindChain([reasoning({ encryptedContent: 'gAAAA' })])).toHaveLength(1);
    expect(behindChain([reasoning({ encrypted_content: 'gAAAA' })])).toHaveLength(1);
    expect(behindChain([reasoning({ encrypted_content: 7 })])).toEqual([]);
  });
});

describe('the bytes of items in a request', () => {
  test('are those of their JSON as they are sent, in UTF-8', () => {
    const items = [{ ...user('h\u00EF'), id: 'msg_1' }, user('there')];
    const sent = items.map((item) => Buffer.byteLength(JSON.stringify(forModel(item))));
    expect(bytesForModel(items)).toBe((sent[0] ?? 0) + (sent[1] ?? 0));
    expect(bytesForModel([])).toBe(0);
  });
});

test('what has no ID to be found by is sent behind a chain as it is', () => {
  const search: AgentInputItem = {
    type: 'hosted_tool_call',
    name: 'web_search_call',
    id: undefined,
    providerData: { type: 'web_search_call' },
  };
  const { id: _id, ...bare } = search;
  expect(behindChain([search])).toEqual([bare]);
  expect(behindChain([{ ...search, id: 'ws_1' }])).toBeUndefined();
  expect(behindChain([{ ...search, providerData: { type: 'web_search_call', id: 'ws_1' } }])).toBeUndefined();
});
