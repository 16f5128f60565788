import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import {
  apiTypeOf,
  fieldOf,
  idOf,
  isResultKind,
  keepsId,
  kindOf,
  providerDataOf,
  roleOfKind,
  roleOfType,
  splitKind,
} from '../../src/items/read-item.ts';
import { assistant, call, user } from '../support/conversation.ts';

const hosted = (name: string, providerData?: Record<string, unknown>): AgentInputItem => ({
  type: 'hosted_tool_call',
  name,
  ...(providerData === undefined ? {} : { providerData }),
});

const untyped: AgentInputItem = { role: 'user', content: 'hi' };

describe('a field of an item', () => {
  test('provider data that are no object count as empty', () => {
    expect(providerDataOf({ ...user('hi'), providerData: { a: 1 } })).toEqual({ a: 1 });
    expect(providerDataOf({ ...user('hi'), providerData: 'x' } as unknown as AgentInputItem)).toEqual({});
    expect(providerDataOf(user('hi'))).toEqual({});
  });

  test('the ID of an item is on the item, or else in its provider data', () => {
    expect(idOf({ ...assistant('hi', 'msg_1'), providerData: { id: 'msg_2' } })).toBe('msg_1');
    expect(idOf({ ...assistant('hi'), providerData: { id: 'msg_2' } })).toBe('msg_2');
    expect(idOf(assistant('hi'))).toBeUndefined();
    expect(idOf(assistant('hi', ''))).toBeUndefined();
    expect(idOf({ ...assistant('hi'), id: 7 } as unknown as AgentInputItem)).toBeUndefined();
  });

  test('a field is the one of the SDK, or else the one in the provider data', () => {
    expect(fieldOf({ ...user('hi'), providerData: { role: 'system', phase: 'final' } }, 'role')).toBe('user');
    expect(fieldOf({ ...user('hi'), providerData: { phase: 'final' } }, 'phase')).toBe('final');
    expect(fieldOf(user('hi'), 'phase')).toBeUndefined();
  });
});

describe('the type of an item', () => {
  test.each([
    ['a message without a type', untyped, 'message'],
    ['a function result', { ...call('c', 'f', {}), type: 'function_call_result' }, 'function_call_output'],
    ['a hosted call, by its provider data', hosted('any', { type: 'web_search_call' }), 'web_search_call'],
    ['a hosted call, by its name', hosted('web_search_call'), 'web_search_call'],
    ['an unknown item', { type: 'unknown', providerData: { type: 'custom_tool_call' } }, 'custom_tool_call'],
  ] as [string, AgentInputItem, string][])('%s has a type of the API', (_form, item, expected) => {
    expect(apiTypeOf(item)).toBe(expected);
  });

  test.each([
    ['a user message', user('hi'), 'message:user'],
    ['a message without a type', untyped, 'message:user'],
    ['a hosted call', hosted('web_search_call'), 'hosted_tool_call:web_search_call'],
    ['a function call', call('c', 'f', {}), 'function_call'],
  ])('the kind of %s names no content', (_form, item, expected) => {
    expect(kindOf(item)).toBe(expected);
  });

  test('a kind is split into a type and a name', () => {
    expect(splitKind('message:user')).toEqual(['message', 'user']);
    expect(splitKind('hosted_tool_call:a:b')).toEqual(['hosted_tool_call', 'a:b']);
    expect(splitKind('function_call')).toEqual(['function_call', '']);
  });
});

describe('the role of an item', () => {
  test.each([
    ['message:user', 'input'],
    ['message:system', 'input'],
    ['message:assistant', 'output'],
    ['reasoning', 'reasoning'],
    ['function_call', 'output'],
    ['function_call_result', 'input'],
    ['hosted_tool_call:web_search_call', 'output'],
    ['compaction', 'output'],
  ])('an item of kind %s is %s', (kind, expected) => {
    expect(roleOfKind(kind)).toBe(expected);
  });

  test('a message is output if its role is assistant', () => {
    expect(roleOfType('message', 'assistant')).toBe('output');
    expect(roleOfType('message', undefined)).toBe('input');
    expect(roleOfType('function_call_output', 'assistant')).toBe('input');
  });

  test('a result answers a call', () => {
    expect(isResultKind('function_call_result')).toBe(true);
    expect(isResultKind('function_call')).toBe(false);
    expect(isResultKind('message:user')).toBe(false);
  });

  test('only some kinds are written to a conversation with their IDs', () => {
    expect(keepsId('reasoning')).toBe(true);
    expect(keepsId('message:assistant')).toBe(false);
    expect(keepsId('no_such_type')).toBe(false);
  });
});
