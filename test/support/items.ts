import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import {
  anyVocabulary,
  assistantPart,
  media,
  record,
  toolOutput,
  userPart,
  type Vocabulary,
} from './content.ts';

/**
 * Items as a user, a tool or the SDK makes them, by type. Items that only a server makes are in `api-items.ts`.
 */
export function agentItemsByType(
  vocabulary: Vocabulary,
): Readonly<Record<string, Arbitrary<AgentInputItem>>> {
  const { text, word } = vocabulary;
  const id = word.map((name) => `item_${name}`);
  const callId = word.map((name) => `call_${name}`);
  const status = fc.constantFrom('in_progress', 'completed', 'incomplete');
  const caller = fc.oneof(
    record({ type: fc.constant('direct') }),
    record({ type: fc.constant('program'), callerId: callId }),
  );
  const safetyChecks = fc.array(record({ id, code: word, message: text }), { maxLength: 2 });
  const screenshot = fc.oneof(media(vocabulary).dataUrl, media(vocabulary).url);
  const kinds: Record<string, Arbitrary<object>> = {
    'message:user': record(
      {
        role: fc.constant('user'),
        content: fc.oneof(text, fc.array(userPart(vocabulary), { maxLength: 4 })),
      },
      { type: fc.constant('message'), id },
    ),
    'message:system': record(
      { role: fc.constant('system'), content: text },
      { type: fc.constant('message'), id },
    ),
    'message:assistant': record(
      {
        role: fc.constant('assistant'),
        status,
        content: fc.array(assistantPart(vocabulary), { maxLength: 4 }),
      },
      { type: fc.constant('message'), id, phase: fc.constantFrom('commentary', 'final_answer') },
    ),
    'reasoning:stored': record(
      {
        type: fc.constant('reasoning'),
        id,
        content: fc.array(record({ type: fc.constant('input_text'), text }), { maxLength: 2 }),
      },
      { rawContent: fc.array(record({ type: fc.constant('reasoning_text'), text }), { maxLength: 2 }) },
    ),
    'reasoning:encrypted': record({
      type: fc.constant('reasoning'),
      content: fc.array(record({ type: fc.constant('input_text'), text }), { maxLength: 2 }),
      providerData: fc.oneof(record({ encryptedContent: word }), record({ encrypted_content: word })),
    }),
    function_call: record(
      { type: fc.constant('function_call'), callId, name: word, arguments: fc.oneof(text, fc.json()) },
      { id, status, namespace: word, caller },
    ),
    function_call_result: record(
      {
        type: fc.constant('function_call_result'),
        callId,
        name: word,
        status,
        output: toolOutput(vocabulary),
      },
      { id, namespace: word, caller },
    ),
    computer_call: fc
      .tuple(
        record(
          { type: fc.constant('computer_call'), callId, status },
          { id, providerData: record({}, { pendingSafetyChecks: safetyChecks }) },
        ),
        actions(vocabulary),
      )
      .map(([call, action]) => ({ ...call, ...action })),
    computer_call_result: record(
      {
        type: fc.constant('computer_call_result'),
        callId,
        output: record({ type: fc.constant('computer_screenshot'), data: screenshot }),
      },
      { id, providerData: record({}, { acknowledgedSafetyChecks: safetyChecks }) },
    ),
    shell_call: record(
      {
        type: fc.constant('shell_call'),
        callId,
        action: record(
          { commands: fc.array(text, { maxLength: 3 }) },
          { timeoutMs: fc.nat(), maxOutputLength: fc.nat() },
        ),
      },
      { id, status, caller },
    ),
    shell_call_output: record(
      {
        type: fc.constant('shell_call_output'),
        callId,
        output: fc.array(
          record({
            stdout: text,
            stderr: text,
            outcome: fc.oneof(
              record({ type: fc.constant('timeout') }),
              record({ type: fc.constant('exit'), exitCode: fc.option(fc.integer({ min: 0, max: 2 })) }),
            ),
          }),
          { maxLength: 3 },
        ),
      },
      { id, status, maxOutputLength: fc.nat(), caller },
    ),
    apply_patch_call: record(
      {
        type: fc.constant('apply_patch_call'),
        callId,
        status: fc.constantFrom('in_progress', 'completed'),
        operation: fc.oneof(
          record({ type: fc.constant('create_file'), path: word, diff: text }),
          record({ type: fc.constant('update_file'), path: word, diff: text }, { moveTo: word }),
          record({ type: fc.constant('delete_file'), path: word }),
        ),
      },
      { id, caller },
    ),
    apply_patch_call_output: record(
      {
        type: fc.constant('apply_patch_call_output'),
        callId,
        status: fc.constantFrom('completed', 'failed'),
      },
      { id, output: text, caller },
    ),
    program: record({ type: fc.constant('program'), id, callId, code: text, fingerprint: word }),
    program_output: record({
      type: fc.constant('program_output'),
      id,
      callId,
      output: text,
      status: fc.constantFrom('completed', 'incomplete'),
    }),
    tool_search_call: record(
      {
        type: fc.constant('tool_search_call'),
        callId,
        execution: fc.constantFrom('client', 'server'),
        arguments: toolArguments(vocabulary),
      },
      { id, status },
    ),
    tool_search_output: record(
      {
        type: fc.constant('tool_search_output'),
        callId,
        execution: fc.constantFrom('client', 'server'),
        tools: fc.array(foundTool(vocabulary), { maxLength: 2 }),
      },
      { id, status, toolSearchAgentName: word },
    ),
    mcp_approval_response: record({
      type: fc.constant('hosted_tool_call'),
      name: fc.constant('mcp_approval_response'),
      providerData: record({ approve: fc.boolean(), approval_request_id: id }, { reason: text }),
    }),
    compaction: record(
      { type: fc.constant('compaction'), encrypted_content: word },
      { id, created_by: word },
    ),
    custom_tool_call: record(
      {
        type: fc.constant('unknown'),
        providerData: record({
          type: fc.constant('custom_tool_call'),
          call_id: callId,
          name: word,
          input: text,
        }),
      },
      { id },
    ),
    custom_tool_call_output: record(
      {
        type: fc.constant('unknown'),
        providerData: record({ type: fc.constant('custom_tool_call_output'), call_id: callId, output: text }),
      },
      { id },
    ),
  };
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, item]) => [kind, item.map((value) => value as AgentInputItem)]),
  );
}

/** Any item, of any type. */
export const anyItem: Arbitrary<AgentInputItem> = fc.oneof(...Object.values(agentItemsByType(anyVocabulary)));

/** A turn with calls made at once, whose results come back in any order. */
const parallelCalls: Arbitrary<AgentInputItem[]> = fc
  .uniqueArray(anyVocabulary.word, { minLength: 2, maxLength: 4 })
  .chain((names) => fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })))
  .map(([names, answered]) => [
    ...names.map((name): AgentInputItem => ({
      type: 'function_call',
      callId: `call_${name}`,
      name: 'lookup',
      arguments: '{}',
      status: 'completed',
    })),
    ...answered.map((name): AgentInputItem => ({
      type: 'function_call_result',
      callId: `call_${name}`,
      name: 'lookup',
      status: 'completed',
      output: name,
    })),
  ]);

/** A history of any items, among them turns with parallel calls. */
export const anyHistory: Arbitrary<AgentInputItem[]> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: anyItem.map((item) => [item]) },
      { weight: 1, arbitrary: parallelCalls },
    ),
    {
      maxLength: 8,
    },
  )
  .map((turns) => turns.flat());

/** The arguments of a tool search: any JSON that its schema allows. */
function toolArguments({ text, word }: Vocabulary): Arbitrary<unknown> {
  const value = fc.oneof(text, fc.nat(), fc.boolean(), fc.constant(null));
  return fc.dictionary(
    word,
    fc.oneof(value, fc.array(value, { maxLength: 2 }), fc.dictionary(word, value, { maxKeys: 2 })),
    {
      maxKeys: 3,
      noNullPrototype: true,
    },
  );
}

/** A tool as a search finds it, in the SDK's naming. */
export function foundTool(vocabulary: Vocabulary): Arbitrary<object> {
  const { text, word } = vocabulary;
  const schema = record({
    type: fc.constant('object'),
    properties: fc.dictionary(word, record({ type: fc.constant('string') }, { description: text }), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
  });
  const tool = record(
    { type: fc.constant('function'), name: word, parameters: schema },
    { description: text, deferLoading: fc.boolean(), outputSchema: schema },
  );
  return fc.oneof(
    tool,
    record({ type: fc.constant('tool_reference'), functionName: word }, { namespace: word }),
    record({ type: fc.constant('namespace'), name: word, tools: fc.array(tool, { maxLength: 2 }) }),
  );
}

function actions({ text }: Vocabulary): Arbitrary<Record<string, unknown>> {
  const point = { x: fc.nat(), y: fc.nat() };
  const action = fc.oneof(
    record({ type: fc.constant('screenshot') }),
    record({ type: fc.constant('click'), ...point, button: fc.constantFrom('left', 'right') }),
    record({ type: fc.constant('scroll'), ...point, scroll_x: fc.integer(), scroll_y: fc.integer() }),
    record({ type: fc.constant('type'), text }),
    record({ type: fc.constant('keypress'), keys: fc.array(text, { maxLength: 2 }) }),
    record({ type: fc.constant('drag'), path: fc.array(record(point), { maxLength: 2 }) }),
  );
  return fc.oneof(record({ action }), record({ actions: fc.array(action, { minLength: 1, maxLength: 3 }) }));
}
