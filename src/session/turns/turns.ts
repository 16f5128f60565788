import type { AgentInputItem } from '@openai/agents';
import type { TokenUsage } from '../../chaining/port.ts';
import { InvalidOptionsError } from '../../errors/options.ts';
import { interruptionAt } from '../../history/interrupted.ts';
import { indexOfTurn, turnsOf, type RecordedTurn } from '../../history/turns.ts';
import { calledName, callsTool, roleOfKind } from '../../items/read-item.ts';
import { openCalls } from '../../items/tool-calls.ts';
import type { LedgerState, RecordedResponse } from '../../ledger/state.ts';
import type { OpenSession } from '../../runtime/read.ts';
import type { SessionRuntime } from '../../runtime/runtime.ts';
import { settleAbandoned } from '../settle-drafts.ts';

/** The default number of turns in a page. */
const PAGE = 20;

/**
 * A part of the turns of a session.
 *
 * @example
 * ```ts
 * const older = await session.turns({ limit: 10, before: 'turn_40' });
 * ```
 */
export interface TurnsOptions {
  /**
   * The number of turns.
   *
   * @default 20
   */
  readonly limit?: number | undefined;
  /**
   * Only turns before this one, by its ID or that of a response.
   *
   * @default all turns
   */
  readonly before?: string | undefined;
  /**
   * Only turns after this one, by its ID or that of a response.
   *
   * @default all turns
   */
  readonly after?: string | undefined;
  /**
   * Which turn comes first.
   *
   * @default 'newest'
   */
  readonly order?: 'newest' | 'oldest' | undefined;
}

/** A response of a turn. */
export interface TurnResponse {
  readonly responseId: string;
  /** When it was recorded, in milliseconds since the epoch. */
  readonly time: number;
  readonly model: string | undefined;
  /** The name of the agent that answered; undefined with the SDK's runner. */
  readonly agent: string | undefined;
  /** `chain`: its request continued from a response. `replay`: it sent the whole history. Undefined with the SDK's runner. */
  readonly plan: 'chain' | 'replay' | undefined;
  /** Undefined if the server counted no tokens, and with the SDK's runner. */
  readonly usage: TokenUsage | undefined;
}

/**
 * One turn of a session.
 *
 * @example
 * ```ts
 * for (const { turnId, state, usage } of await session.turns()) console.log(turnId, state, usage?.input);
 * ```
 */
export interface Turn {
  /** The name of the turn. It is the same in every process, and never changes. */
  readonly turnId: string;
  /** When its last response was recorded, in milliseconds since the epoch; undefined without one. */
  readonly time: number | undefined;
  /** Copies of its items, oldest first. */
  readonly items: readonly AgentInputItem[];
  /** Its responses, oldest first. */
  readonly responses: readonly TurnResponse[];
  /** How often each tool was called, by its name. */
  readonly toolCalls: Readonly<Record<string, number>>;
  /** The sum over its responses; undefined if no response has one. */
  readonly usage: TokenUsage | undefined;
  /**
   * `complete`: it ends with an answer. `open`: a question has no answer, or a call no result. `interrupted`: its run was recorded
   * as it goes, and did not come to its end.
   */
  readonly state: 'complete' | 'open' | 'interrupted';
  /** Why its run did not come to its end; undefined in the other states. */
  readonly reason: string | undefined;
}

/**
 * What a session has used.
 *
 * @example
 * ```ts
 * const { total, models } = await session.usage();
 * console.log(total.input, models['gpt-5.4']?.output);
 * ```
 */
export interface SessionUsage {
  /** The sum over all responses since the session began or was cleared, also those that were taken back. */
  readonly total: TokenUsage;
  /** The same by model. */
  readonly models: Readonly<Record<string, TokenUsage>>;
  /** How often each tool is called in the history, by its name. */
  readonly tools: Readonly<Record<string, number>>;
  /** The number of responses without a count: of the SDK's runner, or of a server that counts nothing. */
  readonly uncounted: number;
}

const NO_TOKENS: TokenUsage = { requests: 0, input: 0, cached: 0, output: 0, reasoning: 0 };

/**
 * Reads turns with their items.
 *
 * @throws InvalidOptionsError for an invalid limit, or a turn that the session does not have.
 */
export async function readTurns(runtime: SessionRuntime, options: TurnsOptions): Promise<Turn[]> {
  const { limit = PAGE } = options;
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new InvalidOptionsError('limit', 'must be a whole number of at least 1', { subject: 'the page' });
  const turns = await runtime.runIfBegun(async (session, mode) => {
    const state = await session.ledger.read({ fresh: true });
    await settleAbandoned(runtime, session, mode, state);
    await session.history.open(mode);
    return withItems(session, (newest) => chosen(turnsOf(newest), options).slice(0, limit));
  });
  return turns ?? [];
}

/** Reads the content of turns. */
export async function withItems(
  { history }: Pick<OpenSession, 'history'>,
  choose: (state: LedgerState) => readonly RecordedTurn[],
): Promise<Turn[]> {
  const { state, restored } = await history.contents((newest) =>
    choose(newest).flatMap(({ entries }) => entries),
  );
  const items = new Map(restored.map(({ entry, item }) => [entry.seq, item]));
  return choose(state).map((turn) => turnOf(turn, items, state));
}

/** Sums what the responses of a session have used. */
export async function readUsage(runtime: SessionRuntime): Promise<SessionUsage> {
  const read = await runtime.runIfBegun(async ({ ledger, history }) => {
    await ledger.read({ fresh: true });
    return history.contents(({ entries }) => entries.filter(({ kind }) => callsTool(kind)));
  });
  const { state, restored = [] } = read ?? {};
  const { responses = [] } = state ?? {};
  const counted = responses.flatMap(({ model = 'unknown', usage }) => (usage ? [{ model, usage }] : []));
  const models: Record<string, TokenUsage> = {};
  for (const { model, usage } of counted) models[model] = plus(models[model] ?? NO_TOKENS, usage);
  return {
    total: counted.reduce((sum, { usage }) => plus(sum, usage), NO_TOKENS),
    models,
    tools: callsIn(restored.flatMap(({ item }) => item ?? [])),
    uncounted: responses.length - counted.length,
  };
}

function chosen(
  turns: readonly RecordedTurn[],
  { before, after, order = 'newest' }: TurnsOptions,
): RecordedTurn[] {
  const from = after === undefined ? 0 : indexOfTurn(turns, 'after', after) + 1;
  const to = before === undefined ? turns.length : indexOfTurn(turns, 'before', before);
  const part = turns.slice(from, to);
  return order === 'newest' ? part.toReversed() : part;
}

function turnOf(
  { turnId, entries, responses }: RecordedTurn,
  content: ReadonlyMap<number, AgentInputItem | undefined>,
  state: LedgerState,
): Turn {
  const items = entries.flatMap(({ seq }) => content.get(seq) ?? []);
  const end = entries.findLast(({ kind }) => roleOfKind(kind) !== 'reasoning');
  const isAnswered = end !== undefined && roleOfKind(end.kind) === 'output' && openCalls(items).size === 0;
  const counted = responses.flatMap(({ usage }) => usage ?? []);
  const [interruption] = entries.flatMap(({ seq }) => interruptionAt(state, seq) ?? []);
  return {
    turnId,
    time: responses.at(-1)?.time,
    items: structuredClone(items),
    responses: responses.map((response) => responseOf(response)),
    toolCalls: callsIn(items),
    usage: counted.length === 0 ? undefined : counted.reduce((sum, usage) => plus(sum, usage), NO_TOKENS),
    state: interruption === undefined ? (isAnswered ? 'complete' : 'open') : 'interrupted',
    reason: interruption?.reason,
  };
}

function responseOf({ id, time, model, agent, plan, usage }: RecordedResponse): TurnResponse {
  return { responseId: id, time, model, agent, plan, usage: usage && { ...usage } };
}

function plus(one: TokenUsage, other: TokenUsage): TokenUsage {
  return {
    requests: one.requests + other.requests,
    input: one.input + other.input,
    cached: one.cached + other.cached,
    output: one.output + other.output,
    reasoning: one.reasoning + other.reasoning,
  };
}

/** How often each tool is called. */
function callsIn(items: readonly AgentInputItem[]): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const item of items) {
    const called = calledName(item);
    if (called !== undefined) calls[called] = (calls[called] ?? 0) + 1;
  }
  return calls;
}
