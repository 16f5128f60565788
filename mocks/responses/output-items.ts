import type { ModelAnswer, ToolCall } from '../model/answer.ts';
import { frozenItem, type SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json-object.ts';

/** How an answer becomes items. */
export interface OutputOptions {
  /** Makes an ID for a prefix. */
  readonly mint: (prefix: string) => string;
  readonly mintCall: () => string;
  /** Whether the model reasons before it answers. */
  readonly reasons: boolean;
  /** Whether messages carry a phase. */
  readonly marksPhase: boolean;
}

/** Turns an answer into output items in the API's order: reasoning, message, tool calls. */
export function outputItems(answer: ModelAnswer, options: OutputOptions): SimulatorItem[] {
  const items: JsonObject[] = [];
  const calls = answer.calls ?? [];
  const status = answer.incomplete === undefined ? 'completed' : 'incomplete';
  if (options.reasons || answer.reasoning !== undefined) items.push(reasoningItem(answer.reasoning ?? ''));
  const comments = options.reasons && options.marksPhase && calls.length > 0 && answer.text === undefined;
  const text = comments ? 'I will use a tool.' : answer.text;
  const phase = options.marksPhase ? { phase: calls.length > 0 ? 'commentary' : 'final_answer' } : {};
  const message = { type: 'message', status, role: 'assistant', ...phase };
  if (answer.refusal !== undefined) {
    items.push({ ...message, content: [{ type: 'refusal', refusal: answer.refusal }] });
  } else if (text !== undefined) {
    items.push({ ...message, content: [{ type: 'output_text', annotations: [], logprobs: [], text }] });
  }
  for (const call of calls) items.push(callItem(call, status, options));
  return items.map((item) =>
    frozenItem({ id: options.mint(prefixOf(item)), type: String(item['type']), ...item }),
  );
}

function reasoningItem(summary: string): JsonObject {
  return { type: 'reasoning', summary: summary === '' ? [] : [{ type: 'summary_text', text: summary }] };
}

function callItem(call: ToolCall, status: string, options: OutputOptions): JsonObject {
  const { name, callId } = call;
  const args = call.arguments ?? '{}';
  return {
    type: 'function_call',
    status,
    arguments: typeof args === 'string' ? args : JSON.stringify(args),
    call_id: callId ?? options.mintCall(),
    name,
  };
}

function prefixOf(item: JsonObject): string {
  return item['type'] === 'reasoning' ? 'rs' : item['type'] === 'message' ? 'msg' : 'fc';
}
