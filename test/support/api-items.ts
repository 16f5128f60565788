import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { media, record, type Vocabulary } from './content.ts';
import { foundTool } from './items.ts';

/** An item as the API shows it. */
export type ApiJson = Readonly<Record<string, unknown>>;

/**
 * Items of responses, by type, each with its ID: the outputs of models and of hosted tools.
 * Types that the installed SDK does not know are among them.
 */
export function apiItemsByType(vocabulary: Vocabulary): Readonly<Record<string, Arbitrary<ApiJson>>> {
  const { text, word } = vocabulary;
  const callId = word.map((name) => `call_${name}`);
  const annotation = record({ type: fc.constant('file_citation'), file_id: word, index: fc.nat() });
  const outputText = record({
    type: fc.constant('output_text'),
    text,
    annotations: fc.array(annotation, { maxLength: 2 }),
    logprobs: fc.constant([]),
  });
  const inputText = record({ type: fc.constant('input_text'), text });
  const attributes = fc.dictionary(word, text, { maxKeys: 2, noNullPrototype: true });
  const caller = fc.oneof(
    record({ type: fc.constant('direct') }),
    record({ type: fc.constant('program'), caller_id: callId }),
  );
  const schema = record({
    type: fc.constant('object'),
    properties: fc.dictionary(word, record({ type: fc.constant('string') }), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
  });
  return {
    'message:assistant': made('message', 'msg', {
      role: fc.constant('assistant'),
      phase: fc.option(fc.constantFrom('commentary', 'final_answer')),
      content: fc.array(fc.oneof(outputText, record({ type: fc.constant('refusal'), refusal: text })), {
        maxLength: 3,
      }),
    }),
    'message:developer': made('message', 'msg', {
      role: fc.constant('developer'),
      content: fc.array(inputText, { minLength: 1, maxLength: 2 }),
    }),
    'message:user': made('message', 'msg', {
      role: fc.constant('user'),
      content: fc.array(
        fc.oneof(
          inputText,
          record({
            type: fc.constant('input_image'),
            image_url: fc.option(media(vocabulary).url),
            file_id: fc.option(media(vocabulary).fileId),
            detail: fc.constantFrom('auto', 'low', 'high'),
          }),
          record({ type: fc.constant('input_audio'), data: media(vocabulary).base64 }),
        ),
        { maxLength: 3 },
      ),
    }),
    reasoning: made('reasoning', 'rs', {
      summary: fc.array(record({ type: fc.constant('summary_text'), text }), { maxLength: 2 }),
      encrypted_content: fc.option(word),
    }),
    function_call: made('function_call', 'fc', { call_id: callId, name: word, arguments: text, caller }),
    function_call_output: made('function_call_output', 'fco', {
      call_id: callId,
      output: fc.oneof(text, fc.array(fc.oneof(inputText, outputText), { maxLength: 2 })),
    }),
    web_search_call: made('web_search_call', 'ws', {
      action: fc.oneof(
        record(
          { type: fc.constant('search'), query: text, queries: fc.array(text, { maxLength: 2 }) },
          { sources: fc.array(record({ type: fc.constant('url'), url: word }), { maxLength: 2 }) },
        ),
        record({ type: fc.constant('open_page'), url: word }),
        record({ type: fc.constant('find_in_page'), url: word, pattern: text }),
      ),
    }),
    file_search_call: made('file_search_call', 'fs', {
      queries: fc.array(text, { maxLength: 2 }),
      results: fc.option(
        fc.array(record({ file_id: word, text, score: fc.nat(), attributes }), { maxLength: 2 }),
      ),
    }),
    code_interpreter_call: made('code_interpreter_call', 'ci', {
      code: fc.option(text),
      container_id: word,
      outputs: fc.option(fc.array(record({ type: fc.constant('logs'), logs: text }), { maxLength: 2 })),
      caller,
    }),
    image_generation_call: made('image_generation_call', 'ig', {
      result: fc.option(media(vocabulary).base64),
      quality: fc.constantFrom('low', 'high'),
      revised_prompt: fc.option(text),
    }),
    mcp_list_tools: made(
      'mcp_list_tools',
      'mcpl',
      {
        server_label: word,
        tools: fc.array(
          record({
            name: word,
            input_schema: schema,
            description: fc.option(text),
            annotations: fc.option(attributes),
          }),
          {
            maxLength: 2,
          },
        ),
        error: fc.option(text),
      },
      [],
    ),
    mcp_approval_request: made(
      'mcp_approval_request',
      'mcpr',
      { server_label: word, name: word, arguments: text },
      [],
    ),
    mcp_approval_response: made(
      'mcp_approval_response',
      'mcpa',
      { approval_request_id: word, approve: fc.boolean(), reason: fc.option(text) },
      [],
    ),
    mcp_call: made('mcp_call', 'mcp', {
      server_label: word,
      name: word,
      arguments: text,
      output: fc.option(text),
      error: fc.option(text),
      approval_request_id: fc.option(word),
    }),
    computer_call: made('computer_call', 'cu', {
      call_id: callId,
      action: fc.oneof(
        record({ type: fc.constant('click'), x: fc.nat(), y: fc.nat(), button: fc.constant('left') }),
        record({ type: fc.constant('type'), text }),
      ),
      pending_safety_checks: fc.array(record({ id: word, code: fc.option(word), message: fc.option(text) }), {
        maxLength: 2,
      }),
    }),
    computer_call_output: made('computer_call_output', 'cuo', {
      call_id: callId,
      output: record({ type: fc.constant('computer_screenshot'), image_url: media(vocabulary).url }),
      acknowledged_safety_checks: fc.array(record({ id: word, code: word, message: text }), { maxLength: 2 }),
    }),
    shell_call: made('shell_call', 'sh', {
      call_id: callId,
      action: record({
        commands: fc.array(text, { maxLength: 2 }),
        timeout_ms: fc.option(fc.nat()),
        max_output_length: fc.option(fc.nat()),
      }),
      environment: fc.constant({ type: 'local' }),
      caller,
    }),
    shell_call_output: made('shell_call_output', 'sho', {
      call_id: callId,
      output: fc.array(
        record({
          stdout: text,
          stderr: text,
          outcome: fc.oneof(
            record({ type: fc.constant('timeout') }),
            record({ type: fc.constant('exit'), exit_code: fc.integer() }),
          ),
        }),
        { maxLength: 2 },
      ),
      max_output_length: fc.option(fc.nat()),
    }),
    apply_patch_call: made('apply_patch_call', 'apc', {
      call_id: callId,
      operation: record({ type: fc.constant('update_file'), path: word, diff: text }, { move_to: word }),
    }),
    apply_patch_call_output: made(
      'apply_patch_call_output',
      'apco',
      { call_id: callId, output: fc.option(text) },
      ['completed', 'failed'],
    ),
    program: made('program', 'prg', { call_id: callId, code: text, fingerprint: word }, []),
    program_output: made('program_output', 'prgo', { call_id: callId, result: text }),
    tool_search_call: made('tool_search_call', 'tsc', {
      call_id: fc.option(callId),
      execution: fc.constantFrom('server', 'client'),
      arguments: fc.oneof(attributes, fc.array(word, { maxLength: 2 }), record({ limit: fc.constant(null) })),
    }),
    tool_search_output: made('tool_search_output', 'tso', {
      call_id: fc.option(callId),
      execution: fc.constantFrom('server', 'client'),
      tools: fc.array(
        foundTool(vocabulary).map((tool) => inApiNames(tool)),
        { maxLength: 2 },
      ),
    }),
    compaction: made('compaction', 'cmp', { encrypted_content: word, created_by: word }, []),
    custom_tool_call: made('custom_tool_call', 'ctc', { call_id: callId, name: word, input: text }, []),
    custom_tool_call_output: made('custom_tool_call_output', 'ctco', {
      call_id: callId,
      output: fc.oneof(text, fc.array(fc.oneof(inputText, outputText), { maxLength: 2 })),
    }),
    local_shell_call: made('local_shell_call', 'lsh', {
      call_id: callId,
      action: record({
        type: fc.constant('exec'),
        command: fc.array(text, { maxLength: 2 }),
        env: attributes,
      }),
    }),
    local_shell_call_output: made('local_shell_call_output', 'lsho', { output: text }),
    additional_tools: made(
      'additional_tools',
      'at',
      {
        role: fc.constant('developer'),
        tools: fc.array(record({ type: fc.constant('function'), name: word, parameters: schema }), {
          maxLength: 2,
        }),
      },
      [],
    ),
    configuration_update: made(
      'configuration_update',
      'cu',
      { reasoning: record({ effort: fc.constantFrom('low', 'high') }) },
      [],
    ),
    'a type of the future': made('telepathy_call', 'tp', { thought: text, call_id: callId }),
  };
}

/** The fields that the SDK renames in a found tool. */
function inApiNames(tool: object): object {
  const names = new Map([
    ['functionName', 'function_name'],
    ['deferLoading', 'defer_loading'],
    ['outputSchema', 'output_schema'],
  ]);
  return Object.fromEntries(
    Object.entries(tool).map(([key, value]: [string, unknown]) => [
      names.get(key) ?? key,
      key === 'tools' && Array.isArray(value) ? value.map((inner: object) => inApiNames(inner)) : value,
    ]),
  );
}

function made(
  type: string,
  prefix: string,
  fields: Readonly<Record<string, Arbitrary<unknown>>>,
  status: readonly string[] = ['completed', 'in_progress'],
): Arbitrary<ApiJson> {
  return record({
    type: fc.constant(type),
    id: fc.stringMatching(/^[0-9a-f]{8}$/).map((hex) => `${prefix}_${hex}`),
    ...(status.length === 0 ? {} : { status: fc.constantFrom(...status) }),
    ...fields,
  });
}
