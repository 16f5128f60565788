import { describe, expect, test } from 'vitest';
import { InvalidItemError } from '../../src/errors/session.ts';
import { parseAgentItems } from '../../src/items/parse-item.ts';

/** The least of each type, with every field that it cannot do without. */
const LEAST: readonly [string, object][] = [
  ['message:user', { role: 'user', content: 'hi' }],
  ['message:user', { type: 'message', role: 'user', content: [{ type: 'input_text' }] }],
  ['message:assistant', { role: 'assistant', content: [{ type: 'output_text' }] }],
  ['message:system', { role: 'system', content: 'be kind' }],
  ['function_call', { type: 'function_call', callId: 'c', name: 'f', arguments: '{}' }],
  ['function_call_result', { type: 'function_call_result', callId: 'c', output: 'done' }],
  ['function_call_result', { type: 'function_call_result', callId: 'c', output: { type: 'text' } }],
  ['function_call_result', { type: 'function_call_result', callId: 'c', output: [{ type: 'input_text' }] }],
  ['hosted_tool_call', { type: 'hosted_tool_call', name: 'web_search_call' }],
  ['computer_call', { type: 'computer_call', callId: 'c' }],
  ['computer_call_result', { type: 'computer_call_result', callId: 'c', output: {} }],
  ['shell_call', { type: 'shell_call', callId: 'c', action: {} }],
  ['shell_call_output', { type: 'shell_call_output', callId: 'c', output: [{}] }],
  ['apply_patch_call', { type: 'apply_patch_call', callId: 'c', operation: {} }],
  ['apply_patch_call_output', { type: 'apply_patch_call_output', callId: 'c' }],
  ['reasoning', { type: 'reasoning', content: [{}] }],
  ['compaction', { type: 'compaction', encrypted_content: 'x' }],
];

const REQUIRED = LEAST.flatMap(([kind, item]) =>
  Object.keys(item)
    .filter((name) => name !== 'type' && name !== 'role')
    .map((name): [string, string, object] => [kind, name, item]),
);

const without = (item: object, name: string): object =>
  Object.fromEntries(Object.entries(item).filter(([key]) => key !== name));

function messageOf(items: unknown): string {
  try {
    parseAgentItems(items);
  } catch (error) {
    if (error instanceof InvalidItemError) return error.message;
    throw error;
  }
  return '';
}

describe('an item', () => {
  test.each(LEAST)('an item of type %s is accepted with its required fields: %j', (_kind, item) => {
    expect(parseAgentItems([item])).toEqual([item]);
  });

  test.each(REQUIRED)('an item of type %s is refused without %s: %j', (kind, name, item) => {
    expect(messageOf([without(item, name)])).toContain(`field '${name}' is wrong for a ${kind} (`);
  });

  test.each(REQUIRED)('an item of type %s is refused with a number as its %s: %j', (kind, name, item) => {
    expect(messageOf([{ ...item, [name]: 7 }])).toContain(`field '${name}' is wrong for a ${kind} (`);
  });

  test.each<[string, object]>([
    ['content', { role: 'user', content: ['hi'] }],
    ['content.0.type', { role: 'assistant', content: [{ text: 'hi' }] }],
    ['content.0', { type: 'reasoning', content: ['thought'] }],
    ['output.0', { type: 'shell_call_output', callId: 'c', output: ['line'] }],
    ['encrypted_content', { type: 'compaction', encrypted_content: '' }],
    ['content', { role: 'system', content: [{ type: 'input_text' }] }],
    ['content', { role: 'assistant', content: 'hi' }],
    ['type', { type: '' }],
    ['id', { role: 'user', content: 'hi', id: 7 }],
    ['role', { role: 7, content: 'hi' }],
    ['role', { role: 'tool', content: 'hi' }],
    ['role', { content: 'hi' }],
    ['providerData', { role: 'user', content: 'hi', providerData: 'x' }],
  ])('a wrong field of an item is refused by its name: %s', (path, item) => {
    const message = messageOf([{ role: 'user', content: 'fine' }, item]);
    expect(message).toContain(path);
    expect(() => parseAgentItems([{ role: 'user', content: 'fine' }, item])).toThrow(
      expect.objectContaining({ index: 1 }),
    );
  });

  test('an unknown role is refused with the list of the known ones', () => {
    expect(messageOf([{ role: 'tool', content: 'hi' }])).toContain(
      "field 'role' must be 'user', 'assistant' or 'system'",
    );
    expect(messageOf([{ type: 'telepathy', role: 'tool' }])).toBe('');
  });

  test.each([null, 'hi', 7, undefined, true])('a value that is no object is no item: %j', (value) => {
    expect(messageOf([value])).not.toBe('');
  });

  test('an item comes in a list, even alone', () => {
    expect(messageOf({ role: 'user', content: 'hi' })).toContain('expected an array of items');
  });
});
