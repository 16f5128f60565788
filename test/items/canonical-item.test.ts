import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { canonicalForm, itemDigest } from '../../src/items/digest.ts';
import { kindOf } from '../../src/items/read-item.ts';

/** An item as a server or a newer SDK may shape it. */
const item = (fields: object): AgentInputItem => fields as AgentInputItem;
const formOf = (fields: object): unknown => canonicalForm(item(fields));
const digestOf = (fields: object): string | null => itemDigest(item(fields));

const imageOf = (part: object): unknown =>
  formOf({ role: 'user', content: [{ type: 'input_image', ...part }] });
const fileOf = (part: object): unknown =>
  formOf({ role: 'user', content: [{ type: 'input_file', ...part }] });
const image = (reference: unknown, detail: string | null = null): unknown => [
  'message',
  'user',
  '',
  [['image', reference, detail]],
];
const file = (reference: unknown, name: string | null = null, detail: string | null = null): unknown => [
  'message',
  'user',
  '',
  [['file', reference, name, detail]],
];

describe('an item of an odd shape has a form all the same', () => {
  test.each<[string, object, unknown]>([
    ['a message without content', { role: 'user' }, ['message', 'user', '', []]],
    [
      'a message whose part is no object',
      { role: 'user', content: ['x'] },
      ['message', 'user', '', [['value', '"x"']]],
    ],
    [
      'a result that is a number',
      { type: 'function_call_result', callId: 'c', output: 7 },
      ['function_call_output', 'c', ['text', '7'], ''],
    ],
    [
      'a result that is one object',
      { type: 'function_call_result', callId: 'c', output: { type: 'refusal', refusal: 'no' } },
      ['function_call_output', 'c', ['parts', [['refusal', 'no']]], ''],
    ],
    [
      'a call by a program',
      {
        type: 'function_call',
        callId: 'c',
        name: 'f',
        arguments: '{}',
        caller: { type: 'program', callerId: 'p' },
      },
      ['function_call', '', 'f', 'c', '{}', 'p'],
    ],
    [
      'a call by a program in the words of the API',
      {
        type: 'function_call',
        callId: 'c',
        name: 'f',
        arguments: '{}',
        caller: { type: 'program', caller_id: 'p' },
      },
      ['function_call', '', 'f', 'c', '{}', 'p'],
    ],
    [
      'a call by somebody else',
      { type: 'function_call', callId: 'c', name: 'f', arguments: '{}', caller: { type: 'direct' } },
      ['function_call', '', 'f', 'c', '{}', ''],
    ],
    [
      'a picture of the screen that is missing',
      { type: 'computer_call_result', callId: 'c', output: 'x' },
      ['computer_call_output', 'c', '', ''],
    ],
    [
      'a picture of the screen with what was confirmed',
      {
        type: 'computer_call_result',
        callId: 'c',
        output: { data: 'd' },
        providerData: { acknowledgedSafetyChecks: [{ id: 's' }] },
      },
      ['computer_call_output', 'c', 'd', '[{"id":"s"}]'],
    ],
    ['a shell call without an action', { type: 'shell_call', callId: 'c' }, ['shell_call', 'c', [], '']],
    [
      'a shell call of nothing',
      { type: 'shell_call', callId: 'c', action: {} },
      ['shell_call', 'c', ['[]', 'null', 'null'], ''],
    ],
    [
      'a shell output that is no list',
      { type: 'shell_call_output', callId: 'c', output: 'x' },
      ['shell_call_output', 'c', [], 'null', ''],
    ],
    [
      'shell outputs of all kinds',
      {
        type: 'shell_call_output',
        callId: 'c',
        output: [
          7,
          { stdout: 'o' },
          { outcome: { type: 'timeout' } },
          { outcome: { type: 'exit', exitCode: 2 } },
        ],
      },
      ['shell_call_output', 'c', [[], ['o', '', '0'], ['', '', 'timeout'], ['', '', '2']], 'null', ''],
    ],
    [
      'a patch that failed',
      { type: 'apply_patch_call_output', callId: 'c', status: 'failed', output: 'no' },
      ['apply_patch_call_output', 'c', 'failed', 'no', ''],
    ],
    [
      'a patch that went in',
      { type: 'apply_patch_call_output', callId: 'c' },
      ['apply_patch_call_output', 'c', 'completed', '', ''],
    ],
    [
      'a compaction in the words of the SDK',
      { type: 'compaction', encryptedContent: 'x' },
      ['compaction', 'x'],
    ],
    ['a program', { type: 'program', callId: 'c', code: 'x', fingerprint: 'f' }, ['program', 'c', 'x', 'f']],
    [
      'the output of a program',
      { type: 'program_output', callId: 'c', output: 'x' },
      ['program_output', 'c', 'x'],
    ],
    [
      'an output of the API without its object',
      { type: 'unknown', providerData: { type: 'computer_call_output', call_id: 'c' } },
      ['computer_call_output', 'c', '', ''],
    ],
    [
      'an output of the API with what was confirmed',
      {
        type: 'unknown',
        providerData: {
          type: 'computer_call_output',
          call_id: 'c',
          output: { file_id: 'f' },
          acknowledged_safety_checks: [{ id: 's' }],
        },
      },
      ['computer_call_output', 'c', 'f', '[{"id":"s"}]'],
    ],
    ['a reference', { type: 'item_reference', id: 'msg_1' }, ['item_reference', 'msg_1']],
    [
      'a tool search without tools',
      { type: 'tool_search_output', tools: 'x' },
      ['tool_search_output', '', '', '', '{"tools":"x"}'],
    ],
    [
      'a tool search with a tool that is none',
      { type: 'tool_search_output', tools: ['x', { functionName: 'f' }] },
      ['tool_search_output', '', '', '', '{"tools":["x",{"function_name":"f"}]}'],
    ],
  ])('%s', (_, fields, form) => {
    expect(formOf(fields)).toEqual(form);
  });

  test('a reasoning has none', () => {
    expect(formOf({ type: 'reasoning', content: [] })).toBeUndefined();
    expect(digestOf({ type: 'reasoning', content: [] })).toBeNull();
  });

  test('one action of a computer is a list of one', () => {
    const action = { type: 'click', x: 1 };
    expect(digestOf({ type: 'computer_call', callId: 'c', action })).toBe(
      digestOf({ type: 'computer_call', callId: 'c', action, actions: [action] }),
    );
    expect(digestOf({ type: 'computer_call', callId: 'c', actions: [] })).not.toBe(
      digestOf({ type: 'computer_call', callId: 'c', action }),
    );
  });
});

describe('media', () => {
  test.each<[object, unknown, string | null]>([
    [{ image: 'https://x/y.png' }, ['data', 'https://x/y.png'], null],
    [{ image: { url: ' https://x/y.png ' } }, ['data', 'https://x/y.png'], null],
    [{ image: { id: 'file_1' }, detail: 'high' }, ['id', 'file_1'], 'high'],
    [{ image: { fileId: 'file_1' }, detail: 'auto' }, ['id', 'file_1'], null],
    [{ fileId: 'file_1' }, ['id', 'file_1'], null],
    [{ data: 'AAAA', mediaType: 'image/png' }, ['data', 'data:image/png;base64,AAAA'], null],
    [{ data: 'AAAA' }, ['data', 'AAAA'], null],
    [
      { data: 'data:image/png;base64,AAAA', mimeType: 'image/gif' },
      ['data', 'data:image/png;base64,AAAA'],
      null,
    ],
    [
      { image: { data: new Uint8Array([0, 0, 0]), mediaType: 'image/png' } },
      ['data', 'data:image/png;base64,AAAA'],
      null,
    ],
    [{ image: { shade: 'grey' } }, ['value', '{"shade":"grey"}'], null],
    [{ image: '', imageUrl: null }, null, null],
  ])('an image: %j', (part, reference, detail) => {
    expect(imageOf(part)).toEqual(image(reference, detail));
  });

  test.each<[object, unknown, string | null, string | null]>([
    [{ file: 'https://x/y.pdf', filename: 'y.pdf' }, ['data', 'https://x/y.pdf'], 'y.pdf', null],
    [{ fileData: 'AAAA', filename: 'y.pdf' }, ['data', 'AAAA'], 'y.pdf', null],
    [{ file_id: 'file_1', filename: 'ignored' }, ['id', 'file_1'], null, null],
    [{ file: { id: 'file_1' }, providerData: { detail: 'low' } }, ['id', 'file_1'], null, 'low'],
    [
      { type: 'file', file: { data: 'AAAA', filename: 'y.txt' } },
      ['data', 'data:text/plain;base64,AAAA'],
      'y.txt',
      null,
    ],
    [{ type: 'file', id: 'file_1' }, ['id', 'file_1'], null, null],
    [{}, null, null, null],
  ])('a file: %j', (part, reference, name, detail) => {
    expect(fileOf(part)).toEqual(file(reference, name, detail));
  });

  test('a recording, and a part that nobody knows yet', () => {
    const content = [
      { type: 'audio', audio: { id: 'a_1' }, format: 'wav', transcript: 't' },
      { type: 'smell', note: 'rose', providerData: { id: 'x' } },
    ];
    expect(formOf({ role: 'user', content })).toEqual([
      'message',
      'user',
      '',
      [
        ['audio', ['id', 'a_1'], 'wav', 't'],
        ['part', '{"note":"rose","type":"smell"}'],
      ],
    ]);
  });
});

test.each<[object, string]>([
  [{ role: 'user' }, 'message:user'],
  [{ type: 'message', role: 'assistant' }, 'message:assistant'],
  [{ type: 'hosted_tool_call', name: 'web_search_call' }, 'hosted_tool_call:web_search_call'],
  [{ type: 'function_call' }, 'function_call'],
])('the kind of %j is %s', (fields, kind) => {
  expect(kindOf(item(fields))).toBe(kind);
});
