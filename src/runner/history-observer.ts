import type { AgentInputItem, RunConfig, Runner } from '@openai/agents';
import { isObject, type JsonObject } from '../ledger/json.ts';
import type { AnchorObstacle } from '../model/anchor.ts';
import { isChainedModel } from '../model/chained-model.ts';
import { classNames } from '../model/model-class.ts';

/** What a run is given, as far as it says who sees its history. */
export type ObservedRun = Partial<
  Pick<RunConfig, 'sessionInputCallback' | 'callModelInputFilter' | 'reasoningItemIdPolicy'>
> & {
  readonly conversationId?: string | undefined;
  readonly previousResponseId?: string | undefined;
  readonly errorHandlers?: object | undefined;
};

/** What the runner may be given besides the history. */
type RunInput = string | readonly AgentInputItem[];

/**
 * Who but the model would see the history of a run, and so has to be shown the whole of it.
 *
 * @returns undefined when nobody would.
 */
export function historyObserver(
  runner: Runner,
  agent: { readonly inputGuardrails: readonly unknown[] },
  input: RunInput,
  options: ObservedRun,
): AnchorObstacle | undefined {
  const { config } = runner;
  if ((options.conversationId ?? options.previousResponseId) !== undefined) return 'caller-set';
  if ((options.sessionInputCallback ?? config.sessionInputCallback) !== undefined)
    return 'session-input-callback';
  if ((options.callModelInputFilter ?? config.callModelInputFilter) !== undefined)
    return 'model-input-filter';
  if ((options.reasoningItemIdPolicy ?? config.reasoningItemIdPolicy) === 'omit') return 'reasoning-policy';
  if (options.errorHandlers !== undefined) return 'error-handler';
  if (filled(config.inputGuardrails) || filled(agent.inputGuardrails)) return 'input-guardrail';
  if (config.handoffInputFilter !== undefined) return 'handoff-filter';
  if (listens(runner)) return 'agent-start-listener';
  if (typeof input === 'object' && input.some((item) => 'caller' in item)) return 'input-items';
  return agentObserver(agent, new Set());
}

/** The same for an agent and all that it may hand over to. */
function agentObserver(agent: object, seen: Set<object>): AnchorObstacle | undefined {
  if (seen.has(agent)) return undefined;
  seen.add(agent);
  const { model, prompt, tools, handoffs }: JsonObject = { ...agent };
  if (classNames(agent).includes('SandboxAgent')) return 'sandbox';
  if (listens(agent)) return 'agent-start-listener';
  if (prompt !== undefined) return 'prompt';
  if (isObject(model) && !isChainedModel(model)) return 'own-model';
  if (Array.isArray(tools) && tools.some((tool: unknown) => searches(tool))) return 'tool-search';
  for (const one of Array.isArray(handoffs) ? handoffs : []) {
    if (!isObject(one)) continue;
    // A handoff that is more than an agent.
    if ((one['inputFilter'] ?? undefined) !== undefined) return 'handoff-filter';
    const observer = agentObserver(isObject(one['agent']) ? one['agent'] : one, seen);
    if (observer !== undefined) return observer;
  }
  return undefined;
}

/** A tool that is loaded when it is searched for, or the search itself. */
function searches(tool: unknown): boolean {
  if (!isObject(tool)) return false;
  const data = isObject(tool['providerData']) ? tool['providerData'] : {};
  return tool['deferLoading'] === true || data['defer_loading'] === true || data['type'] === 'tool_search';
}

/** Whether anybody is told what an agent starts with; where that cannot be known, somebody is. */
function listens(emitter: object): boolean {
  const events: unknown = Reflect.get(emitter, 'eventEmitter');
  const count: unknown =
    typeof events === 'object' && events !== null ? Reflect.get(events, 'listenerCount') : undefined;
  return typeof count !== 'function' || count.call(events, 'agent_start') !== 0;
}

function filled(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}
