import { planRecorder } from '../flows/support/story.ts';
import {
  MemorySession,
  OpenAIProvider,
  Runner,
  type Agent,
  type AgentInputItem,
  type RunResult,
  type RunState,
  type Session,
  type StreamedRunResult,
  type StreamRunOptions,
} from '@openai/agents';
import type OpenAI from 'openai';
import type { ProfileName, SimulatorCore, SimulatorOptions } from '../../mocks/index.ts';
import {
  HybridRunner,
  HybridSession,
  type HybridRunnerConfig,
  memoryLedger,
  type HybridSessionEvent,
  type PlannedRequest,
  type HybridSessionOptions,
} from '../../src/index.ts';
import {
  answeredRequests,
  comparableContext,
  type AnsweredRequest,
} from '../chaining/equivalence/comparable-context.ts';
import { hasConversations } from '../support/profiles.ts';
import { simulated } from '../support/simulated.ts';

// The SDK's own bound, in which an agent's type parameters are open.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyAgent = Agent<any, any>;

/** What a run ended with. */
export type Result = RunResult<unknown, AnyAgent> | StreamedRunResult<unknown, AnyAgent>;

/** Options of one run, without how it answers and which session it has. */
export type TurnOptions = Omit<StreamRunOptions<unknown>, 'stream' | 'session' | 'context' | 'errorHandlers'>;

/** How a world is made. */
export interface FlowOptions {
  readonly simulator?: SimulatorOptions;
  readonly session?: HybridSessionOptions;
  readonly runner?: HybridRunnerConfig;
  /** The servers on which it can happen too. Default: all of `PROFILES`. */
  readonly profiles?: readonly ProfileName[];
}

/** A server, a session and a runner, and whether turns are streamed. */
export interface FlowWorld {
  readonly simulator: SimulatorCore;
  readonly client: OpenAI;
  readonly session: Session;
  readonly runner: Runner;
  readonly stream: boolean;
  /** Another process: a new session object for the same history. */
  reopen(): void;
}

/** A world whose session and runner are ours. */
export interface ChainedWorld extends FlowWorld {
  readonly session: HybridSession;
  readonly events: readonly HybridSessionEvent[];
  /** The plans of all requests, in order. */
  readonly plans: readonly PlannedRequest[];
}

/** The SDK's runner with its memory. */
export function replayedWorld(stream: boolean, options: FlowOptions = {}): FlowWorld {
  const { simulator, client } = simulated(options.simulator);
  const modelProvider = new OpenAIProvider({ openAIClient: client });
  const { history: _history, ...ofTheSdk } = options.runner ?? {};
  return {
    simulator,
    client,
    stream,
    session: new MemorySession(),
    runner: new Runner({ modelProvider, tracingDisabled: true, ...ofTheSdk }),
    reopen: () => undefined,
  };
}

/** Our runner with our session. */
export function chainedWorld(stream: boolean, options: FlowOptions = {}): ChainedWorld {
  const { simulator, client } = simulated(options.simulator);
  const events: HybridSessionEvent[] = [];
  const { observer, plans } = planRecorder();
  const ledger = memoryLedger();
  const open = (conversationId?: string): HybridSession =>
    new HybridSession({
      client,
      ledger,
      ...(hasConversations(options.simulator?.profile)
        ? { conversationId }
        : { mirror: 'off', sessionId: 'session' }),
      onEvent: (event) => void events.push(event),
      observers: [observer],
      ...options.session,
    });
  let session = open();
  return {
    simulator,
    client,
    stream,
    events,
    plans,
    get session() {
      return session;
    },
    runner: new HybridRunner({ tracingDisabled: true, ...options.runner }),
    reopen() {
      session = open(session.conversationId);
    },
  };
}

/** One run, read to its end. */
export async function turn(
  world: FlowWorld,
  agent: AnyAgent,
  input: string | AgentInputItem[] | RunState<unknown, AnyAgent>,
  options: TurnOptions = {},
): Promise<Result> {
  const { runner, session, stream } = world;
  if (!stream) return runner.run(agent, input, { ...options, session });
  const result = await runner.run(agent, input, { ...options, session, stream: true });
  for await (const event of result) void event;
  await result.completed;
  return result;
}

/** What a run failed with. @throws Error when it did not fail. */
export async function failureOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    return error instanceof Error ? error.constructor.name : String(error);
  }
  throw new Error('The run did not fail');
}

/** What was decided about each request of a session, such as `extends 1/5`: of five items in the context one was sent. */
export function decisionsOf({ plans }: ChainedWorld): string[] {
  return plans.map(({ reason, sent, context }) => `${reason} ${sent}/${context}`);
}

/** The requests that continued a response, and which one. */
export function parentsOf({ simulator }: FlowWorld): unknown[] {
  return answeredRequests(simulator).map(({ body }) => body?.['previous_response_id']);
}

/** The requests that a model answered. */
export function requestsIn({ simulator }: Pick<FlowWorld, 'simulator'>): AnsweredRequest[] {
  return answeredRequests(simulator);
}

/**
 * What each model saw, oldest first, apart from IDs and reasoning.
 *
 * IDs that items refer to each other by are numbered in the order in which they appear: each world has its own.
 */
export function sightOf({ simulator }: FlowWorld): string[][] {
  const calls = new Map<string, string>();
  const named = (line: string): string =>
    line.replaceAll(/(call|mcpr)_[A-Za-z0-9]{8,}/g, (id) => {
      if (!calls.has(id)) calls.set(id, `call ${calls.size + 1}`);
      return calls.get(id) ?? id;
    });
  return answeredRequests(simulator).map(({ context }) =>
    comparableContext(context).map((line) => named(line)),
  );
}
