import type { AgentInputItem } from '@openai/agents';
import { assert, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isForeignReasoning, withoutForeignFields } from '../../src/items/foreign-fields.ts';
import { assistant, call, user } from '../support/conversation.ts';
import { anyItem } from '../support/items.ts';

const adapted = { model: 'anthropic:claude', responseId: 'x', anthropic: { signature: 'abc' } };

/** An answer of one part. */
const message = (providerData: Record<string, unknown>): AgentInputItem => ({
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'yes', providerData }],
});

describe('without foreign fields', () => {
  test.each<[AgentInputItem, object]>([
    [{ ...user('hi'), providerData: { anthropic: { cacheControl: {} } } }, {}],
    [{ ...assistant('yes'), providerData: { ...adapted, phase: 'commentary' } }, { phase: 'commentary' }],
    [{ ...call('c', 'f', {}), providerData: { ...adapted, type: 'function', extra_content: {} } }, {}],
    [
      { type: 'reasoning', id: 'rs_1', content: [], providerData: { ...adapted, encryptedContent: 'g' } },
      { encryptedContent: 'g' },
    ],
    [
      {
        type: 'hosted_tool_call',
        id: 'ws_1',
        name: 'web_search_call',
        providerData: { type: 'web_search_call', action: {}, model: 'a:b', response_id: 'x' },
      },
      { type: 'web_search_call', action: {} },
    ],
  ])('an item keeps what the API takes: %j', (item, providerData) => {
    expect(withoutForeignFields(item)).toEqual({ ...item, providerData });
  });

  test('a part of a message keeps what the API takes', () => {
    const citation = {
      type: 'url_citation',
      url: 'https://example.com',
      title: '',
      start_index: 0,
      end_index: 1,
    };
    const chat = { type: 'url_citation', url_citation: { url: 'https://example.com' } };
    const given = { role: 'assistant', refusal: null, tool_calls: [], annotations: [chat, citation] };
    expect(withoutForeignFields(message(given))).toEqual(message({ annotations: [citation] }));
  });

  test('an item that has none is the same object', () => {
    for (const item of [user('hi'), assistant('yes', 'msg_1'), call('c', 'f', {})])
      expect(withoutForeignFields(item)).toBe(item);
  });

  test('nothing is changed in the item itself, and doing it twice changes nothing more', () => {
    assert(
      property(anyItem, (item) => {
        const before = structuredClone(item);
        const own = withoutForeignFields(item);
        expect(item).toEqual(before);
        expect(withoutForeignFields(own)).toBe(own);
      }),
    );
  });
});

test.each<[AgentInputItem, boolean]>([
  [{ type: 'reasoning', content: [] }, true],
  [{ type: 'reasoning', id: 'reasoning-0', content: [], providerData: adapted }, true],
  [{ type: 'reasoning', id: 'rs_1', content: [] }, false],
  [{ type: 'reasoning', content: [], providerData: { encrypted_content: 'g' } }, false],
  [user('hi'), false],
])('isForeignReasoning tells the reasoning of another provider: %j', (item, expected) => {
  expect(isForeignReasoning(item)).toBe(expected);
});
