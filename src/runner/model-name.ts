import { getDefaultModel, type Model } from '@openai/agents';

/**
 * The name of the model that the SDK will ask: the agent's, else the runner's, else the default.
 *
 * @returns undefined for a `Model` instance, which does not say its name.
 */
export function modelName(
  agentModel: string | Model | undefined,
  runnerModel: string | Model | undefined,
): string | undefined {
  const selected = [agentModel, runnerModel].find((one) => one !== undefined && one !== '');
  if (selected === undefined) return getDefaultModel();
  return typeof selected === 'string' ? selected : undefined;
}
