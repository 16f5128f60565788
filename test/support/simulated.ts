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

/** A process remembers the behaviour of a server by its address and account: each world has a project of its own. */
const projects = new WeakMap<SimulatorCore, string>();
let worlds = 0;

function projectOf(simulator: SimulatorCore): string {
  let project = projects.get(simulator);
  if (project === undefined) projects.set(simulator, (project = `proj_${(worlds += 1)}`));
  return project;
}

/** Another client on the same world. */
export function simulatedClient(simulator: SimulatorCore, maxRetries = 0): OpenAI {
  const project = projectOf(simulator);
  const baseURL = 'http://127.0.0.1/v1';
  return new OpenAI({ apiKey: 'test', project, baseURL, fetch: simulator.fetch, maxRetries });
}

/** The SDK's own runner on that client. */
export function simulatedRunner(client: OpenAI): Runner {
  return new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client }), tracingDisabled: true });
}
