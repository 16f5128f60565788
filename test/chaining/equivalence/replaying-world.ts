import { MemorySession, OpenAIProvider, Runner } from '@openai/agents';
import { simulated } from '../../support/simulated.ts';
import { seeingModel } from './seeing-model.ts';
import type { World } from './world.ts';

/** The SDK's own runner and memory: every request carries the whole history. */
export function replayingWorld(): World {
  const { simulator, client } = simulated({ respond: seeingModel() });
  const modelProvider = new OpenAIProvider({ openAIClient: client });
  let session = new MemorySession();
  return {
    simulator,
    get session() {
      return session;
    },
    runner: (model) => new Runner({ model, modelProvider, tracingDisabled: true }),
    restart: () => undefined,
    async fork() {
      session = new MemorySession({ initialItems: await session.getItems() });
    },
    setMode: () => undefined,
    forget: async () => undefined,
  };
}
