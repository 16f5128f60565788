import { OpenAIProvider, Runner } from '@openai/agents';
import OpenAI from 'openai';
import { createSimulatorCore, type SimulatorCore, type SimulatorOptions } from '../../mocks/simulator.ts';

/** A world of its own, and the real client that talks to it. */
export interface Simulated {
  readonly simulator: SimulatorCore;
  readonly client: OpenAI;
}

/** The real client on a simulator. It does not retry: a test wants to see the first failure. */
export function simulated(options: SimulatorOptions = {}): Simulated {
  const simulator = createSimulatorCore({ unlink: 'none', ...options });
  return { simulator, client: simulatedClient(simulator) };
}

/** Another client on the same world. */
export function simulatedClient(simulator: SimulatorCore, maxRetries = 0): OpenAI {
  return new OpenAI({ apiKey: 'test', baseURL: 'http://127.0.0.1/v1', fetch: simulator.fetch, maxRetries });
}

/** The SDK's own runner on that client. */
export function simulatedRunner(client: OpenAI): Runner {
  return new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client }), tracingDisabled: true });
}
