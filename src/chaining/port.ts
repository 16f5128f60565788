import type { AgentInputItem, Session } from '@openai/agents';
import type OpenAI from 'openai';
import type { InterruptedCalls } from '../items/tool-calls.ts';
import type { HistoryReferences } from './history-reference.ts';
import type { PlanReason } from './plan-reason.ts';

/** Facts about the context of a response. */
export interface KnownContext {
  /** The time of the oldest ancestor, in milliseconds since the epoch; undefined without ancestors. */
  readonly since?: number | undefined;
  /** The size as JSON, in bytes, if it is known. */
  readonly bytes?: number | undefined;
  /** The mark of the server and account that made the response. */
  readonly server?: string | undefined;
  /** The minimum for a request that continues from the response, if it is known. */
  readonly tokens?: ContextTokens | undefined;
  /** Whether the response may lack its parent's context. */
  readonly doubtful?: boolean | undefined;
  /** The refusals of the server before the response, if there are any. */
  readonly refusals?: ServerRefusals | undefined;
}

/** How often in a row a server did not continue from its responses, and the pause after it, in milliseconds. */
export interface ServerRefusals {
  readonly count: number;
  /** 0 before the first pause. */
  readonly pause: number;
  /** The end of the pause, in milliseconds since the epoch. */
  readonly until: number;
}

/** The minimum number of input tokens of a request that extends a context. */
export interface ContextTokens {
  readonly least: number;
  /** The maximum for the reasoning in the context, which a server removes later. */
  readonly reasoning: number;
  /** The hash of the rest of the request; only counts with equal frames are comparable. */
  readonly frame: string;
}

/** A response that a request may continue from. */
export interface Parent {
  readonly id: string;
  /** The time of the record, in milliseconds since the epoch. */
  readonly time: number;
  /** Whether the server stores the response. */
  readonly store: boolean;
  readonly model?: string | undefined;
  readonly context?: KnownContext | undefined;
}

/** The tokens of requests and their responses, as the server counted them. */
export interface TokenUsage {
  /** The number of requests. */
  readonly requests: number;
  readonly input: number;
  /** The part of `input` that the server had in its cache. */
  readonly cached: number;
  readonly output: number;
  /** The part of `output` that is reasoning. */
  readonly reasoning: number;
}

/** A complete response with its context. */
export interface CompletedResponse extends Parent {
  readonly model: string | undefined;
  readonly parent: string | undefined;
  /** The context: the items of the request and of the response. */
  readonly context: KnownContext & {
    readonly length: number;
    readonly digest: string;
    /** The IDs of the client's unanswered tool calls; undefined without one. */
    readonly open?: readonly string[];
  };
  /** The tokens of the request and the response; undefined if the server counts none. */
  readonly usage?: TokenUsage | undefined;
  /** Whether the request continued from a response. */
  readonly plan?: 'chain' | 'replay' | undefined;
  /** The name of the agent that answered, if a `HybridRunner` ran it. */
  readonly agent?: string | undefined;
  /** The items before a compaction in the response. The SDK's runner does not save them. */
  readonly compacting?: {
    /** The request's input, and the output before the compaction. */
    readonly items: readonly AgentInputItem[];
    /** The digests of the context with the first 0, 1, 2, ... items of the input. */
    readonly contexts: readonly string[];
  };
  /** Earlier responses of the same turn whose contexts this one extends; they are recorded together. */
  readonly lineage: readonly string[];
}

/**
 * The plan of one request in a `turn` event: counts and reasons, no content.
 *
 * @example
 * ```ts
 * new HybridSession({
 *   onEvent: (event) => {
 *     if (event.type !== 'turn') return;
 *     for (const { plan, sent, context } of event.plans) console.log(`${plan}: sent ${sent} of ${context} items`);
 *   },
 * });
 * ```
 */
export interface PlannedRequest {
  readonly plan: 'chain' | 'replay';
  readonly reason: PlanReason;
  /** The response to continue from; undefined for a replay without one. */
  readonly parentId: string | undefined;
  /** The number of sent items. */
  readonly sent: number;
  /** The number of items that the model sees. */
  readonly context: number;
  /** The size of the items that were not sent, as JSON in bytes; 0 for a replay or an unknown size. */
  readonly savedBytes: number;
  /** The plan that mode `chain` would have made; undefined unless `reason` is `mode`. */
  readonly shadowPlan: ShadowPlan | undefined;
}

/**
 * The plan that mode `chain` would have made for a request in another mode.
 *
 * @example
 * ```ts
 * const saved = event.plans.reduce((bytes, { shadowPlan }) => bytes + (shadowPlan?.savedBytes ?? 0), 0);
 * ```
 */
export interface ShadowPlan {
  readonly plan: 'chain' | 'replay';
  readonly reason: PlanReason;
  /** The number of items that it would have sent. */
  readonly sent: number;
  /** The size of the other items, as JSON in bytes; 0 for a replay or an unknown size. */
  readonly savedBytes: number;
}

/** The recorded responses of a session at the time of a request. */
export interface ChainView {
  /** Whether the session is in mode `chain`. */
  readonly enabled: boolean;
  /** Whether the session behaves like the stock session: its requests then stay unchanged. */
  readonly isStock: boolean;
  /** Whether no response with a known context is recorded. */
  readonly empty: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds for which a response can be continued. */
  readonly responseTtl: number;
  /** The context of the newest response in the ledger. */
  readonly newest: KnownContext | undefined;
  /** The responses with this context, newest first. */
  candidates(digest: string): readonly Parent[];
  /** The IDs of those responses that the ledger does not hold yet. */
  unrecorded(digest: string): readonly string[];
  /** Whether the server refused to continue from this response. */
  isRefused(id: string): boolean;
  /** The messages that the newest compaction keeps, and the compaction, oldest first. Empty without one. */
  readonly compacted: readonly AgentInputItem[];
  /** The size from which the server compacts a context itself, in tokens; undefined if it does not. */
  readonly serverThreshold: number | undefined;
  /** The histories that earlier requests saw and that a model is shown in another form, oldest first. */
  replaced(): readonly ReplacedHistory[];
  /** Whether a compaction stands for a part of this context of the history. */
  isReplaced(digest: string): boolean;
}

/** A history that a model is shown in another form. */
export interface ReplacedHistory {
  /** The digest of its context. */
  readonly digest: string;
  /** The items in its place, in the form for a model: those of a compaction, or those that a compaction stood for. */
  readonly items: readonly AgentInputItem[];
}

/** A problem that the model boundary handled. */
export interface ModelWarning {
  readonly code:
    | 'parent_refused'
    | 'parent_ignored'
    | 'parent_maybe_ignored'
    | 'compaction_left_out'
    | 'reasoning_left_out'
    | 'foreign_fields_left_out'
    | 'turn_unsaved';
  /** The IDs of the affected responses or items. */
  readonly ids?: readonly string[];
  /** The number of affected items. */
  readonly count?: number;
  /** The reason, in a few fixed words. */
  readonly reason?: string;
}

/** The end of a run that is recorded as it goes. */
export interface RunEnd {
  /**
   * `finished`: with an output. `paused`: with approvals to wait for. `interrupted`: without either. `refused`: a guardrail refused
   * the input.
   */
  readonly type: 'finished' | 'paused' | 'interrupted' | 'refused';
  /** Why a run was interrupted; undefined if a model or the run itself failed. */
  readonly reason?: InterruptionReason | undefined;
  /** The text that the SDK reports as the result of a tool that threw. No model is shown it. */
  readonly failure?: string | undefined;
}

/**
 * The reason why a turn is interrupted. `abandoned`: its process ended, or an approval never came. `model`: a request failed.
 * `error`: any other error.
 */
export type InterruptionReason =
  | 'max_turns'
  | 'tool'
  | 'guardrail'
  | 'aborted'
  | 'model'
  | 'error'
  | 'abandoned';

/** Records a run as it goes. */
export interface RunRecorder {
  /** @param given the input of the run; undefined for a resumed one. */
  begin(given: string | readonly AgentInputItem[] | undefined): void;
  /** The session for the SDK's runner, whose writes belong to the run. */
  bind(session: Session): Session;
  /** The input of a request, before it is sent. */
  asked(input: string | readonly AgentInputItem[]): Promise<void>;
  /** The output of a complete response. */
  answered(output: readonly AgentInputItem[], responseId: string | undefined): Promise<void>;
  /** The result of a function tool. */
  executed(callId: string, result: string): void;
  /** The end of the run. Never rejects: a later run records a draft that stays. */
  end(end: RunEnd): Promise<void>;
}

/** The options of a `RunRecorder`. */
export interface RecordOptions {
  /** Whether a function of the app may change the input of the model. */
  readonly isFiltered: boolean;
  readonly interruptedCalls: InterruptedCalls;
}

/** A session whose runs can be recorded as they go. */
export interface RecordedSession {
  /** @throws InvalidOptionsError if the session keeps no content. */
  [RECORD_RUN](options: RecordOptions): RunRecorder;
}

/** The property of a session that begins to record a run. */
export const RECORD_RUN: unique symbol = Symbol.for('agents-hybrid-session.record');

/** The property of a session's port. The symbol is global, because an app may load two copies of this package. */
export const CHAINING_PORT: unique symbol = Symbol.for('agents-hybrid-session.chain');

/** A session whose runs can be chained. */
export interface ChainedSession {
  readonly [CHAINING_PORT]: ChainingPort;
}

/** The interface of a session for the model boundary. */
export interface ChainingPort {
  /** The session's client; undefined for the SDK's default client. */
  readonly client: OpenAI | undefined;
  readonly history: HistoryReferences;
  /**
   * Reads the recorded responses.
   *
   * @param scope all of them, also those that other processes have recorded since (`newest`), or only the newest ones (`tail`).
   */
  view(scope: 'newest' | 'all' | 'tail'): Promise<ChainView>;
  /** Records a complete response. */
  answered(response: CompletedResponse): void;
  /** Records that the server refused to continue from this response, permanently or for a while. */
  refused(id: string, reason: string, isPermanent: boolean): void;
  /** Records items that no server accepts any more, by their `lostKey`. */
  lost(keys: readonly string[]): void;
  /**
   * Compacts the history, because a request was too long.
   *
   * @returns false if the session does not compact.
   */
  compact(): Promise<boolean>;
  /**
   * Shows a model the whole history again, because it cannot read a compaction.
   *
   * @returns false if the session has no compaction.
   */
  uncompact(): Promise<boolean>;
  /** Emits a warning. */
  warn(warning: ModelWarning): void;
  /** Begins the planning of a request. @returns the receiver of the plan. */
  planning(): (planned: PlannedRequest) => void;
}
