import type { AgentInputItem } from '@openai/agents';
import type { Finding } from '../history/compare-list.ts';
import type { RecordedResponse } from '../ledger/state.ts';
import type { PlannedRequest, ShadowPlan } from '../chaining/port.ts';
import { rulesOf, type Mode } from '../rollout/mode.ts';
import type { TurnChain, TurnEvent } from '../telemetry/events.ts';
import type { Forecast } from './forecast.ts';
import { isFromClient } from '../history/require-storable.ts';

/** Facts about a turn at its beginning. */
export interface TurnBeginning {
  readonly mode: Mode;
  /** Whether the turn has read the history. A resumed run may continue from its own state instead. */
  readonly isRead: boolean;
  /** Items that the list has lost; undefined if it was not compared. */
  readonly lost: readonly Finding[] | undefined;
  readonly forecast: Forecast;
  /** Whether the caller asked for a part of the history only. */
  readonly isPart: boolean;
  /** Whether a `HybridRunner` run has read the history. */
  readonly isRun: boolean;
  /** The number of items that were served. */
  readonly served: number;
  /** The number of items in the history. */
  readonly length: number;
  /** The approximate size of the served items in a request, in bytes; 0 if it was not counted. */
  readonly bytes: number;
}

type Seen = NonNullable<RecordedResponse['seen']>;

/** Builds the `turn` event, from the read of the history to the response that ends the turn. */
export class TurnTracker {
  #beginning: TurnBeginning | undefined;
  #plans: PlannedRequest[] = [];
  /** Whether model output was appended since the turn began. */
  #isAnswered = false;
  /** The IDs that the list had lost at the turn that ended with response `at`. */
  #known: { readonly at: string | undefined; readonly ids: ReadonlySet<string> } = {
    at: undefined,
    ids: new Set(),
  };

  /** The context of the model in the current turn, for the ledger; undefined if it is unknown. */
  get seen(): Seen | undefined {
    if (this.#beginning?.isRead !== true) return undefined;
    const { mode, lost } = this.#beginning;
    const isServedWhole = rulesOf(mode).serves === 'history';
    if (lost === undefined) return isServedWhole ? { whole: true } : undefined;
    return { lost: lost.length, whole: isServedWhole || lost.length === 0 };
  }

  get isUnderWay(): boolean {
    return this.#beginning !== undefined;
  }

  /** Whether the turn has read the history, and found no item. */
  get isFirst(): boolean {
    return this.#beginning?.isRead === true && !this.#beginning.isPart && this.#beginning.served === 0;
  }

  /**
   * Begins a turn: when the history is read, or when a resumed run continues without a read.
   *
   * Ignores reads by the app: partial reads, and reads while a run is in progress, do not start a new turn.
   */
  began(beginning: TurnBeginning): void {
    const { isPart, isRun } = beginning;
    if (this.#beginning !== undefined && isPart) return;
    if (this.#beginning?.isRun === true && this.#plans.length > 0 && !isRun) return;
    // An app may read between the model output and the end of the turn. Output of the app itself precedes the turn's read.
    if (this.#beginning?.isRead !== true) this.#isAnswered = false;
    this.#beginning = beginning;
    this.#plans = [];
  }

  appended(items: readonly AgentInputItem[]): void {
    this.#isAnswered ||= items.some((item) => !isFromClient(item));
  }

  /**
   * @returns the same plan; if the served list had losses, with a shadow plan for the whole history.
   */
  planned(plan: PlannedRequest): PlannedRequest {
    const isFirst = this.#plans.length === 0;
    const shadowPlan =
      isFirst &&
      plan.shadowPlan &&
      this.#beginning &&
      planOfWholeHistory(plan, plan.shadowPlan, this.#beginning);
    const reported = shadowPlan ? { ...plan, shadowPlan } : plan;
    this.#plans.push(reported);
    return reported;
  }

  /**
   * @param responses the recorded responses, including the one that ended the turn.
   * @returns undefined if no response has ended the turn yet, or the mode does not report.
   */
  ended(
    responseId: string | undefined,
    responses: readonly RecordedResponse[],
  ): Omit<TurnEvent, 'type' | 'sessionId'> | undefined {
    const beginning = this.#beginning;
    // The SDK also calls this after it has stored the results of approved tools, before the next model request.
    if (beginning === undefined || !this.#isAnswered) return undefined;
    const plans = this.#plans;
    this.#beginning = undefined;
    this.#plans = [];
    this.#isAnswered = false;
    const { mode, lost } = beginning;
    const at = responses.findLastIndex(({ id }) => id === responseId);
    const newlyLost = lost && this.#newlyLost(lost, responses.slice(0, Math.max(0, at)));
    if (lost !== undefined) this.#known = { at: responseId, ids: new Set(lost.map(({ id }) => id)) };
    if (!rulesOf(mode).reports) return undefined;
    return {
      mode,
      responseId,
      model: responses[at]?.model,
      lost: lost?.length,
      newlyLost,
      plans,
      chain: chainOf(beginning, plans[0]),
    };
  }

  /** Counts the losses since the last compared turn, which another process may have run. */
  #newlyLost(lost: readonly Finding[], before: readonly RecordedResponse[]): number {
    const last = before.findLast(({ seen }) => seen?.lost !== undefined);
    // Of a turn in another process, the ledger has only the number of losses.
    if (last?.id === this.#known.at) return lost.filter(({ id }) => !this.#known.ids.has(id)).length;
    return Math.max(0, lost.length - (last?.seen?.lost ?? 0));
  }
}

/** The plan of mode `chain`, with the whole history in place of the damaged list. */
function planOfWholeHistory(
  { context }: PlannedRequest,
  { reason: replayed }: ShadowPlan,
  { mode, lost, served, length, forecast, bytes }: TurnBeginning,
): ShadowPlan | undefined {
  const isDamaged = rulesOf(mode).serves === 'list' && lost !== undefined && lost.length > 0;
  if (!isDamaged || replayed === 'sent_by_id' || replayed === 'ledger_unavailable') return undefined;
  const { reason, covered } = forecast;
  const isChained = reason === 'extends';
  return {
    plan: isChained ? 'chain' : 'replay',
    reason,
    sent: Math.max(1, context - served + length - covered),
    savedBytes: isChained ? (forecast.bytes ?? bytes) : 0,
  };
}

function chainOf({ forecast, bytes }: TurnBeginning, first: PlannedRequest | undefined): TurnChain {
  if (first === undefined) {
    const possible = forecast.reason === 'extends';
    const savedBytes = possible ? (forecast.bytes ?? bytes) : 0;
    return { possible, reason: forecast.reason, basis: 'forecast', savedBytes };
  }
  const { plan, reason, savedBytes } = first.shadowPlan ?? first;
  return { possible: plan === 'chain', reason, basis: 'request', savedBytes };
}
