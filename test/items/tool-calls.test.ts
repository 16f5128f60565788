import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { answeredCalls, callIdIn, openCalls, tornCalls } from '../../src/items/tool-calls.ts';
import { call, result, user } from '../support/conversation.ts';

/** An item of a type that the SDK does not know, as it keeps it. */
const unknown = (providerData: Record<string, unknown>): AgentInputItem => ({
  type: 'unknown',
  providerData,
});

const output = { type: 'computer_screenshot', data: 'data:image/png;base64,AA==' } as const;

/** Every kind of call that a client answers, with its answer. */
const PAIRS: readonly (readonly [string, AgentInputItem, AgentInputItem])[] = [
  ['a function', call('c1', 'look', {}), result('c1', 'look', 'x')],
  [
    'a computer',
    { type: 'computer_call', callId: 'c1', status: 'completed', action: { type: 'screenshot' } },
    { type: 'computer_call_result', callId: 'c1', output },
  ],
  [
    'a shell',
    { type: 'shell_call', callId: 'c1', action: { commands: ['ls'] } },
    { type: 'shell_call_output', callId: 'c1', output: [] },
  ],
  [
    'a patch',
    {
      type: 'apply_patch_call',
      callId: 'c1',
      status: 'completed',
      operation: { type: 'delete_file', path: 'a' },
    },
    { type: 'apply_patch_call_output', callId: 'c1', status: 'completed' },
  ],
  [
    'a custom tool',
    unknown({ type: 'custom_tool_call', call_id: 'c1', name: 'look', input: '' }),
    unknown({ type: 'custom_tool_call_output', call_id: 'c1', output: '' }),
  ],
  [
    'a local shell',
    unknown({ type: 'local_shell_call', call_id: 'c1', action: {} }),
    unknown({ type: 'local_shell_call_output', call_id: 'c1', output: '' }),
  ],
  [
    'a search for tools by the client',
    { type: 'tool_search_call', arguments: {}, providerData: { call_id: 'c1', execution: 'client' } },
    { type: 'tool_search_output', tools: [], providerData: { call_id: 'c1', execution: 'client' } },
  ],
];

describe.each(PAIRS)('a call of %s', (_what, asked, answered) => {
  test('a call is open without an output', () => {
    expect(openCalls([user('hi'), asked])).toEqual(new Set(['c1']));
    expect(openCalls([user('hi'), asked, user('and'), answered])).toEqual(new Set());
  });

  test('a call is answered by its output', () => {
    expect(answeredCalls([user('hi'), answered])).toEqual(new Set(['c1']));
    expect(answeredCalls([asked])).toEqual(new Set());
  });
});

describe.each(PAIRS)('a torn call of %s', (_what, asked, answered) => {
  test('a call is torn if the user goes on without its result', () => {
    expect(tornCalls([user('hi'), asked, user('and')])).toEqual(new Set(['c1']));
    expect(tornCalls([user('hi'), asked, user('and'), answered])).toEqual(new Set());
  });

  test('a call that still waits for its result is whole', () => {
    expect(tornCalls([user('hi'), asked])).toEqual(new Set());
    expect(tornCalls([asked])).toEqual(new Set());
  });

  test('a result is torn if no call stands before it', () => {
    expect(tornCalls([user('hi'), answered])).toEqual(new Set(['c1']));
    expect(tornCalls([answered, asked])).toEqual(new Set(['c1']));
  });

  test('both parts of a call tell its ID', () => {
    expect([asked, answered, user('hi')].map((item) => callIdIn(item))).toEqual(['c1', 'c1', undefined]);
  });
});

test('a part of a call without a call ID is never torn', () => {
  const nameless: AgentInputItem = { type: 'tool_search_output', tools: [] };
  expect(callIdIn(nameless)).toBeUndefined();
  expect(tornCalls([nameless, user('hi')])).toEqual(new Set());
});

test('an open call tells calls apart by their IDs', () => {
  const items = [call('c1', 'a', {}), call('c2', 'a', {}), result('c1', 'a', 'x')];
  expect(openCalls(items)).toEqual(new Set(['c2']));
});

test.each<[string, AgentInputItem]>([
  [
    'the server searches the web',
    { type: 'hosted_tool_call', name: 'web_search_call', providerData: { type: 'web_search_call' } },
  ],
  [
    'the server searches for tools',
    { type: 'tool_search_call', arguments: {}, providerData: { call_id: 'c1', execution: 'server' } },
  ],
  ['the server runs a program', { type: 'program', id: 'p1', callId: 'c1', code: '', fingerprint: '' }],
])('openCalls leaves nothing open where %s', (_what, item) => {
  expect(openCalls([item])).toEqual(new Set());
});
