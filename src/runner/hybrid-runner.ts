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
import { InvalidOptionsError } from '../errors/options.ts';
import type { ChainingPort } from '../chaining/port.ts';
import { chainedModel, chainedProvider } from '../chaining/chained-model.ts';
import { enterAgent, enterTool, withPort } from '../chaining/attribution.ts';
import {
  sessionWithReference,
  referenceFor,
  settle,
  settleError,
  settleStream,
  expandInput,
  expandState,
} from '../lazy/lazy-run.ts';
import { portOf, sessionOfRun } from './run-session.ts';
import { bringsOwnModel, modelName, sessionProvider } from './model.ts';
import { historyObserver, type ObservedRun } from '../lazy/history-observer.ts';

/**
 * Options of `HybridRunner`: the SDK's options of a runner, and `history`.
 *
 * @example
 * ```ts
 * const runner = new HybridRunner({ history: 'reference' });
 * ```
 */
export interface HybridRunnerConfig extends Partial<RunConfig> {
  /**
   * The history that the SDK's runner gets: `whole`: all items; `reference`: one small item in their place, so that turns have
   * constant size. If a callback, filter or guardrail reads the history, or the last response cannot be continued, a run
   * with `reference` gets the full history, and a `warning` event with code `full_history` gives the reason.
   *
   * @default 'whole'
   */
  readonly history?: 'whole' | 'reference' | undefined;
}

/**
 * The SDK's `Runner`, with the same options, events and results. With a `HybridSession`, a request continues from an earlier
 * response if the digests prove an equal context.
 *
 * Without a `modelProvider` it uses the session's own client, so that responses and conversation belong to one account. An
 * agent with its own `Model` instance never continues from a response, unless `chainedModel()` wraps the instance.
 *
 * @example
 * ```ts
 * const runner = new HybridRunner({ model: 'gpt-5' });
 * const result = await runner.run(agent, 'Hello', { session });
 * ```
 */
export class HybridRunner extends Runner {
  readonly #isLazy: boolean;

  /** @throws InvalidOptionsError if `history` is neither `'whole'` nor `'reference'`. */
  constructor({ history = 'whole', ...config }: HybridRunnerConfig = {}) {
    const { model, modelProvider } = config;
    if (history !== 'whole' && history !== 'reference')
      throw new InvalidOptionsError('history', "must be 'whole' or 'reference'", { subject: 'the runner' });
    super({
      ...config,
      modelProvider: chainedProvider(modelProvider ?? sessionProvider()),
      ...(typeof model === 'object' ? { model: chainedModel(model) } : {}),
    });
    this.#isLazy = history === 'reference';
    this.on('agent_start', (_context, agent) => enterAgent(agent.name));
    // The SDK runs an agent tool with its own runner, which inherits the provider but has no session.
    this.on('agent_tool_start', (_context, _agent, tool) => {
      if (tool.type === 'function') enterTool();
    });
  }

  // The SDK's own signature has open type parameters.
  // oxlint-disable typescript/no-explicit-any
  /**
   * The SDK's `run()`, with the same signature and results.
   *
   * @throws HistoryReferenceError if a resumed run refers to the history of another session, or to one that is gone.
   * @example
   * ```ts
   * const result = await runner.run(agent, 'Hello', { session });
   * ```
   */
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
    const { session } = options ?? {};
    const port = portOf(session);
    return withPort(
      port,
      async () => {
        const given = Array.isArray(input) ? await expandInput(input, port) : input;
        const reference = await this.#referenceFor(agent, given, options, port);
        const run = (
          own: typeof options,
        ): Promise<RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>> =>
          own?.stream === true ? super.run(agent, given, own) : super.run(agent, given, own);
        if (port === undefined || session === undefined) return run(options);
        const bound = sessionOfRun(session);
        if (reference === undefined) return run({ ...options, session: bound });
        try {
          const result = await run({ ...options, session: sessionWithReference(bound, reference) });
          if (options?.stream === true) settleStream(result, port);
          else await settle(result.state, port);
          return result;
        } catch (error) {
          await settleError(error, port);
          throw error;
        }
      },
      { model: modelName(agent.model, this.config.model), isBoundaryInUse: !bringsOwnModel(agent) },
    );
  }

  /** The reference item for a new run; undefined if the run needs the full history. Expands the state of a resumed run. */
  async #referenceFor<TAgent extends Agent<any, any>, TContext>(
    agent: TAgent,
    input: string | AgentInputItem[] | RunState<TContext, TAgent>,
    options: ObservedRun | undefined,
    port: ChainingPort | undefined,
  ): Promise<AgentInputItem | undefined> {
    if (typeof input === 'object' && !Array.isArray(input)) {
      await expandState(input, port);
      return undefined;
    }
    if (!this.#isLazy || port === undefined) return undefined;
    const observer = historyObserver(this, agent, input, options ?? {});
    if (observer === undefined) return referenceFor(port);
    port.history.reportFullHistory(observer);
    return undefined;
  }
  // oxlint-enable typescript/no-explicit-any
}
