import { OpenAIProvider, Runner, type ModelProvider } from '@openai/agents';
import type OpenAI from 'openai';
import { currentRun } from '../model/current-chain.ts';

/** Models on the client of the run's session; the SDK's default provider where the session was given no client. */
export function sessionProvider(): ModelProvider {
  // The SDK does not export its default provider, but every runner without one of its own holds it.
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
