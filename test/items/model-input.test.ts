import type { AgentInputItem } from '@openai/agents';
import { array, assert, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemDigest } from '../../src/items/digest.ts';
import { toIncrementalInput, replayInputBytes, toReplayInput } from '../../src/items/model-input.ts';
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
  test('a stored item is replayed without its ID in the conversation', () => {
    expect(toReplayInput(assistant('hello', 'msg_1'))).toEqual(assistant('hello'));
    expect(toReplayInput({ ...user('hi'), id: 'msg_2' })).toEqual(user('hi'));
  });

  test('a stored item is replayed with its stored phase', () => {
    const stored = { ...assistant('hello', 'msg_1'), providerData: { phase: 'commentary', id: 'msg_1' } };
    expect(toReplayInput(stored)).toEqual({
      ...assistant('hello'),
      phase: 'commentary',
      providerData: { phase: 'commentary' },
    });
  });

  test('a stored item is replayed by its ID if the API accepts no other form', () => {
    const reasoning: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };
    expect([hosted, reasoning].map((item) => toReplayInput(item))).toEqual([hosted, reasoning]);
  });

  test('a replayed item reads the same, for any item', () => {
    assert(
      property(anyItem, (item) => {
        expect(itemDigest(toReplayInput(item))).toBe(itemDigest(item));
      }),
    );
  });
});

describe('behind a chain', () => {
  test('a chained request carries new items without an ID', () => {
    const sent = toIncrementalInput([assistant('hello', 'msg_1'), user('thanks')]);
    expect(sent).toEqual([assistant('hello'), user('thanks')]);
  });

  test('a chained request carries the fields that a caller adds to an item, except an ID', () => {
    const item: AgentInputItem = { ...user('hi'), providerData: { id: 'msg_1', note: 'kept' } };
    expect(toIncrementalInput([item])).toEqual([{ ...user('hi'), providerData: { note: 'kept' } }]);
  });

  test('a chained request carries reasoning only with its own content', () => {
    const encrypted: AgentInputItem = {
      type: 'reasoning',
      id: 'rs_1',
      content: [],
      providerData: { id: 'rs_1', encrypted_content: 'gAAAA' },
    };
    expect(toIncrementalInput([encrypted, { type: 'reasoning', id: 'rs_2', content: [] }])).toEqual([
      { type: 'reasoning', content: [], providerData: { encrypted_content: 'gAAAA' } },
    ]);
  });

  test('a chained request cannot be made of an item that needs its ID', () => {
    expect(toIncrementalInput([user('hi'), hosted])).toBeUndefined();
  });

  test('a chained request carries an item of a hosted tool that has no ID, such as an approval', () => {
    const approval: AgentInputItem = {
      type: 'hosted_tool_call',
      name: 'mcp_approval_response',
      providerData: { type: 'mcp_approval_response', approve: true, approval_request_id: 'mcpr_1' },
    };
    expect(toIncrementalInput([approval])).toEqual([approval]);
  });

  test('a chained request carries no ID and changes no content', () => {
    assert(
      property(array(anyItem, { maxLength: 4 }), (items) => {
        const sent = toIncrementalInput(items);
        if (sent === undefined) return;
        expect(digests(sent)).toEqual(digests(items));
        for (const item of sent) {
          expect(item).not.toHaveProperty('id');
          expect(item.providerData ?? {}).not.toHaveProperty('id');
        }
      }),
    );
  });

  test('toIncrementalInput leaves the given items unchanged', () => {
    const item = Object.freeze({
      ...assistant('hello', 'msg_1'),
      providerData: Object.freeze({ id: 'msg_1' }),
    });
    toIncrementalInput([item]);
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
  ])('an item that the API takes by its content is chained without its ID: %s', (type) => {
    const item: AgentInputItem = {
      type: 'unknown',
      id: 'x_1',
      providerData: { type, id: 'x_1', kept: true },
    };
    expect(toIncrementalInput([item])).toEqual([{ type: 'unknown', providerData: { type, kept: true } }]);
  });

  test.each(['web_search_call', 'mcp_call', 'telepathy', ''])(
    'an item that can only be found by its ID does not count as content: %j',
    (type) => {
      const unknown: AgentInputItem = { type: 'unknown', providerData: { type } };
      expect(toIncrementalInput([{ ...unknown, id: 'x_1' }])).toBeUndefined();
      expect(toIncrementalInput([{ type: 'unknown', providerData: { type, id: 'x_1' } }])).toBeUndefined();
      expect(toIncrementalInput([unknown])).toEqual([unknown]);
    },
  );

  test("a call and its result are content in the SDK's form, too", () => {
    const call: AgentInputItem = {
      type: 'function_call',
      id: 'fc_1',
      callId: 'c',
      name: 'f',
      arguments: '{}',
      providerData: { id: 'fc_1' },
    };
    const { id: _id, ...bare } = call;
    expect([toReplayInput(call), toIncrementalInput([call])]).toEqual([
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
    expect(toReplayInput(result)).toEqual(bareResult);
  });

  test('a message without a type is content', () => {
    expect(toIncrementalInput([{ role: 'user', content: 'hi', id: 'msg_1' }])).toEqual([
      { role: 'user', content: 'hi' },
    ]);
    expect(toReplayInput({ role: 'user', content: 'hi', id: 'msg_1' })).toEqual({
      role: 'user',
      content: 'hi',
    });
  });

  test('encrypted reasoning is content under either name', () => {
    expect(toIncrementalInput([reasoning({ encryptedContent: 'gAAAA' })])).toHaveLength(1);
    expect(toIncrementalInput([reasoning({ encrypted_content: 'gAAAA' })])).toHaveLength(1);
    expect(toIncrementalInput([reasoning({ encrypted_content: 7 })])).toEqual([]);
  });
});

describe('the bytes of items in a request', () => {
  test('the bytes of items equal their JSON in UTF-8', () => {
    const items = [{ ...user('h\u00EF'), id: 'msg_1' }, user('there')];
    const sent = items.map((item) => Buffer.byteLength(JSON.stringify(toReplayInput(item))));
    expect(replayInputBytes(items)).toBe((sent[0] ?? 0) + (sent[1] ?? 0));
    expect(replayInputBytes([])).toBe(0);
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
  expect(toIncrementalInput([search])).toEqual([bare]);
  expect(toIncrementalInput([{ ...search, id: 'ws_1' }])).toBeUndefined();
  expect(
    toIncrementalInput([{ ...search, providerData: { type: 'web_search_call', id: 'ws_1' } }]),
  ).toBeUndefined();
});
