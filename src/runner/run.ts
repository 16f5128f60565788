import type {
  Agent,
  AgentInputItem,
  NonStreamRunOptions,
  RunResult,
  RunState,
  StreamedRunResult,
  StreamRunOptions,
} from '@openai/agents';
import { HybridRunner } from './hybrid-runner.ts';

let runner: HybridRunner | undefined;

// The SDK's own signature, in which an agent's type parameters are open.
// oxlint-disable typescript/no-explicit-any
/**
 * The SDK's `run()`, with the same signature and results, that chains where the session is a `HybridSession`.
 *
 * @see HybridRunner
 */
export function run<TAgent extends Agent<any, any>, TContext = undefined>(
  agent: TAgent,
  input: string | AgentInputItem[] | RunState<TContext, TAgent>,
  options?: NonStreamRunOptions<TContext, TAgent>,
): Promise<RunResult<TContext, TAgent>>;
export function run<TAgent extends Agent<any, any>, TContext = undefined>(
  agent: TAgent,
  input: string | AgentInputItem[] | RunState<TContext, TAgent>,
  options?: StreamRunOptions<TContext, TAgent>,
): Promise<StreamedRunResult<TContext, TAgent>>;
export function run<TAgent extends Agent<any, any>, TContext = undefined>(
  agent: TAgent,
  input: string | AgentInputItem[] | RunState<TContext, TAgent>,
  options?: NonStreamRunOptions<TContext, TAgent> | StreamRunOptions<TContext, TAgent>,
): Promise<RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>> {
  runner ??= new HybridRunner();
  return options?.stream === true ? runner.run(agent, input, options) : runner.run(agent, input, options);
}
// oxlint-enable typescript/no-explicit-any
