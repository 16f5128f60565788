import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalForm,
  DIGEST_VERSION,
  EMPTY_DIGEST,
  extendDigest,
  itemDigest,
} from '../../src/items/digest.ts';
import { anyText, anyVocabulary } from '../support/content.ts';
import { agentItemsByType, anyHistory, anyItem } from '../support/items.ts';

/** Items in any form that a user, an SDK version or a list may give them. */
const item = (fields: object): AgentInputItem => fields as AgentInputItem;

const historyDigest = (items: readonly AgentInputItem[]): string =>
  items.reduce((context, one) => extendDigest(context, itemDigest(one)), EMPTY_DIGEST);

const message = (fields: object): AgentInputItem =>
  item({ type: 'message', role: 'user', content: 'hello', ...fields });
const answer = (fields: object): AgentInputItem =>
  item({
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: 'hello' }],
    ...fields,
  });
const parts = (...content: object[]): AgentInputItem => message({ content });
const text = (value: string): object => ({ type: 'input_text', text: value });
const image = (fields: object): object => ({
  type: 'input_image',
  image: 'https://pictures.test/a',
  ...fields,
});
const file = (fields: object): object => ({
  type: 'input_file',
  file: 'data:text/plain;base64,YQ==',
  ...fields,
});
const call = (fields: object): AgentInputItem =>
  item({ type: 'function_call', callId: 'call_1', name: 'look', arguments: '{"a":1}', ...fields });
const result = (output: unknown, fields: object = {}): AgentInputItem =>
  item({
    type: 'function_call_result',
    callId: 'call_1',
    name: 'look',
    status: 'completed',
    output,
    ...fields,
  });
const hosted = (name: string, providerData: object, fields: object = {}): AgentInputItem =>
  item({
    type: 'hosted_tool_call',
    name,
    status: 'completed',
    providerData: { type: name, ...providerData },
    ...fields,
  });
const unknown = (providerData: object): AgentInputItem => item({ type: 'unknown', providerData });
const patch = (operation: object, fields: object = {}): AgentInputItem =>
  item({ type: 'apply_patch_call', callId: 'call_1', status: 'completed', operation, ...fields });
const patched = (fields: object): AgentInputItem =>
  item({ type: 'apply_patch_call_output', callId: 'call_1', status: 'completed', output: 'done', ...fields });
const shell = (action: object, fields: object = {}): AgentInputItem =>
  item({ type: 'shell_call', callId: 'call_1', action: { commands: ['ls', 'pwd'], ...action }, ...fields });
const shellOutput = (entry: object, fields: object = {}): AgentInputItem =>
  item({
    type: 'shell_call_output',
    callId: 'call_1',
    output: [{ stdout: 'a', stderr: 'b', outcome: { type: 'exit', exitCode: 0 }, ...entry }],
    ...fields,
  });
const computer = (fields: object): AgentInputItem =>
  item({
    type: 'computer_call',
    callId: 'call_1',
    status: 'completed',
    action: { type: 'click', x: 1, y: 2 },
    ...fields,
  });
const screenshot = (data: string, providerData?: object): AgentInputItem =>
  item({
    type: 'computer_call_result',
    callId: 'call_1',
    output: { type: 'computer_screenshot', data },
    providerData,
  });
const program = (fields: object): AgentInputItem =>
  item({ type: 'program', id: 'prg_1', callId: 'call_1', code: 'a()', fingerprint: 'f', ...fields });
const search = (args: unknown, fields: object = {}): AgentInputItem =>
  item({ type: 'tool_search_call', call_id: 'call_1', execution: 'client', arguments: args, ...fields });
const found = (...tools: object[]): AgentInputItem =>
  item({ type: 'tool_search_output', call_id: 'call_1', execution: 'client', tools });

describe('two items that a model reads differently have different digests', () => {
  const pairs: readonly [string, AgentInputItem, AgentInputItem][] = [
    ['role: user and system', message({}), message({ role: 'system' })],
    ['role: user and assistant', parts(text('hello')), answer({})],
    ['text', message({}), message({ content: 'hello ' })],
    ['no part and an empty one', parts(), parts(text(''))],
    ['one part and two', parts(text('ab')), parts(text('a'), text('b'))],
    ['where one part ends', parts(text('ab'), text('c')), parts(text('a'), text('bc'))],
    ['the order of parts', parts(text('a'), text('b')), parts(text('b'), text('a'))],
    [
      'text that looks like the form of a part',
      message({ content: '[["text","a"]]' }),
      message({ content: 'a' }),
    ],
    ['unpaired surrogates', message({ content: '\uD800' }), message({ content: '\uD801' })],
    ['phase', answer({ phase: 'commentary' }), answer({ phase: 'final_answer' })],
    ['a phase and none', answer({ phase: 'commentary' }), answer({})],
    ['refusal and text', answer({ content: [{ type: 'refusal', refusal: 'hello' }] }), answer({})],
    ['the URL of an image', parts(image({})), parts(image({ image: 'https://pictures.test/b' }))],
    [
      'a URL and the ID of an upload',
      parts(image({ image: 'file-1' })),
      parts(image({ image: { id: 'file-1' } })),
    ],
    [
      'the ID of an upload',
      parts(image({ image: { id: 'file-1' } })),
      parts(image({ image: { id: 'file-2' } })),
    ],
    ['the detail of an image', parts(image({ detail: 'low' })), parts(image({ detail: 'high' }))],
    ['an image and a file', parts(image({})), parts(file({ file: 'https://pictures.test/a' }))],
    ['the name of a file', parts(file({ filename: 'a.txt' })), parts(file({ filename: 'b.txt' }))],
    ['the data of a file', parts(file({})), parts(file({ file: 'data:text/plain;base64,Yg==' }))],
    ['the detail of a file', parts(file({})), parts(file({ providerData: { detail: 'low' } }))],
    [
      'what is said in audio',
      parts({ type: 'audio', audio: 'YQ==', format: 'wav' }),
      parts({ type: 'audio', audio: 'Yg==', format: 'wav' }),
    ],
    [
      'a part of a kind not known',
      parts({ type: 'input_smell', of: 'roses' }),
      parts({ type: 'input_smell', of: 'tar' }),
    ],
    ['the name of a call', call({}), call({ name: 'listen' })],
    ['the namespace of a call', call({}), call({ namespace: 'eyes' })],
    ['namespace and name', call({ namespace: 'a', name: 'b' }), call({ namespace: 'ab', name: '' })],
    ['the arguments of a call, as the model wrote them', call({}), call({ arguments: '{ "a": 1 }' })],
    ['the ID of a call', call({}), call({ callId: 'call_2' })],
    ['the program that calls', call({}), call({ caller: { type: 'program', callerId: 'call_9' } })],
    ['a call and its result', call({ arguments: '' }), result('')],
    ['the output of a call', result('a'), result('b')],
    ['the call that a result answers', result('a'), result('a', { callId: 'call_2' })],
    ['text and a list of one text', result('a'), result([text('a')])],
    ['the order of an output', result([text('a'), image({})]), result([image({}), text('a')])],
    ['an image in an output', result([image({})]), result([image({ image: 'https://pictures.test/b' })])],
    ['objects of no known kind', result({ a: 1 }), result({ a: 2 })],
    [
      'raw data and a data URL',
      result({ type: 'image', image: 'YQ==' }),
      result({ type: 'image', image: 'data:image/png;base64,YQ==' }),
    ],
    [
      'the media type of a file',
      result({ type: 'file', file: { data: 'YQ==', mediaType: 'text/csv', filename: 'a' } }),
      result({ type: 'file', file: { data: 'YQ==', mediaType: 'text/plain', filename: 'a' } }),
    ],
    ['whether a patch went in', patched({}), patched({ status: 'failed' })],
    ['what a patch said', patched({}), patched({ output: 'nothing to do' })],
    [
      'the file that is patched',
      patch({ type: 'delete_file', path: 'a' }),
      patch({ type: 'delete_file', path: 'b' }),
    ],
    [
      'what is done to a file',
      patch({ type: 'create_file', path: 'a', diff: '+' }),
      patch({ type: 'update_file', path: 'a', diff: '+' }),
    ],
    [
      'where a file goes',
      patch({ type: 'update_file', path: 'a', diff: '+', moveTo: 'b' }),
      patch({ type: 'update_file', path: 'a', diff: '+' }),
    ],
    ['the order of commands', shell({}), shell({ commands: ['pwd', 'ls'] })],
    ['the time a command may take', shell({ timeoutMs: 0 }), shell({})],
    ['how long an output may be', shell({ maxOutputLength: 10 }), shell({ timeoutMs: 10 })],
    ['stdout and stderr', shellOutput({}), shellOutput({ stdout: 'b', stderr: 'a' })],
    ['the exit code', shellOutput({}), shellOutput({ outcome: { type: 'exit', exitCode: 1 } })],
    ['an exit and a timeout', shellOutput({}), shellOutput({ outcome: { type: 'timeout' } })],
    ['the longest output', shellOutput({}), shellOutput({}, { maxOutputLength: 5 })],
    ['where is clicked', computer({}), computer({ action: { type: 'click', x: 2, y: 1 } })],
    [
      'the order of actions',
      computer({ actions: [{ type: 'wait' }, { type: 'screenshot' }] }),
      computer({ actions: [{ type: 'screenshot' }, { type: 'wait' }] }),
    ],
    [
      'safety checks to confirm',
      computer({ providerData: { pendingSafetyChecks: [{ id: 's', code: 'c', message: 'm' }] } }),
      computer({}),
    ],
    ['a screenshot', screenshot('data:image/png;base64,YQ=='), screenshot('data:image/png;base64,Yg==')],
    [
      'safety checks that were confirmed',
      screenshot('data:,', { acknowledgedSafetyChecks: [{ id: 's', code: 'c', message: 'm' }] }),
      screenshot('data:,'),
    ],
    ['the code of a program', program({}), program({ code: 'b()' })],
    ['the fingerprint of a program', program({}), program({ fingerprint: 'g' })],
    [
      'what a program returned',
      item({ type: 'program_output', callId: 'call_1', output: 'a', status: 'completed' }),
      item({ type: 'program_output', callId: 'call_1', output: 'b', status: 'completed' }),
    ],
    ['what a tool search looks for', search({ query: 'a' }), search({ query: 'b' })],
    ['null and nothing in what a model wrote', search({ limit: null }), search({})],
    ['who searches', search({ query: 'a' }), search({ query: 'a' }, { execution: 'server' })],
    [
      'the tools found',
      found({ type: 'function', name: 'a', parameters: {} }),
      found({ type: 'function', name: 'b', parameters: {} }),
    ],
    [
      'the parameters of a tool found, whatever their case',
      found({ type: 'function', name: 'a', parameters: { properties: { fooBar: {} } } }),
      found({ type: 'function', name: 'a', parameters: { properties: { foo_bar: {} } } }),
    ],
    [
      'the parameters of an MCP tool, whatever their case',
      hosted('mcp_list_tools', { server_label: 's', tools: [{ name: 'a', input_schema: { fooBar: {} } }] }),
      hosted('mcp_list_tools', { server_label: 's', tools: [{ name: 'a', input_schema: { foo_bar: {} } }] }),
    ],
    [
      'the queries of a file search',
      hosted('file_search_call', { queries: ['a'] }),
      hosted('file_search_call', { queries: ['b'] }),
    ],
    [
      'the order of queries',
      hosted('file_search_call', { queries: ['a', 'b'] }),
      hosted('file_search_call', { queries: ['b', 'a'] }),
    ],
    [
      'what is searched on the web',
      hosted('web_search_call', { action: { type: 'search', query: 'a' } }),
      hosted('web_search_call', { action: { type: 'search', query: 'b' } }),
    ],
    [
      'interpreted code',
      hosted('code_interpreter_call', { code: 'a' }),
      hosted('code_interpreter_call', { code: 'b' }),
    ],
    [
      'a generated image',
      hosted('image_generation_call', {}, { output: 'YQ==' }),
      hosted('image_generation_call', {}, { output: 'Yg==' }),
    ],
    [
      'the MCP server',
      hosted('mcp_call', { server_label: 'a', name: 't' }),
      hosted('mcp_call', { server_label: 'b', name: 't' }),
    ],
    [
      'the MCP tool',
      hosted('mcp_call', { server_label: 'a', name: 't' }),
      hosted('mcp_call', { server_label: 'a', name: 'u' }),
    ],
    [
      'the arguments of an MCP call',
      hosted('mcp_call', { name: 't', arguments: '{}' }),
      hosted('mcp_call', { name: 't', arguments: '{"a":1}' }),
    ],
    [
      'the output of an MCP call',
      hosted('mcp_call', { name: 't' }, { output: 'a' }),
      hosted('mcp_call', { name: 't' }, { output: 'b' }),
    ],
    [
      'the failure of an MCP call',
      hosted('mcp_call', { name: 't', error: 'a' }),
      hosted('mcp_call', { name: 't' }),
    ],
    [
      'whether a call was approved',
      hosted('mcp_approval_response', { approval_request_id: 'r', approve: true }),
      hosted('mcp_approval_response', { approval_request_id: 'r', approve: false }),
    ],
    [
      'which call was approved',
      hosted('mcp_approval_response', { approval_request_id: 'r', approve: true }),
      hosted('mcp_approval_response', { approval_request_id: 's', approve: true }),
    ],
    ['the kind of a hosted tool', hosted('web_search_call', {}), hosted('file_search_call', {})],
    [
      'a compacted past',
      item({ type: 'compaction', encrypted_content: 'a' }),
      item({ type: 'compaction', encrypted_content: 'b' }),
    ],
    [
      'the input of a custom tool',
      unknown({ type: 'custom_tool_call', call_id: 'c', name: 'n', input: 'a' }),
      unknown({ type: 'custom_tool_call', call_id: 'c', name: 'n', input: 'b' }),
    ],
    [
      'types named like what every object has',
      unknown({ type: 'constructor' }),
      unknown({ type: 'toString' }),
    ],
    [
      'a message that the SDK cannot read',
      unknown({ type: 'message', role: 'developer', content: 'a' }),
      message({ content: 'a' }),
    ],
  ];

  test.each(pairs)('%s', (_difference, one, other) => {
    expect(itemDigest(one)).not.toBeNull();
    expect(itemDigest(one)).not.toBe(itemDigest(other));
  });

  test('any two texts, in any place where a model reads text', () => {
    const places: ((value: string) => AgentInputItem)[] = [
      (value) => message({ content: value }),
      (value) => parts(text('before'), text(value)),
      (value) => answer({ content: [{ type: 'refusal', refusal: value }] }),
      (value) => call({ arguments: value }),
      (value) => result(value),
      (value) => result([text(value), text('after')]),
      (value) => shellOutput({ stderr: value }),
      (value) => program({ code: value }),
      (value) => hosted('mcp_call', { name: 't', arguments: value }),
      (value) => unknown({ type: 'custom_tool_call', input: value }),
    ];
    fc.assert(
      fc.property(anyText, anyText, fc.constantFrom(...places), (one, other, place) => {
        fc.pre(one !== other);
        expect(itemDigest(place(one))).not.toBe(itemDigest(place(other)));
      }),
      { seed: 20261129, numRuns: 300 },
    );
  });
});

describe('two items that a model reads alike have one digest', () => {
  const mcp = { server_label: 's', name: 't', arguments: '{}' };
  const pairs: readonly [string, AgentInputItem, AgentInputItem][] = [
    ['the ID', message({}), message({ id: 'msg_1' })],
    ['the status', answer({}), answer({ status: 'incomplete' })],
    ['a message that does not say so', message({}), message({ type: undefined })],
    ['undefined and absent', call({ namespace: undefined, id: undefined }), call({})],
    ['a string and one text part', message({}), parts(text('hello'))],
    [
      'cache breakpoints',
      parts(text('a')),
      parts({ ...text('a'), promptCacheBreakpoint: { mode: 'explicit' } }),
    ],
    [
      'annotations and log probabilities',
      answer({}),
      answer({
        content: [
          { type: 'output_text', text: 'hello', providerData: { annotations: [{ index: 1 }], logprobs: [] } },
        ],
      }),
    ],
    [
      'a phase where old SDKs kept it',
      answer({ phase: 'commentary' }),
      answer({ providerData: { phase: 'commentary' } }),
    ],
    ['a phase that only assistants have', message({}), message({ phase: 'commentary' })],
    ['detail that is the default', parts(image({ detail: 'auto' })), parts(image({}))],
    [
      'a URL and an object that holds it',
      parts(file({ file: 'https://files.test/a' })),
      parts(file({ file: { url: 'https://files.test/a' } })),
    ],
    [
      'how an upload is referred to',
      result({ type: 'image', image: { fileId: 'f' } }),
      result([image({ image: { id: 'f' } })]),
    ],
    [
      'the name an upload has anyway',
      parts(file({ file: { id: 'f' } })),
      parts(file({ file: { id: 'f' }, filename: 'a.pdf' })),
    ],
    [
      'data with its type and a data URL',
      result({ type: 'image', image: { data: 'YQ==', mediaType: 'image/png' } }),
      result([image({ image: 'data:image/png;base64,YQ==' })]),
    ],
    [
      'data of an earlier SDK and a data URL',
      result({ type: 'image', data: 'YQ==', mediaType: 'image/png' }),
      result([image({ image: 'data:image/png;base64,YQ==' })]),
    ],
    [
      'bytes and base64',
      result({ type: 'image', image: { data: new Uint8Array([97]), mediaType: 'image/png' } }),
      result({ type: 'image', image: { data: 'YQ==', mediaType: 'image/png' } }),
    ],
    [
      'files are text unless they say otherwise',
      result({ type: 'file', fileData: 'YQ==' }),
      result([file({})]),
    ],
    ['a text object and its text', result({ type: 'text', text: 'a' }), result('a')],
    [
      'an image and a list of it',
      result({ type: 'image', image: 'https://pictures.test/a' }),
      result([image({})]),
    ],
    ['the name of a result, which comes back as its call ID', result('a'), result('a', { name: 'call_1' })],
    ['the namespace of a result', result('a'), result('a', { namespace: 'n' })],
    ['called by the model, said or not', call({}), call({ caller: { type: 'direct' } })],
    [
      'the order of fields',
      patch({ type: 'delete_file', path: 'a' }),
      patch({ path: 'a', type: 'delete_file' }),
    ],
    ['an exit without a code', shellOutput({ outcome: { type: 'exit', exitCode: null } }), shellOutput({})],
    ['where a shell runs', shell({}), shell({}, { providerData: { environment: { type: 'local' } } })],
    ['one action and a list of it', computer({}), computer({ actions: [{ type: 'click', x: 1, y: 2 }] })],
    ['no safety checks', computer({}), computer({ providerData: { pending_safety_checks: [] } })],
    [
      "the SDK's names and the API's",
      hosted('mcp_call', { serverLabel: 's', name: 't', arguments: '{}' }),
      hosted('mcp_call', mcp),
    ],
    [
      'a screenshot sent and listed',
      screenshot('data:,'),
      unknown({ type: 'computer_call_output', call_id: 'call_1', output: { image_url: 'data:,' } }),
    ],
    [
      'a hosted call and what an SDK makes of it that does not know it',
      hosted('mcp_call', mcp, { output: 'a' }),
      unknown({ type: 'mcp_call', ...mcp, output: 'a' }),
    ],
    [
      'a message kept as the API gave it',
      unknown({ type: 'message', role: 'user', content: [text('hello')] }),
      message({}),
    ],
    [
      'an image kept as the API gave it',
      unknown({
        type: 'message',
        role: 'user',
        content: [{ type: 'input_image', image_url: 'https://pictures.test/a', file_id: null }],
      }),
      parts(image({})),
    ],
    [
      'a result kept as the API gave it',
      unknown({ type: 'function_call_output', call_id: 'call_1', output: 'a' }),
      result('a'),
    ],
    [
      'the names that hosted tools had',
      hosted('web_search', { action: { type: 'search' } }),
      hosted('web_search_call', { action: { type: 'search' } }),
    ],
    [
      'results that only come on request',
      hosted('file_search_call', { queries: ['a'], results: [{ text: 'b' }] }),
      hosted('file_search_call', { queries: ['a'] }),
    ],
    [
      'outputs that only come on request',
      hosted('code_interpreter_call', { code: 'a', outputs: [{ logs: 'b' }] }),
      hosted('code_interpreter_call', { code: 'a', outputs: [] }),
    ],
    [
      'sources that only come on request',
      hosted('web_search_call', { action: { type: 'search', query: 'a', sources: [{ url: 'b' }] } }),
      hosted('web_search_call', { action: { type: 'search', query: 'a' } }),
    ],
    [
      'a field that says nothing',
      hosted('mcp_call', { ...mcp, error: null, approval_request_id: undefined }),
      hosted('mcp_call', mcp),
    ],
    [
      'who made an item',
      item({ type: 'compaction', encrypted_content: 'a', created_by: 'x' }),
      item({ type: 'compaction', encrypted_content: 'a' }),
    ],
    [
      "a found tool in the SDK's names and in the API's",
      found({ type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'a', deferLoading: true }] }),
      unknown({
        type: 'tool_search_output',
        call_id: 'call_1',
        execution: 'client',
        tools: [
          { type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'a', defer_loading: true }] },
        ],
      }),
    ],
    ['which agent searched', found(), item({ ...found(), toolSearchAgentName: 'a' })],
  ];

  test.each(pairs)('%s', (_sameness, one, other) => {
    expect(itemDigest(one)).not.toBeNull();
    expect(itemDigest(one)).toBe(itemDigest(other));
  });

  test('any item with another ID and status, whatever the order of its fields', () => {
    const statuses = new Set([
      'message',
      'function_call',
      'function_call_result',
      'shell_call',
      'program_output',
    ]);
    fc.assert(
      fc.property(anyItem, fc.constantFrom('completed', 'incomplete'), (one, status) => {
        const other = item({
          ...Object.fromEntries(Object.entries(one).toReversed()),
          id: 'other',
          ...(statuses.has(one.type ?? 'message') ? { status } : {}),
        });
        expect(itemDigest(other)).toBe(itemDigest(one));
      }),
      { seed: 20261129, numRuns: 300 },
    );
  });
});

describe('reasoning', () => {
  const { 'reasoning:stored': stored, 'reasoning:encrypted': encrypted } = agentItemsByType(anyVocabulary);
  if (stored === undefined || encrypted === undefined) throw new Error('no arbitrary for reasoning');
  const reasoning = fc.oneof(stored, encrypted);

  test('reasoning has no digest', () => {
    fc.assert(
      fc.property(reasoning, (one) => {
        expect(canonicalForm(one)).toBeUndefined();
        expect(itemDigest(one)).toBeNull();
      }),
    );
  });

  test('reasoning leaves the digest of a history as it is, wherever it stands', () => {
    fc.assert(
      fc.property(anyHistory, reasoning, fc.nat(), (items, thought, at) => {
        expect(historyDigest(items.toSpliced(at % (items.length + 1), 0, thought))).toBe(
          historyDigest(items),
        );
      }),
    );
  });
});

describe('the digest of a history', () => {
  const one = itemDigest(message({ content: 'one' })) ?? '';
  const two = itemDigest(message({ content: 'two' })) ?? '';

  test('the digest of a history depends on order and on repetition', () => {
    const digests = [[], [one], [two], [one, two], [two, one], [one, one], [one, two, one]].map((items) =>
      items.reduce(extendDigest, EMPTY_DIGEST),
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('a digest is 43 characters that fit into any store', () => {
    for (const digest of [EMPTY_DIGEST, one, extendDigest(EMPTY_DIGEST, one)]) {
      expect(digest).toMatch(/^[\w-]{43}$/);
    }
  });

  test('a digest does not change between releases', () => {
    const history = [
      message({}),
      parts(text('a'), image({ detail: 'low' }), file({ filename: 'a.txt' })),
      answer({ phase: 'final_answer' }),
      call({ namespace: 'n' }),
      result([text('a'), image({})]),
      patch({ type: 'update_file', path: 'a', diff: '+', moveTo: 'b' }),
      patched({ status: 'failed' }),
      shell({ timeoutMs: 5 }),
      shellOutput({}),
      computer({}),
      screenshot('data:,'),
      program({}),
      search({ query: 'a', limit: null }),
      found({ type: 'function', name: 'a', deferLoading: true }),
      hosted('mcp_call', { server_label: 's', name: 't', arguments: '{}' }, { output: 'a' }),
      item({ type: 'compaction', encrypted_content: 'a' }),
      unknown({ type: 'custom_tool_call', call_id: 'c', name: 'n', input: 'a' }),
    ];
    expect(DIGEST_VERSION).toBe(1);
    expect(EMPTY_DIGEST).toBe('GSQqoUXnG0RvmA3qTZ6JOPhvRI87RR8QAsyrQ3E6gek');
    expect(historyDigest(history)).toBe('R1VYuqk_1UPpGp1O3H_rITdgJRTRoNdahCiWMi0rU-w');
  });
});
