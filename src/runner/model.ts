import { getDefaultModel, type Model, OpenAIProvider, Runner, type ModelProvider } from '@openai/agents';
import type OpenAI from 'openai';
import { currentRun } from '../chaining/attribution.ts';
import { isObject, type JsonObject } from '../util/json.ts';
import { isChainedModel } from '../chaining/chained-model.ts';

/**
 * The model of the agent, or else of the runner, or else the SDK's default.
 *
 * @returns undefined for a `Model` instance, which has no public name.
 */
export function modelName(
  agentModel: string | Model | undefined,
  runnerModel: string | Model | undefined,
): string | undefined {
  const selected = [agentModel, runnerModel].find((model) => model !== undefined && model !== '');
  if (selected === undefined) return getDefaultModel();
  return typeof selected === 'string' ? selected : undefined;
}

/** Uses the client of the run's session; the SDK's default provider if the session has no client. */
export function sessionProvider(): ModelProvider {
  // The SDK does not export its default provider, but a runner without options has it.
  const fallback = new Runner().config.modelProvider;
  const providers = new WeakMap<OpenAI, ModelProvider>();
  return {
    getModel(name) {
      const client = currentRun()?.client;
      if (client === undefined) return fallback.getModel(name);
      let provider = providers.get(client);
      if (provider === undefined) {
        provider = new OpenAIProvider({ openAIClient: client });
        providers.set(client, provider);
      }
      return provider.getModel(name);
    },
  };
}

/** Whether an agent, or one of its handoffs, has its own `Model` without the wrapper of `chainedModel()`. */
export function bringsOwnModel(agent: object, seen: Set<object> = new Set()): boolean {
  if (seen.has(agent)) return false;
  seen.add(agent);
  const { model, handoffs }: JsonObject = { ...agent };
  if (isObject(model) && !isChainedModel(model)) return true;
  return (Array.isArray(handoffs) ? handoffs : []).some(
    (handoff: unknown) =>
      isObject(handoff) && bringsOwnModel(isObject(handoff['agent']) ? handoff['agent'] : handoff, seen),
  );
}
