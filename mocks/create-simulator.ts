import { OpenAIProvider, Runner } from '@openai/agents';
import OpenAI, { type ClientOptions } from 'openai';
import type { SimulatorOptions } from './options.ts';
import { createSimulatorCore, type SimulatorCore } from './simulator.ts';

/** Options of a client on a simulator; the simulator sets `fetch`. */
export type SimulatedClientOptions = Omit<ClientOptions, 'fetch'>;

/** Options of a runner on a simulator: those of the SDK, and the client in the place of a model provider. */
export interface SimulatedRunnerOptions extends Omit<
  NonNullable<ConstructorParameters<typeof Runner>[0]>,
  'modelProvider'
> {
  /** The client of the runner's models. @default a new `client()` */
  client?: OpenAI;
}

/** A simulator with clients and runners of its own. */
export interface Simulator extends SimulatorCore {
  /**
   * Creates the real `openai` client on this simulator. The environment has no part in it: the key is `test`, the base
   * URL that of the API, and the project one that no other simulator of the process has, so that knowledge about one
   * simulated server is not taken for knowledge about another.
   * @example
   * const session = new HybridSession({ client: simulator.client() });
   */
  client(options?: SimulatedClientOptions): OpenAI;
  /**
   * Creates the SDK's `Runner` on this simulator, without tracing. `run()` of the SDK keeps the client of its first
   * call for the whole process; a runner of each simulator does not.
   * @example
   * const result = await simulator.runner().run(agent, 'hi', { session });
   */
  runner(options?: SimulatedRunnerOptions): Runner;
}

let simulators = 0;

/**
 * Creates a simulator of the Conversations and Responses endpoints.
 * @throws RangeError for an unknown option, or a value that makes no sense.
 * @example
 * await using simulator = createSimulator({ unlink: 'every-turn' });
 * await simulator.runner().run(agent, 'hi');
 */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const core = createSimulatorCore(options);
  simulators += 1;
  const own = {
    apiKey: 'test',
    organization: null,
    project: `proj_simulator_${simulators}`,
    baseURL: 'https://api.openai.com/v1',
  };
  const client = (given: SimulatedClientOptions = {}): OpenAI =>
    new OpenAI({ ...own, ...given, fetch: core.fetch });
  const runner = ({ client: given, ...config }: SimulatedRunnerOptions = {}): Runner =>
    new Runner({
      tracingDisabled: true,
      ...config,
      modelProvider: new OpenAIProvider({ openAIClient: given ?? client() }),
    });
  return Object.assign(core, { client, runner });
}
