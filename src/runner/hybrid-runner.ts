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
import { InvalidOptionsError } from '../errors/invalid-options-error.ts';
import type { Chain } from '../model/chain.ts';
import { chainedModel } from '../model/chained-model.ts';
import { chainedProvider } from '../model/chained-provider.ts';
import { enterTool, withChain } from '../model/current-chain.ts';
import { anchoredSession, anchorFor, settle, settleError, settleStream } from './anchored-run.ts';
import { expandInput, expandState } from './anchored-state.ts';
import { chainOf } from './chain-of.ts';
import { historyObserver, type ObservedRun } from './history-observer.ts';
import { modelName } from './model-name.ts';
import { sessionOfRun } from './session-of-run.ts';
import { sessionProvider } from './session-provider.ts';

/** The SDK's configuration of a runner, and how it is handed the history of a session. */
export interface HybridRunnerConfig extends Partial<RunConfig> {
  /**
   * What the SDK's runner is handed: the `whole` history, or where nobody but the model would see it a small `anchored` item
   * in its place, so that a turn costs the same however long the history is. Default `'whole'`.
   */
  readonly history?: 'whole' | 'anchored' | undefined;
}

/**
 * The SDK's `Runner`, with the same configuration, events and results, that lets the model continue from the previous
 * response where the session is a `HybridSession` and the context provably is the same.
 *
 * Without a `modelProvider` it uses the session's own client, so that responses and conversation live in one account. An
 * agent that holds a `Model` instance brings its own way to the server: wrap it with `chainedModel`.
 */
export class HybridRunner extends Runner {
  readonly #isAnchored: boolean;

  /** @throws InvalidOptionsError when `history` is neither `'whole'` nor `'anchored'`. */
  constructor({ history = 'whole', ...config }: HybridRunnerConfig = {}) {
    const { model, modelProvider } = config;
    if (history !== 'whole' && history !== 'anchored')
      throw new InvalidOptionsError('history', "must be 'whole' or 'anchored'", { subject: 'the runner' });
    super({
      ...config,
      modelProvider: chainedProvider(modelProvider ?? sessionProvider()),
      ...(typeof model === 'object' ? { model: chainedModel(model) } : {}),
    });
    this.#isAnchored = history === 'anchored';
    // An agent used as a tool is run by a runner of the SDK's own, which inherits the provider but has no session.
    this.on('agent_tool_start', (_context, _agent, tool) => {
      if (tool.type === 'function') enterTool();
    });
  }

  // The SDK's own signature, in which an agent's type parameters are open.
  // oxlint-disable typescript/no-explicit-any
  /** The SDK's `run()`. @throws HistoryAnchorError when a run is resumed whose history is of another session. */
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
    const chain = chainOf(session);
    return withChain(
      chain,
      async () => {
        const given = Array.isArray(input) ? await expandInput(input, chain) : input;
        const anchor = await this.#anchorOf(agent, given, options, chain);
        const run = (
          own: typeof options,
        ): Promise<RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>> =>
          own?.stream === true ? super.run(agent, given, own) : super.run(agent, given, own);
        if (chain === undefined || session === undefined) return run(options);
        const bound = sessionOfRun(session);
        if (anchor === undefined) return run({ ...options, session: bound });
        try {
          const result = await run({ ...options, session: anchoredSession(bound, anchor) });
          if (options?.stream === true) settleStream(result, chain);
          else await settle(result.state, chain);
          return result;
        } catch (error) {
          await settleError(error, chain);
          throw error;
        }
      },
      modelName(agent.model, this.config.model),
    );
  }

  /** What stands for the history of a run that begins, if anything does. */
  async #anchorOf<TAgent extends Agent<any, any>, TContext>(
    agent: TAgent,
    input: string | AgentInputItem[] | RunState<TContext, TAgent>,
    options: ObservedRun | undefined,
    chain: Chain | undefined,
  ): Promise<AgentInputItem | undefined> {
    if (typeof input === 'object' && !Array.isArray(input)) {
      await expandState(input, chain);
      return undefined;
    }
    if (!this.#isAnchored || chain === undefined) return undefined;
    const observer = historyObserver(this, agent, input, options ?? {});
    if (observer === undefined) return anchorFor(chain);
    chain.history.unanchored(observer);
    return undefined;
  }
  // oxlint-enable typescript/no-explicit-any
}
