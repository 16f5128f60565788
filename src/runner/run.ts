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

// The SDK's own signature has open type parameters.
// oxlint-disable typescript/no-explicit-any
/**
 * The SDK's `run()`, with the same signature and results. With a `HybridSession`, requests continue from earlier responses.
 *
 * @see HybridRunner
 * @throws HistoryReferenceError if a resumed run refers to the history of another session, or to one that is gone.
 * @example
 * ```ts
 * const result = await run(agent, 'Hello', { session });
 * ```
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
