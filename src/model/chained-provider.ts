import type { Model, ModelProvider } from '@openai/agents';
import { chainedModel } from './chained-model.ts';

/** A provider whose models are `chainedModel`s. */
export function chainedProvider(base: ModelProvider): ModelProvider {
  return {
    ...forwarded(base),
    getModel: async (name?: string): Promise<Model> => chainedModel(await base.getModel(name)),
  };
}

/** What else a provider can do, such as being closed. */
function forwarded(base: ModelProvider): { close?: () => Promise<void> } {
  const close: unknown = Reflect.get(base, 'close');
  return typeof close === 'function' ? { close: async () => void (await close.call(base)) } : {};
}
