import type { AgentInputItem, RunConfig, Runner } from '@openai/agents';
import { isObject, type JsonObject } from '../util/json.ts';
import type { FullHistoryReason } from '../chaining/history-reference.ts';
import { isChainedModel } from '../chaining/chained-model.ts';
import { classNames } from '../chaining/request.ts';

/** The options of a run that let app code see its history. */
export type ObservedRun = Partial<
  Pick<RunConfig, 'sessionInputCallback' | 'callModelInputFilter' | 'reasoningItemIdPolicy'>
> & {
  readonly conversationId?: string | undefined;
  readonly previousResponseId?: string | undefined;
  readonly errorHandlers?: object | undefined;
};

type RunInput = string | readonly AgentInputItem[];

/**
 * Finds the first reader of a run's history besides the model. Such a reader needs the full history.
 *
 * @returns undefined if only the model reads the history.
 */
export function historyObserver(
  runner: Runner,
  agent: { readonly inputGuardrails: readonly unknown[] },
  input: RunInput,
  options: ObservedRun,
): FullHistoryReason | undefined {
  const { config } = runner;
  if ((options.conversationId ?? options.previousResponseId) !== undefined) return 'caller_set';
  if ((options.sessionInputCallback ?? config.sessionInputCallback) !== undefined)
    return 'session_input_callback';
  if ((options.callModelInputFilter ?? config.callModelInputFilter) !== undefined)
    return 'model_input_filter';
  if ((options.reasoningItemIdPolicy ?? config.reasoningItemIdPolicy) === 'omit') return 'reasoning_policy';
  if (options.errorHandlers !== undefined) return 'error_handler';
  if (filled(config.inputGuardrails) || filled(agent.inputGuardrails)) return 'input_guardrail';
  if (config.handoffInputFilter !== undefined) return 'handoff_filter';
  // The runner itself has one, which reads the name alone.
  if (hasStartListener(runner, 1)) return 'agent_start_listener';
  if (typeof input === 'object' && input.some((item) => 'caller' in item)) return 'input_items';
  return agentObserver(agent, new Set());
}

/** Checks an agent and all of its handoffs. */
function agentObserver(agent: object, seen: Set<object>): FullHistoryReason | undefined {
  if (seen.has(agent)) return undefined;
  seen.add(agent);
  const { model, prompt, tools, handoffs }: JsonObject = { ...agent };
  if (classNames(agent).includes('SandboxAgent')) return 'sandbox';
  if (hasStartListener(agent)) return 'agent_start_listener';
  if (prompt !== undefined) return 'prompt';
  if (isObject(model) && !isChainedModel(model)) return 'own_model';
  if (Array.isArray(tools) && tools.some((tool: unknown) => usesToolSearch(tool))) return 'tool_search';
  for (const handoff of Array.isArray(handoffs) ? handoffs : []) {
    if (!isObject(handoff)) continue;
    if ((handoff['inputFilter'] ?? undefined) !== undefined) return 'handoff_filter';
    const observer = agentObserver(isObject(handoff['agent']) ? handoff['agent'] : handoff, seen);
    if (observer !== undefined) return observer;
  }
  return undefined;
}

/** Whether a tool is loaded by tool search, or is the search itself. */
function usesToolSearch(tool: unknown): boolean {
  if (!isObject(tool)) return false;
  const data = isObject(tool['providerData']) ? tool['providerData'] : {};
  return tool['deferLoading'] === true || data['defer_loading'] === true || data['type'] === 'tool_search';
}

/**
 * Whether there are `agent_start` listeners, which get the agent's input. True if they cannot be counted.
 *
 * @param own the number of listeners that ignore the input.
 */
function hasStartListener(emitter: object, own = 0): boolean {
  const events: unknown = Reflect.get(emitter, 'eventEmitter');
  const count: unknown =
    typeof events === 'object' && events !== null ? Reflect.get(events, 'listenerCount') : undefined;
  return typeof count !== 'function' || Number(count.call(events, 'agent_start')) > own;
}

function filled(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}
