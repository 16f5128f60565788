import type { ModelAnswer, ToolCall } from '../model/answer.ts';
import { logprobsOf } from '../model/logprobs.ts';
import type { OfferedTool } from '../model/offered-tools.ts';
import { frozenItem, type SimulatorItem } from '../wire/item.ts';
import { filledFields, itemFields } from '../wire/item-fields.ts';
import { isJsonObject, type JsonObject, ownEntry } from '../wire/json.ts';

/** How an answer becomes items. */
export interface OutputOptions {
  /** Makes an ID for a prefix. */
  readonly mint: (prefix: string) => string;
  readonly mintCall: () => string;
  /** Whether the model reasons before it answers. */
  readonly reasons: boolean;
  /** Whether messages carry a phase. */
  readonly marksPhase: boolean;
  /** How many other tokens each token has beside its probability; `undefined` without probabilities. */
  readonly topLogprobs: number | undefined;
  /** The tools that the model has, which decide the type and the namespace of a call. */
  readonly tools: readonly OfferedTool[];
}

/** Turns an answer into output items in the API's order: reasoning, message, tool calls, anything else. */
export function outputItems(answer: ModelAnswer, options: OutputOptions): SimulatorItem[] {
  const calls = answer.calls ?? [];
  const status = answer.incomplete === undefined ? 'completed' : 'incomplete';
  const items = [
    ...(options.reasons || answer.reasoning !== undefined ? [reasoningItem(answer.reasoning ?? '')] : []),
    ...messageItems(answer, status, options),
    ...calls.map((call) => callItem(call, status, options)),
    ...(answer.items ?? []).map(completed),
  ];
  return items.map((item) => {
    const type = typeof item['type'] === 'string' ? item['type'] : 'message';
    const id =
      typeof item['id'] === 'string'
        ? item['id']
        : options.mint(ownEntry(itemFields, type)?.prefix ?? 'item');
    return frozenItem(structuredClone({ ...item, id, type }));
  });
}

/** A raw item with the fields that the API gives each of its type. */
function completed(item: object): JsonObject {
  const given: JsonObject = { type: 'message', ...item };
  const type = String(given['type']);
  const { required = [], optional = [] } = ownEntry(itemFields, type) ?? {};
  const hasStatus = type !== 'reasoning' && [...required, ...optional].includes('status');
  const { content } = given;
  const parts = type === 'message' && Array.isArray(content) ? { content: content.map(completedPart) } : {};
  return {
    ...ownEntry(filledFields, type),
    ...(hasStatus ? { status: 'completed' } : {}),
    ...given,
    ...parts,
  };
}

function completedPart(part: unknown): unknown {
  const isText = isJsonObject(part) && part['type'] === 'output_text';
  return isText ? { annotations: [], logprobs: [], ...part } : part;
}

function reasoningItem(summary: string): JsonObject {
  return { type: 'reasoning', summary: summary === '' ? [] : [{ type: 'summary_text', text: summary }] };
}

/** A model that reasons comments on the calls it is going to make. */
function messageItems(answer: ModelAnswer, status: string, options: OutputOptions): JsonObject[] {
  const { refusal, calls = [] } = answer;
  const isComment = calls.length > 0;
  const comments = isComment && options.reasons && options.marksPhase;
  const text = answer.text ?? (comments ? 'I will use a tool.' : undefined);
  const phase = options.marksPhase ? { phase: isComment ? 'commentary' : 'final_answer' } : {};
  const message = { type: 'message', status, role: 'assistant', ...phase };
  if (refusal !== undefined) return [{ ...message, content: [{ type: 'refusal', refusal }] }];
  if (text === undefined) return [];
  const logprobs = options.topLogprobs === undefined ? [] : logprobsOf(text, options.topLogprobs);
  return [{ ...message, content: [{ type: 'output_text', annotations: [], logprobs, text }] }];
}

function callItem(call: ToolCall, status: string, options: OutputOptions): JsonObject {
  const { name, callId = options.mintCall(), arguments: given = '{}' } = call;
  const args = typeof given === 'string' ? given : JSON.stringify(given);
  const { tool, namespace } = options.tools.find((each) => each.tool['name'] === name) ?? {};
  const place = namespace === undefined ? {} : { namespace };
  if (tool?.['type'] === 'custom')
    return { type: 'custom_tool_call', call_id: callId, name, input: args, ...place };
  return { type: 'function_call', status, arguments: args, call_id: callId, name, ...place };
}
