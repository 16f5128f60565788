import type { ModelAnswer, ModelRequest } from './answer.ts';
import { quote } from './item-name.ts';
import { reasons } from './model-traits.ts';
import { offeredTools } from './offered-tools.ts';
import { recite } from './recite.ts';
import { argumentsFor, requestedCalls } from './requested-calls.ts';
import { sampleOf } from '../samples/sample.ts';
import { isUserMessage, textOf, type SimulatorItem } from '../wire/item.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';
import { letterOf } from '../wire/outline.ts';

/**
 * The model without a script: it names the items in its context. A user text with `call <tool> {json}` makes it call
 * that tool, `refuse` on a line of its own makes it refuse, a `json_schema` format makes it answer with JSON that fits.
 */
export function builtInAnswer(context: readonly SimulatorItem[], request: ModelRequest): ModelAnswer {
  const { reasoning } = request;
  const isAskedWhy = isJsonObject(reasoning) && typeof reasoning['summary'] === 'string';
  const step =
    isAskedWhy && reasons(request.model, request) ? `Reading a context of ${context.length}` : undefined;
  return { ...(step === undefined ? {} : { reasoning: step }), ...answerTo(context, request) };
}

function answerTo(context: readonly SimulatorItem[], request: ModelRequest): ModelAnswer {
  const last = context.findLastIndex((item) => isUserMessage(item));
  const asked = last === -1 ? '' : textOf(context[last] ?? {});
  const since = context.slice(last + 1);
  const tools = offeredTools(request.tools, context).map(({ tool }) => tool);
  const rounds = requestedCalls(asked, tools);
  const isParallel = request['parallel_tool_calls'] !== false;
  const allowed = isParallel ? rounds : rounds.flat().map((call) => [call]);
  const calls = allowed[roundsIn(since)] ?? [];
  if (calls.length > 0 && request.tool_choice !== 'none') return { calls };
  const forced = forcedTool(request.tool_choice, tools);
  if (forced) {
    return { calls: [{ name: String(forced['name']), arguments: argumentsFor(forced) }] };
  }
  if (/^\s*refuse\s*$/im.test(asked)) return { refusal: "I'm sorry, but I can't help with that." };
  const outputs = since.filter((item) => letterOf(item) === 'r').map((item) => quote(textOf(item)));
  const sentence = recite(context);
  const text = outputs.length === 0 ? sentence : `${sentence}. The tools said ${outputs.join(' and ')}`;
  return { text: formatted(request.text, text) };
}

/** How often the model has called tools since the user spoke: a run of calls is one round. */
function roundsIn(items: readonly SimulatorItem[]): number {
  const letters = items.map((item) => letterOf(item));
  return letters.filter((letter, index) => letter === 'c' && letters[index - 1] !== 'c').length;
}

function forcedTool(choice: unknown, tools: readonly JsonObject[]): JsonObject | undefined {
  if (choice === 'required') return tools[0];
  if (!isJsonObject(choice) || choice['type'] !== 'function') return undefined;
  return tools.find((tool) => tool['name'] === choice['name']);
}

function formatted(format: unknown, text: string): string {
  const wanted = isJsonObject(format) ? format['format'] : undefined;
  if (!isJsonObject(wanted)) return text;
  if (wanted['type'] === 'json_schema') return JSON.stringify(sampleOf(wanted['schema'], text));
  return wanted['type'] === 'json_object' ? JSON.stringify({ answer: text }) : text;
}
