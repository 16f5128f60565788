import {
  Runner,
  type Agent,
  type AgentInputItem,
  type NonStreamRunOptions,
  type RunConfig,
  type RunResult,
  type RunState,
  type StreamedRunResult,
  type StreamRunOptions,
} from '@openai/agents';
import { chainedModel } from '../model/chained-model.ts';
import { chainedProvider } from '../model/chained-provider.ts';
import { enterTool, withChain } from '../model/current-chain.ts';
import { chainOf } from './chain-of.ts';
import { modelName } from './model-name.ts';
import { sessionProvider } from './session-provider.ts';

/**
 * The SDK's `Runner`, with the same configuration, events and results, that lets the model continue from the previous
 * response where the session is a `HybridSession` and the context provably is the same.
 *
 * Without a `modelProvider` it uses the session's own client, so that responses and conversation live in one account. An
 * agent that holds a `Model` instance brings its own way to the server: wrap it with `chainedModel`.
 */
export class HybridRunner extends Runner {
  constructor(config: Partial<RunConfig> = {}) {
    const { model, modelProvider } = config;
    super({
      ...config,
      modelProvider: chainedProvider(modelProvider ?? sessionProvider()),
      ...(typeof model === 'object' ? { model: chainedModel(model) } : {}),
    });
    // An agent used as a tool is run by a runner of the SDK's own, which inherits the provider but has no session.
    this.on('agent_tool_start', (_context, _agent, tool) => {
      if (tool.type === 'function') enterTool();
    });
  }

  // The SDK's own signature, in which an agent's type parameters are open.
  // oxlint-disable typescript/no-explicit-any
  override run<TAgent extends Agent<any, any>, TContext = undefined>(
    agent: TAgent,
    input: string | AgentInputItem[] | RunState<TContext, TAgent>,
    options?: NonStreamRunOptions<TContext, TAgent>,
  ): Promise<RunResult<TContext, TAgent>>;
  override run<TAgent extends Agent<any, any>, TContext = undefined>(
    agent: TAgent,
    input: string | AgentInputItem[] | RunState<TContext, TAgent>,
    options?: StreamRunOptions<TContext, TAgent>,
  ): Promise<StreamedRunResult<TContext, TAgent>>;
  override run<TAgent extends Agent<any, any>, TContext = undefined>(
    agent: TAgent,
    input: string | AgentInputItem[] | RunState<TContext, TAgent>,
    options?: NonStreamRunOptions<TContext, TAgent> | StreamRunOptions<TContext, TAgent>,
  ): Promise<RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>> {
    return withChain(
      chainOf(options?.session),
      () => (options?.stream === true ? super.run(agent, input, options) : super.run(agent, input, options)),
      modelName(agent.model, this.config.model),
    );
  }
  // oxlint-enable typescript/no-explicit-any
}
