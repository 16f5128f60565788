import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { itemDigest } from '../../src/items/digest.ts';

const item = (fields: object): AgentInputItem => fields as AgentInputItem;
const hosted = (providerData: object, fields: object = {}): AgentInputItem =>
  item({ type: 'hosted_tool_call', name: 'web_search_call', providerData, ...fields });
const unknown = (providerData: object): AgentInputItem => item({ type: 'unknown', providerData });
const part = (content: object): AgentInputItem => item({ role: 'user', content: [content] });
const image = (fields: object): AgentInputItem => part({ type: 'input_image', ...fields });
const file = (fields: object): AgentInputItem => part({ type: 'input_file', ...fields });
const oldFile = (fields: object): AgentInputItem => part({ type: 'file', ...fields });
const computer = (fields: object): AgentInputItem => item({ type: 'computer_call', callId: 'c', ...fields });
const shell = (action: object): AgentInputItem => item({ type: 'shell_call', callId: 'c', action });
const output = (value: unknown): AgentInputItem =>
  item({ type: 'function_call_result', callId: 'c', output: value });

const click = { type: 'click', x: 1 };
const search = { type: 'web_search_call', action: { type: 'search', query: 'q' } };
const generated = { type: 'image_generation_call' };
const interpreter = { type: 'code_interpreter_call', code: '1' };
const custom = { type: 'custom_tool_call_output', call_id: 'c' };
const found = (tool: object): AgentInputItem => unknown({ type: 'tool_search_output', tools: [tool] });

describe('has one digest', () => {
  test.each<[string, AgentInputItem, AgentInputItem]>([
    ['a call under another ID', hosted({ ...search, id: 'ws_1' }), hosted({ ...search, id: 'ws_2' })],
    ['a call that is done or not', hosted({ ...search, status: 'failed' }), hosted(search)],
    ['a call, whoever made it', hosted({ ...search, created_by: 'x' }), hosted(search)],
    ['a call that a model made itself', hosted({ ...search, caller: { type: 'direct' } }), hosted(search)],
    ['a call, whichever model answered', hosted({ ...search, model: 'gpt' }), hosted(search)],
    [
      'a call, wherever its call ID stands',
      hosted({ ...search, call_id: 'c' }),
      hosted(search, { callId: 'c' }),
    ],
    [
      'a call with the call ID in the API’s name',
      hosted({ ...search, call_id: 'c' }),
      hosted(search, { call_id: 'c' }),
    ],
    [
      'a call, wherever it says who runs it',
      hosted({ ...search, execution: 'client' }),
      hosted(search, { execution: 'client' }),
    ],
    [
      'a search with or without what it found',
      hosted({ ...search, results: [{ url: 'u' }] }),
      hosted(search),
    ],
    [
      'a search with or without its sources',
      hosted({ ...search, action: { ...search.action, sources: [{ url: 'u' }] } }),
      hosted(search),
    ],
    [
      'a call that is named by its type or its name',
      hosted({ query: 'q' }),
      hosted({ ...search, action: undefined, query: 'q' }),
    ],
    ['a call read as a hosted one or as it was', hosted(search), unknown(search)],
    ...['file_search', 'code_interpreter', 'image_generation'].map(
      (name): [string, AgentInputItem, AgentInputItem] => [
        `a call under its former name: ${name}`,
        hosted({ type: name, queries: ['q'] }),
        hosted({ type: `${name}_call`, queries: ['q'] }),
      ],
    ),
    ['a call under its former name', hosted({ ...search, type: 'web_search' }), hosted(search)],
    [
      'a picture in its field or as the output of its call',
      hosted({ ...generated, result: 'iVBO' }),
      hosted(generated, { output: 'iVBO' }),
    ],
    [
      'code with or without its former results',
      hosted({ ...interpreter, results: [1] }),
      hosted(interpreter),
    ],
    [
      'a field that is empty or absent',
      hosted({ ...search, note: '', list: [], none: null }),
      hosted(search),
    ],
    [
      'a list of outputs, as the SDK names its parts or as the API does',
      unknown({ ...custom, output: [{ type: 'input_text', text: 'a' }] }),
      unknown({ ...custom, output: [{ type: 'output_text', text: 'a' }] }),
    ],
    [
      'a tool that was found, in either naming, also inside of a namespace',
      found({ deferLoading: true, tools: [{ functionName: 'f', outputSchema: {}, allowedCallers: ['a'] }] }),
      found({
        defer_loading: true,
        tools: [{ function_name: 'f', output_schema: {}, allowed_callers: ['a'] }],
      }),
    ],
    [
      'names down to the first list',
      unknown({ type: 'new', anOption: { aField: 1 } }),
      unknown({ type: 'new', an_option: { a_field: 1 } }),
    ],
    [
      'a reference, wherever its ID stands',
      item({ type: 'item_reference', id: 'msg_1' }),
      unknown({ type: 'item_reference', id: 'msg_1' }),
    ],
    [
      'a screenshot with no checks or an empty list of them',
      unknown({ type: 'computer_call_output', output: { image_url: 'u' }, acknowledged_safety_checks: [] }),
      unknown({ type: 'computer_call_output', output: { image_url: 'u' } }),
    ],
    [
      'text, whoever says what a part of it is called',
      part({ type: 'text', text: 'a' }),
      part({ type: 'input_text', text: 'a' }),
    ],
    [
      'a picture by its URL: imageUrl',
      image({ image: 'https://a.test' }),
      image({ imageUrl: 'https://a.test' }),
    ],
    [
      'a picture by its URL: image_url',
      image({ image: 'https://a.test' }),
      image({ image_url: 'https://a.test' }),
    ],
    ['a picture by its ID: fileId', image({ image: { id: 'file_1' } }), image({ fileId: 'file_1' })],
    ['a picture by its ID: file_id', image({ image: { id: 'file_1' } }), image({ file_id: 'file_1' })],
    [
      'a picture whose first names are empty',
      image({ image: '', imageUrl: null, image_url: 'u' }),
      image({ image: 'u' }),
    ],
    ['a picture with data that is empty', image({ data: '' }), image({})],
    [
      'a picture with provider data',
      image({ image: 'u', providerData: { detail: 'high' } }),
      image({ image: 'u' }),
    ],
    ['a URL with blanks around it', image({ image: ' https://a.test ' }), image({ image: 'https://a.test' })],
    [
      'inline data, whatever its media type is called',
      image({ image: { data: 'YQ==', mediaType: 'image/png' } }),
      image({ image: { data: 'YQ==', mimeType: 'image/png' } }),
    ],
    [
      'inline data and the URL it goes out as',
      image({ image: { data: 'YQ==' }, mediaType: 'image/png' }),
      image({ image: 'data:image/png;base64,YQ==' }),
    ],
    [
      'inline data whose media type is none',
      image({ image: { data: 'YQ==', mediaType: 7 } }),
      image({ image: { data: 'YQ==' } }),
    ],
    ['a file by its URL: fileUrl', file({ file: { url: 'u' } }), file({ fileUrl: 'u' })],
    ['a file by its URL: file_url', file({ file: { url: 'u' } }), file({ file_url: 'u' })],
    ['a file by its data: fileData', file({ file: 'data:,a' }), file({ fileData: 'data:,a' })],
    ['a file by its data: file_data', file({ file: 'data:,a' }), file({ file_data: 'data:,a' })],
    ['a file by its ID: fileId', file({ file: { id: 'file_1' } }), file({ fileId: 'file_1' })],
    ['a file by its ID: file_id', file({ file: { id: 'file_1' } }), file({ file_id: 'file_1' })],
    ['a file of the older form by its ID', oldFile({ file: { id: 'file_1' } }), oldFile({ id: 'file_1' })],
    [
      'one action of a computer, alone or in a list',
      computer({ action: click }),
      computer({ actions: [click] }),
    ],
    [
      'one action of a computer beside an empty list',
      computer({ action: click, actions: [] }),
      computer({ action: click }),
    ],
    [
      'checks in either naming',
      computer({ action: click, providerData: { pendingSafetyChecks: [{ id: 'x' }] } }),
      computer({ action: click, providerData: { pending_safety_checks: [{ id: 'x' }] } }),
    ],
    ['what a tool gives, as text or as a part of it', output('a'), output({ type: 'text', text: 'a' })],
    [
      'a call whose caller is no program',
      item({ type: 'function_call', callId: 'c', caller: { type: 'x', callerId: 'p' } }),
      item({ type: 'function_call', callId: 'c' }),
    ],
  ])('%s', (_what, one, other) => {
    expect(itemDigest(one)).toBe(itemDigest(other));
  });
});

describe('has a digest of its own', () => {
  test.each<[string, AgentInputItem, AgentInputItem]>([
    ['what another call found', unknown({ type: 'new', results: ['a'] }), unknown({ type: 'new' })],
    [
      'where another call looked',
      unknown({ type: 'new', action: { sources: ['a'] } }),
      unknown({ type: 'new', action: {} }),
    ],
    ['a call of another name', hosted({}), hosted({}, { name: 'file_search_call' })],
    [
      'the output of another call',
      hosted(interpreter, { output: 'a' }),
      hosted({ ...interpreter, result: 'a' }),
    ],
    [
      'the tools of another item',
      unknown({ type: 'new', tools: [{ functionName: 'f' }] }),
      unknown({ type: 'new', tools: [{ function_name: 'f' }] }),
    ],
    [
      'what is inside of a schema of a tool',
      found({ examples: [{ functionName: 'f' }] }),
      found({ examples: [{ function_name: 'f' }] }),
    ],
    [
      'a message that the SDK does not know, by role',
      unknown({ type: 'message', role: 'critic', content: 'a' }),
      unknown({ type: 'message', role: 'user', content: 'a' }),
    ],
    [
      'a message that the SDK does not know, by text',
      unknown({ type: 'message', role: 'critic', content: 'a' }),
      unknown({ type: 'message', role: 'critic', content: 'b' }),
    ],
    [
      'a message that the SDK does not know, by phase',
      unknown({ type: 'message', role: 'assistant', phase: 'final', content: 'a' }),
      unknown({ type: 'message', role: 'assistant', content: 'a' }),
    ],
    [
      'a reference to another item',
      unknown({ type: 'item_reference', id: 'a' }),
      unknown({ type: 'item_reference', id: 'b' }),
    ],
    [
      'how much a shell may answer',
      shell({ commands: ['ls'], maxOutputLength: 9 }),
      shell({ commands: ['ls'] }),
    ],
    ['how long a shell may take', shell({ commands: ['ls'], timeoutMs: 9 }), shell({ commands: ['ls'] })],
    [
      'how closely a file is looked at',
      file({ file: 'a', providerData: { detail: 'high' } }),
      file({ file: 'a' }),
    ],
    ['how closely a picture is looked at', image({ image: 'a', detail: 'high' }), image({ image: 'a' })],
    [
      'a call that a program made',
      item({ type: 'function_call', callId: 'c', caller: { type: 'program', callerId: 'p' } }),
      item({ type: 'function_call', callId: 'c' }),
    ],
    ['what a tool gives that is no text', output(7), output('')],
  ])('%s', (_what, one, other) => {
    expect(itemDigest(one)).not.toBe(itemDigest(other));
  });
});

test('what is named like the prototype of an object does no harm to a digest', () => {
  const strange = JSON.parse('{"type":"new","a":{"__proto__":{"x":1},"b":2}}') as object;
  expect(itemDigest(unknown(strange))).toBe(itemDigest(unknown({ type: 'new', a: { b: 2 } })));
});
