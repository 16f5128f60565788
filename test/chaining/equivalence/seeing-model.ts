import { createHash } from 'node:crypto';
import {
  textOf,
  type ModelAnswer,
  type ModelRequest,
  type Respond,
  type SimulatorItem,
  type ToolCall,
} from '../../../mocks/index.ts';
import { comparableContext, isWithoutParent } from './comparable-context.ts';

/**
 * A model whose answer is a function of what it sees, so that two worlds answer alike exactly as long as they show it the
 * same. Only its call IDs also count its calls, since no two calls share one.
 *
 * `act 2x3` makes it call tools in two rounds, three at a time, and hand off where a handoff is among the tools; `search`
 * makes it use a hosted tool before it answers.
 */
export function seeingModel(): Respond {
  let called = 0;
  return (context, request) => {
    const sight = sightOf(context, request);
    const calls = callsOf(context, request, sight);
    if (calls.length === 0) return answerOf(context, request, sight);
    // An answer that lacks what the request continues is thrown away: the same is asked once more.
    if (!isWithoutParent(request, context)) called += 1;
    return { calls: calls.map((call, index) => ({ ...call, callId: `call_${called}_${index}_${sight}` })) };
  };
}

function callsOf(context: readonly SimulatorItem[], request: ModelRequest, sight: number): ToolCall[] {
  const last = lastQuestion(context);
  const [, rounds = '0', width = '0'] = /act (\d)x(\d)/.exec(questionOf(context)) ?? [];
  const tools = toolNames(request.tools);
  if (tools.length === 0 || roundsIn(context.slice(last + 1)) >= Number(rounds)) return [];
  return Array.from({ length: Number(width) }, (_, index) => {
    const name = tools[(sight + index) % tools.length] ?? '';
    return { name, arguments: name.startsWith('transfer_') ? {} : { input: `about ${sight % 97}` } };
  });
}

function answerOf(context: readonly SimulatorItem[], request: ModelRequest, sight: number): ModelAnswer {
  const search = {
    type: 'web_search_call',
    status: 'completed',
    action: { type: 'search', query: `${sight}` },
  };
  return {
    text: isStructured(request.text) ? JSON.stringify({ answer: `${sight}` }) : `I see ${sight}`,
    ...(questionOf(context).includes('search') ? { items: [search] } : {}),
  };
}

function lastQuestion(context: readonly SimulatorItem[]): number {
  return context.findLastIndex((item) => item.type === 'message' && item['role'] === 'user');
}

function questionOf(context: readonly SimulatorItem[]): string {
  return textOf(context[lastQuestion(context)] ?? {});
}

/** A number that two contexts share only when a model reads the same in both. */
function sightOf(context: readonly SimulatorItem[], { model, instructions }: ModelRequest): number {
  const text = JSON.stringify([model, instructions, comparableContext(context)]);
  return createHash('sha256').update(text).digest().readUInt32BE();
}

function toolNames(tools: unknown): string[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) =>
    typeof tool === 'object' && tool !== null && 'name' in tool ? [String(tool.name)] : [],
  );
}

/** How often tools were called: calls side by side are one round. */
function roundsIn(items: readonly SimulatorItem[]): number {
  const calls = items.map(({ type }) => type === 'function_call');
  return calls.filter((isCall, index) => isCall && calls[index - 1] !== true).length;
}

function isStructured(text: unknown): boolean {
  return JSON.stringify(text ?? {}).includes('json_schema');
}
