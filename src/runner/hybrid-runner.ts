import {
  Runner,
  type Agent,
  type AgentInputItem,
  type NonStreamRunOptions,
  type RunConfig,
  type RunResult,
  type RunState,
  type Session,
  type StreamedRunResult,
  type StreamRunOptions,
} from '@openai/agents';
import { InvalidOptionsError } from '../errors/options.ts';
import type { ChainingPort, RunRecorder } from '../chaining/port.ts';
import { chainedModel, chainedProvider } from '../chaining/chained-model.ts';
import { currentRun, enterAgent, enterTool, withPort } from '../chaining/attribution.ts';
import {
  beforeStreamEnds,
  sessionWithReference,
  referenceFor,
  settle,
  settleError,
  settleStream,
  expandInput,
  expandState,
} from '../lazy/lazy-run.ts';
import { portOf, recorderOf, sessionOfRun } from './run-session.ts';
import { endOfFailure, endOfResult } from './run-end.ts';
import { INTERRUPTED_CALLS, isInterruptedCalls, type InterruptedCalls } from '../items/tool-calls.ts';
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
  /**
   * The time at which the session gets the items of a run: `at-end`: when the SDK's runner saves them, at the end of a run that ends
   * well; `as-it-goes`: the ledger has the input before the model is asked, and each response and tool result as soon as it is
   * known. A run that throws, is aborted or whose process dies then leaves its items in the history. A run that ends well leaves the
   * same items either way. In the modes `off` and `shadow` it has no effect.
   *
   * @default 'at-end'
   */
  readonly record?: 'at-end' | 'as-it-goes' | undefined;
  /**
   * The answer to tool calls that an interrupted run has left open: a result with this text, or `'drop'`, which leaves the calls
   * out. It applies to runs that this runner records, and to interrupted runs that it finds when it begins a run.
   *
   * @default a result that says that the run was interrupted
   */
  readonly interruptedCalls?: InterruptedCalls | undefined;
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
  readonly #isRecorded: boolean;
  readonly #interruptedCalls: InterruptedCalls;

  /** @throws InvalidOptionsError if `history`, `record` or `interruptedCalls` is none of its values. */
  constructor({
    history = 'whole',
    record = 'at-end',
    interruptedCalls = INTERRUPTED_CALLS,
    ...config
  }: HybridRunnerConfig = {}) {
    const { model, modelProvider } = config;
    if (history !== 'whole' && history !== 'reference')
      throw new InvalidOptionsError('history', "must be 'whole' or 'reference'", { subject: 'the runner' });
    if (record !== 'at-end' && record !== 'as-it-goes')
      throw new InvalidOptionsError('record', "must be 'at-end' or 'as-it-goes'", { subject: 'the runner' });
    if (!isInterruptedCalls(interruptedCalls))
      throw new InvalidOptionsError('interruptedCalls', "must be 'drop' or { result: 'a text' }", {
        subject: 'the runner',
      });
    super({
      ...config,
      modelProvider: chainedProvider(modelProvider ?? sessionProvider()),
      ...(typeof model === 'object' ? { model: chainedModel(model) } : {}),
    });
    this.#isLazy = history === 'reference';
    this.#isRecorded = record === 'as-it-goes';
    this.#interruptedCalls = interruptedCalls;
    this.on('agent_start', (_context, agent) => enterAgent(agent.name));
    // The SDK runs an agent tool with its own runner, which inherits the provider but has no session.
    this.on('agent_tool_start', (_context, _agent, tool) => {
      if (tool.type === 'function') enterTool();
    });
    this.on('agent_tool_end', (_context, _agent, tool, result, { toolCall }) => {
      if (tool.type === 'function' && toolCall.type === 'function_call')
        currentRun()?.outerRecorder?.executed(toolCall.callId, result);
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
  override async run<TAgent extends Agent<any, any>, TContext = undefined>(
    agent: TAgent,
    input: string | AgentInputItem[] | RunState<TContext, TAgent>,
    options?: NonStreamRunOptions<TContext, TAgent> | StreamRunOptions<TContext, TAgent>,
  ): Promise<RunResult<TContext, TAgent> | StreamedRunResult<TContext, TAgent>> {
    const { session, signal } = options ?? {};
    const port = portOf(session);
    const recorder = this.#recorderFor(agent, options);
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
        recorder?.begin(isRunInput(given) ? given : undefined);
        const own = sessionOfRun(session);
        const bound = recorder?.bind(own) ?? own;
        const ofRun = reference === undefined ? bound : sessionWithReference(bound, reference);
        try {
          const result = await run({ ...options, session: ofRun });
          if (options?.stream === true) {
            if (reference !== undefined) settleStream(result, port);
            if (recorder !== undefined)
              beforeStreamEnds(result, (error) =>
                recorder.end(error === undefined ? endOfResult(result) : endOfFailure(error, signal)),
              );
          } else {
            if (reference !== undefined) await settle(result.state, port);
            await recorder?.end(endOfResult(result));
          }
          return result;
        } catch (error) {
          if (reference !== undefined) await settleError(error, port);
          await recorder?.end(endOfFailure(error, signal));
          throw error;
        }
      },
      {
        model: modelName(agent.model, this.config.model),
        isBoundaryInUse: !bringsOwnModel(agent),
        recorder,
        interruptedCalls: isRunInput(input) ? this.#interruptedCalls : undefined,
      },
    );
  }

  /** Begins to record a run, unless the server keeps its conversation: the SDK's runner then saves no answer. */
  #recorderFor(
    agent: object,
    options: ObservedRun & { readonly session?: Session } = {},
  ): RunRecorder | undefined {
    const isOfServer = (options.conversationId ?? options.previousResponseId) !== undefined;
    if (!this.#isRecorded || isOfServer) return undefined;
    const { sessionInputCallback = this.config.sessionInputCallback } = options;
    const { callModelInputFilter = this.config.callModelInputFilter } = options;
    const isFiltered = (sessionInputCallback ?? callModelInputFilter) !== undefined;
    const interruptedCalls = this.#interruptedCalls;
    const recorder = recorderOf(options.session, { isFiltered, interruptedCalls });
    if (recorder !== undefined && bringsOwnModel(agent))
      throw new InvalidOptionsError('record', "needs chainedModel() around the agent's own model", {
        subject: 'the run',
      });
    return recorder;
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

/** Whether a run begins with this input; otherwise it goes on from a state. */
function isRunInput(input: string | AgentInputItem[] | object): input is string | AgentInputItem[] {
  return typeof input === 'string' || Array.isArray(input);
}
