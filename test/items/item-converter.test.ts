import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { ItemConverter } from '../../src/items/item-converter.ts';
import { parseAgentItems } from '../../src/items/parse-item.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { assistant, call, result, user } from '../support/conversation.ts';
import { storedItem } from '../support/stored-item.ts';

const converter = new ItemConverter();

/** Items as a user, a tool or an older SDK might give them. */
function itemOf(fields: object): AgentInputItem {
  const [item] = parseAgentItems([fields]);
  if (item === undefined) throw new Error('no item');
  return item;
}

async function toApi(...items: AgentInputItem[]): Promise<unknown[]> {
  return (await converter.toApiItems(items)).map((form) => ('item' in form ? form.item : form.unsupported));
}

/** An item as the list shows it after it was written. */
async function listed(item: AgentInputItem): Promise<AgentInputItem | undefined> {
  const [form] = await converter.toApiItems([item]);
  if (form === undefined || 'unsupported' in form) throw new Error('no form');
  const [back] = await converter.toAgentItems([storedItem(form.item, 'new_1', new Map())]);
  return back;
}

const audio = { type: 'audio', audio: 'YQ==', format: 'wav' };
const thought = { type: 'reasoning', content: [] };

const hosted = (type: string, fields: object, data: object): object => ({
  type: 'hosted_tool_call',
  name: type,
  status: 'completed',
  ...fields,
  providerData: { type, ...data },
});

const message = (fields: object): Record<string, unknown> => ({
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [],
  ...fields,
});

describe('towards the API', () => {
  test('items go as the SDK sends them, without the IDs that the API would refuse', async () => {
    expect(
      await toApi(user('hi'), assistant('hello', 'msg_1'), { ...call('c', 'look', {}), id: 'fc_1' }),
    ).toEqual([
      { role: 'user', content: 'hi' },
      {
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'hello', annotations: [] }],
      },
      { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}', status: 'completed' },
    ]);
  });

  test('hosted tool calls keep theirs: the API takes them in no other way', async () => {
    const search = itemOf({
      type: 'hosted_tool_call',
      id: 'ws_1',
      name: 'web_search_call',
      status: 'completed',
      providerData: { type: 'web_search_call', action: { type: 'search', query: 'a' } },
    });
    expect(await toApi(search)).toMatchObject([
      { type: 'web_search_call', id: 'ws_1', action: { query: 'a' } },
    ]);
  });

  test('each item gets its own answer, also where the SDK refuses another one', async () => {
    const odd = itemOf({ role: 'user', content: [audio] });
    expect(await toApi(user('a'), odd, itemOf(thought), user('b'))).toEqual([
      { role: 'user', content: 'a' },
      'the SDK has no API form for it',
      'the SDK leaves it out of a conversation',
      { role: 'user', content: 'b' },
    ]);
  });

  test('the items themselves stay as they are', async () => {
    const item = assistant('hello', 'msg_1');
    const before = structuredClone(item);
    await converter.toApiItems([item]);
    expect(item).toEqual(before);
  });

  test('nothing is asked for nothing', async () => {
    expect(await converter.toApiItems([])).toEqual([]);
    expect(await converter.toAgentItems([])).toEqual([]);
  });
});

/*
 * What cannot make the way there and back, and why. Where the SDK has no API form, the ledger alone holds the item;
 * where the form says less than the item, its digest tells that the list holds something else.
 */
describe('no API form', () => {
  test.each<[string, string, object]>([
    ['audio of a user', 'the SDK refuses it', { role: 'user', content: [audio] }],
    ['audio of a model', 'the SDK refuses it', { role: 'assistant', status: 'completed', content: [audio] }],
    [
      'an image of a model',
      'the SDK refuses it',
      { role: 'assistant', status: 'completed', content: [{ type: 'image', image: 'YQ==' }] },
    ],
    [
      'a file of a user at an http URL',
      'the SDK takes https alone',
      { role: 'user', content: [{ type: 'input_file', file: 'http://files.test/a' }] },
    ],
    [
      'an unknown phase',
      'the SDK refuses it',
      { role: 'assistant', status: 'completed', phase: 'prologue', content: [] },
    ],
    ['reasoning without ID and content', 'nothing is left of it', thought],
    [
      'a hosted tool that the SDK does not know',
      'the SDK refuses it',
      { type: 'hosted_tool_call', name: 'telepathy', providerData: {} },
    ],
    [
      'a code interpreter that failed',
      'the SDK knows no such status',
      {
        type: 'hosted_tool_call',
        name: 'code_interpreter_call',
        status: 'failed',
        providerData: { type: 'code_interpreter_call', code: 'a' },
      },
    ],
    [
      'a web search without an action',
      'the SDK refuses it',
      {
        type: 'hosted_tool_call',
        name: 'web_search_call',
        status: 'completed',
        providerData: { type: 'web_search_call', action: 'search' },
      },
    ],
    [
      'a tool output that is a list of old parts',
      'the SDK refuses it',
      {
        type: 'function_call_result',
        callId: 'c',
        name: 'n',
        status: 'completed',
        output: [{ type: 'text', text: 'a' }],
      },
    ],
  ])('no API form exists for %s: %s', async (_what, _why, fields) => {
    const [form] = await converter.toApiItems([itemOf(fields)]);
    expect(form).toHaveProperty('unsupported');
  });
});

describe('less in the API form than in the item', () => {
  test.each<[string, string, object]>([
    [
      'a tool output of no known kind',
      'it goes out as "[object Object]"',
      { type: 'function_call_result', callId: 'c', name: 'n', status: 'completed', output: { celsius: 20 } },
    ],
    [
      'the output of an MCP call',
      'the SDK does not send it: the API has it under the ID',
      hosted('mcp_call', { output: 'a' }, { name: 't', server_label: 's', arguments: '{}' }),
    ],
    [
      'a generated image',
      'the SDK does not send it: the API has it under the ID',
      hosted('image_generation_call', { output: 'YQ==' }, {}),
    ],
  ])('the API form lacks a part of %s: %s', async (_what, _why, fields) => {
    const item = itemOf(fields);
    const back = await listed(item);
    expect(back === undefined ? undefined : itemDigest(back)).not.toBe(itemDigest(item));
  });

  test.each<[string, string, object, object]>([
    [
      'names of environment variables',
      'the SDK writes them in lower case',
      {
        type: 'unknown',
        providerData: { type: 'local_shell_call', call_id: 'c', action: { env: { PATH: '/' } } },
      },
      {
        type: 'unknown',
        providerData: { type: 'local_shell_call', call_id: 'c', action: { env: { _p_a_t_h: '/' } } },
      },
    ],
    [
      'provider data called __proto__',
      'the SDK loses it',
      JSON.parse('{"type":"unknown","providerData":{"type":"x","__proto__":{"a":1}}}') as object,
      { type: 'unknown', providerData: { type: 'x' } },
    ],
    [
      'the program behind a web search',
      'the SDK does not send it',
      hosted(
        'web_search_call',
        { caller: { type: 'program', callerId: 'c' } },
        { action: { type: 'search' } },
      ),
      hosted('web_search_call', {}, { action: { type: 'search' } }),
    ],
  ])('the API form lacks a part of %s: %s, which no digest covers', async (_what, _why, fields, same) => {
    expect(await toApi(itemOf(fields))).toEqual(await toApi(itemOf(same)));
    expect(itemDigest(itemOf(fields))).toBe(itemDigest(itemOf(same)));
  });
});

describe('from the API', () => {
  test('items come as the SDK reads them, each under its ID', async () => {
    const items = await converter.toAgentItems([
      message({ content: [{ type: 'input_text', text: 'hi' }] }),
      message({
        id: 'msg_2',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'hello', annotations: [] }],
      }),
      { id: 'fco_1', type: 'function_call_output', call_id: 'c', output: 'sunny' },
    ]);
    expect(items).toMatchObject([
      { id: 'msg_1', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
      { id: 'msg_2', role: 'assistant', content: [{ type: 'output_text', text: 'hello' }] },
      { id: 'fco_1', type: 'function_call_result', callId: 'c', name: 'c', output: 'sunny' },
    ]);
    expect(itemDigest(items[2] ?? user(''))).toBe(itemDigest(result('c', 'weather', 'sunny')));
  });

  test('the detail of images and files is not forgotten', async () => {
    const content = [
      { type: 'input_image', image_url: 'https://pictures.test/a', detail: 'low' },
      { type: 'input_image', image_url: 'https://pictures.test/a', detail: 'auto' },
      { type: 'input_file', file_id: 'file-1', detail: 'high' },
    ];
    const [item] = await converter.toAgentItems([message({ content })]);
    expect(item).toMatchObject({
      content: [
        { type: 'input_image', image: 'https://pictures.test/a', detail: 'low' },
        { type: 'input_image', image: 'https://pictures.test/a' },
        { type: 'input_file', file: { id: 'file-1' }, providerData: { detail: 'high' } },
      ],
    });
    expect(item === undefined ? [] : await toApi(item)).toMatchObject([{ content }]);
  });

  test('an uploaded image stays an upload: the URL beside it may expire', async () => {
    const both = {
      type: 'input_image',
      image_url: 'https://signed.test/a',
      file_id: 'file-1',
      detail: 'auto',
    };
    const items = await converter.toAgentItems([
      message({ content: [both] }),
      { id: 'fco_1', type: 'function_call_output', call_id: 'c', output: [both] },
    ]);
    expect(items).toMatchObject([
      { content: [{ image: { id: 'file-1' } }] },
      { output: [{ image: { id: 'file-1' } }] },
    ]);
  });

  test.each<[string, Record<string, unknown>]>([
    [
      'a role that the SDK does not know',
      message({ role: 'developer', content: [{ type: 'input_text', text: 'a' }] }),
    ],
    [
      'a part that the SDK drops',
      message({
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_audio', data: 'YQ==' },
        ],
      }),
    ],
    ['an image that the SDK drops', message({ content: [{ type: 'input_image', detail: 'auto' }] })],
    [
      'a picture in a system message, which the SDK reads as text',
      message({
        role: 'system',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_image', file_id: 'f' },
        ],
      }),
    ],
    ['a computer call without an action', { id: 'cu_1', type: 'computer_call', call_id: 'c' }],
    [
      'a patch of a new kind',
      { id: 'apc_1', type: 'apply_patch_call', call_id: 'c', operation: { type: 'rename_file' } },
    ],
    [
      'an output that the SDK reads as items',
      {
        id: 'ctco_1',
        type: 'custom_tool_call_output',
        call_id: 'c',
        output: [{ type: 'output_text', text: 'a' }],
      },
    ],
    [
      'an output that the SDK reads as two items',
      {
        id: 'x_1',
        type: 'future_output',
        output: [
          { type: 'message', id: 'm', role: 'assistant', content: [] },
          { type: 'reasoning', id: 'r', summary: [] },
        ],
      },
    ],
    [
      'a result with a part that the SDK refuses',
      {
        id: 'fco_1',
        type: 'function_call_output',
        call_id: 'c',
        output: [{ type: 'input_audio', data: 'a' }],
      },
    ],
    ['a type of the future', { id: 'tp_1', type: 'telepathy_call', thought: { of: ['you', null] } }],
  ])('%s is kept whole, and so is what stands around it', async (_what, raw) => {
    const before = message({ id: 'msg_before', content: [{ type: 'input_text', text: 'before' }] });
    const after = message({ id: 'msg_after', content: [{ type: 'input_text', text: 'after' }] });
    const items = await converter.toAgentItems([before, raw, after]);
    expect(items).toEqual([
      { id: 'msg_before', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'before' }] },
      { id: raw['id'], type: 'unknown', providerData: raw },
      { id: 'msg_after', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'after' }] },
    ]);
  });

  test('what was kept whole goes back as it came', async () => {
    const raw = message({ role: 'developer', content: [{ type: 'input_text', text: 'a' }] });
    const items = await converter.toAgentItems([raw]);
    const { id: _id, ...rest } = raw;
    expect(await toApi(...items)).toEqual([rest]);
  });
});

test('no request leaves the process', async () => {
  const { fetch } = globalThis;
  globalThis.fetch = async () => Promise.reject(new Error('a request was made'));
  try {
    expect(await toApi(user('hi'))).toEqual([{ role: 'user', content: 'hi' }]);
    expect(
      await converter.toAgentItems([{ id: 'msg_1', type: 'message', role: 'user', content: [] }]),
    ).toHaveLength(1);
  } finally {
    globalThis.fetch = fetch;
  }
});

const system = (...content: object[]): Record<string, unknown> => message({ role: 'system', content });

describe('a message of the system', () => {
  test.each(['input_text', 'text'])(
    'a system message with text alone is read as the SDK reads it: %s',
    async (type) => {
      const [item] = await converter.toAgentItems([system({ type, text: 'be ' }, { type, text: 'kind' })]);
      expect(item).toMatchObject({ role: 'system', id: 'msg_1' });
      expect(itemDigest(item ?? user(''))).not.toBeNull();
      expect(item?.type).not.toBe('unknown');
    },
  );

  test('a system message with anything else is kept whole', async () => {
    const raw = system({ type: 'input_text', text: 'a' }, { type: 'output_text', text: 'b' });
    expect(await converter.toAgentItems([raw])).toEqual([
      { type: 'unknown', id: 'msg_1', providerData: raw },
    ]);
  });
});

describe('the result of a computer call', () => {
  const raw = {
    id: 'cuo_1',
    type: 'computer_call_output',
    call_id: 'c',
    output: { type: 'computer_screenshot', image_url: 'data:,' },
  };

  test('a screenshot is read as the result of its call, which the SDK would leave out otherwise', async () => {
    expect(
      await converter.toAgentItems([{ ...raw, status: 'completed', acknowledged_safety_checks: [] }]),
    ).toEqual([
      {
        type: 'computer_call_result',
        id: 'cuo_1',
        callId: 'c',
        output: { type: 'computer_screenshot', data: 'data:,' },
      },
    ]);
  });

  test('a screenshot keeps its acknowledged safety checks', async () => {
    const checked = { ...raw, acknowledged_safety_checks: [{ id: 's', code: 'a', message: 'b' }] };
    const [item] = await converter.toAgentItems([checked]);
    expect(await toApi(item ?? user(''))).toMatchObject([
      { type: 'computer_call_output', acknowledged_safety_checks: [{ id: 's' }] },
    ]);
    expect(itemDigest(item ?? user(''))).toBe(
      itemDigest({ type: 'unknown', id: 'cuo_1', providerData: checked }),
    );
  });

  test.each([{ output: { file_id: 'file-1' } }, { output: null }, { call_id: 7 }])(
    'a screenshot that the SDK cannot hold is kept whole: %j',
    async (other) => {
      const whole = { ...raw, ...other };
      expect(await converter.toAgentItems([whole])).toEqual([
        { type: 'unknown', id: 'cuo_1', providerData: whole },
      ]);
    },
  );
});

describe('texts in the form of another server', () => {
  test.each([
    ['user', 'input_text'],
    ['assistant', 'output_text'],
  ])('a message of the %s with a string or a text as its content has one part', async (role, type) => {
    for (const content of ['hi', [{ type: 'text', text: 'hi' }]]) {
      const [item] = await converter.toAgentItems([message({ role, content })]);
      expect(item).toMatchObject({ id: 'msg_1', role, content: [{ type, text: 'hi' }] });
    }
  });

  test('a system message with a string as its content is read as with a part', async () => {
    const [item] = await converter.toAgentItems([message({ role: 'system', content: 'be kind' })]);
    expect(item).toMatchObject({ role: 'system', id: 'msg_1', content: 'be kind' });
  });
});

const partsOf = async (...content: object[]): Promise<unknown> => {
  const [item] = await converter.toAgentItems([message({ content })]);
  return item === undefined ? undefined : Reflect.get(item, 'content');
};

describe('a detail', () => {
  const url = { type: 'input_image', image_url: 'https://pictures.test/a' };

  test.each([undefined, '', 'auto', 7])('an empty detail is left out: %j', async (detail) => {
    const file = { type: 'input_file', file_id: 'file-1' };
    const [image, document] = (await partsOf({ ...url, detail }, { ...file, detail })) as object[];
    expect(Object.keys(image ?? {})).not.toContain('detail');
    expect(document).toEqual({ type: 'input_file', file: { id: 'file-1' } });
  });

  test('a detail belongs to images and files alone', async () => {
    expect(await partsOf({ type: 'input_text', text: 'a', detail: 'high', file_id: 'file-1' })).toEqual([
      { type: 'input_text', text: 'a' },
    ]);
  });

  test('a detail leaves an image where it is that has no ID of an upload', async () => {
    for (const file_id of ['', null, undefined, 7])
      expect(await partsOf({ ...url, detail: 'low', file_id })).toMatchObject([
        { image: 'https://pictures.test/a', detail: 'low' },
      ]);
  });
});

describe('an item of the API without an ID', () => {
  test('an API item without an ID that the SDK does not read is kept whole, without one', async () => {
    const raw = { type: 'message', role: 'user', content: 7 };
    expect(await converter.toAgentItems([raw])).toEqual([{ type: 'unknown', providerData: raw }]);
    const numbered = { ...raw, id: 7 };
    const [item] = await converter.toAgentItems([numbered]);
    expect(Object.keys(item ?? {})).toEqual(['type', 'providerData']);
  });
});

test('a call that only a server makes goes under the ID in its provider data, if that is all there is', async () => {
  const data = { type: 'file_search_call', id: 'fs_1', queries: ['q'] };
  expect(await toApi(itemOf(hosted('file_search_call', {}, data)))).toMatchObject([{ id: 'fs_1' }]);
  const both = itemOf(hosted('file_search_call', { id: 'fs_2' }, { ...data, id: 'fs_2' }));
  expect(await toApi(both)).toMatchObject([{ id: 'fs_2' }]);
  const [none] = await toApi(itemOf(hosted('file_search_call', {}, { queries: ['q'] })));
  expect(Object.entries(none ?? {}).filter(([key, value]) => key === 'id' && value !== undefined)).toEqual(
    [],
  );
});

test.each<[string, object]>([
  ['code_interpreter_call', { code: '1', container_id: 'c' }],
  ['file_search_call', { queries: ['q'] }],
  ['image_generation_call', {}],
  ['mcp_approval_request', { name: 'pay', arguments: '{}', server_label: 's' }],
  ['mcp_call', { name: 'pay', arguments: '{}', server_label: 's' }],
  ['mcp_list_tools', { server_label: 's', tools: [] }],
  ['web_search_call', { action: { type: 'search', query: 'q' } }],
])('a %s goes under its ID: only a server makes one', async (type, data) => {
  expect(await toApi(itemOf(hosted(type, { id: 'item_1' }, data)))).toMatchObject([{ type, id: 'item_1' }]);
});

test('a call of a computer goes under its ID: only a server makes one', async () => {
  const item = itemOf({
    type: 'computer_call',
    id: 'cu_1',
    callId: 'c',
    status: 'completed',
    action: { type: 'wait' },
  });
  expect(await toApi(item)).toMatchObject([{ type: 'computer_call', id: 'cu_1' }]);
});
