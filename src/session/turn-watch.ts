import type { Finding } from '../history/finding.ts';
import type { RecordedResponse } from '../ledger/ledger-state.ts';
import type { PlannedRequest, WouldBe } from '../model/chain.ts';
import type { Mode } from '../rollout/mode.ts';
import type { TurnChain, TurnEvent } from '../telemetry/session-event.ts';
import type { Forecast } from './forecast.ts';

/** What is known of a turn when its history was read. */
export interface TurnBeginning {
  readonly mode: Mode;
  /** What the list has lost; undefined where it was not compared. */
  readonly lost: readonly Finding[] | undefined;
  readonly forecast: Forecast;
  /** Whether only a part was asked for. */
  readonly isPart: boolean;
  /** Whether it was read by a run of our runner. */
  readonly isRun: boolean;
  /** How many items were served, and how many the history has. */
  readonly served: number;
  readonly length: number;
  /** About what was served takes in a request, in bytes; 0 where nobody counted. */
  readonly bytes: number;
}

type Seen = NonNullable<RecordedResponse['seen']>;

/** Puts together what is told of a turn, from the moment its history is read to the response that ends it. */
export class TurnWatch {
  #beginning: TurnBeginning | undefined;
  #plans: PlannedRequest[] = [];
  /** What the list had lost at the turn that ended with this response. */
  #known: { readonly at: string | undefined; readonly ids: ReadonlySet<string> } = {
    at: undefined,
    ids: new Set(),
  };

  /** What the model of the turn under way was shown, for the ledger: each where it is known. */
  get seen(): Seen | undefined {
    if (this.#beginning === undefined) return undefined;
    const { mode, lost } = this.#beginning;
    const isServedWhole = mode === 'rebuild' || mode === 'chain';
    if (lost === undefined) return isServedWhole ? { whole: true } : undefined;
    return { lost: lost.length, whole: isServedWhole || lost.length === 0 };
  }

  /**
   * The history was read, which is how a run begins.
   *
   * An app reads, too: a part of it does not replace what the run was given, nor does a read beside a run under way.
   */
  began(beginning: TurnBeginning): void {
    const { isPart, isRun } = beginning;
    if (this.#beginning !== undefined && isPart) return;
    if (this.#beginning?.isRun === true && this.#plans.length > 0 && !isRun) return;
    this.#beginning = beginning;
    this.#plans = [];
  }

  /**
   * A request of the turn was decided about.
   *
   * @returns the same; but where the list was served with its losses, what mode `chain` would have made of the whole history.
   */
  planned(plan: PlannedRequest): PlannedRequest {
    const isFirst = this.#plans.length === 0;
    const would = isFirst && plan.would && this.#beginning && whole(plan, plan.would, this.#beginning);
    const told = would ? { ...plan, would } : plan;
    this.#plans.push(told);
    return told;
  }

  /**
   * @param responses what the ledger holds, the one that ended the turn included.
   * @returns undefined where there is nothing to tell: the turn did not begin here, or the session is switched off.
   */
  ended(
    responseId: string | undefined,
    responses: readonly RecordedResponse[],
  ): Omit<TurnEvent, 'type' | 'sessionId'> | undefined {
    const beginning = this.#beginning;
    if (beginning === undefined) return undefined;
    const plans = this.#plans;
    this.#beginning = undefined;
    this.#plans = [];
    const { mode, lost } = beginning;
    const at = responses.findLastIndex(({ id }) => id === responseId);
    const newlyLost = lost && this.#newlyLost(lost, responses.slice(0, Math.max(0, at)));
    if (lost !== undefined) this.#known = { at: responseId, ids: new Set(lost.map(({ id }) => id)) };
    if (mode === 'off') return undefined;
    return {
      mode,
      responseId,
      model: responses[at]?.model,
      lost: lost?.length,
      newlyLost,
      requests: plans.length,
      chained: plans.filter(({ plan }) => plan === 'chain').length,
      chain: chainOf(beginning, plans[0]),
    };
  }

  /** Counts what was not counted before, by this session or by another one of the same ledger. */
  #newlyLost(lost: readonly Finding[], before: readonly RecordedResponse[]): number {
    const last = before.findLast(({ seen }) => seen?.lost !== undefined);
    // This session was there: it knows which ones. Of others the ledger only knows how many.
    if (last?.id === this.#known.at) return lost.filter(({ id }) => !this.#known.ids.has(id)).length;
    return Math.max(0, lost.length - (last?.seen?.lost ?? 0));
  }
}

/** What mode `chain` would have sent: it would have had the whole history to go by. */
function whole(
  { context }: PlannedRequest,
  would: WouldBe,
  { mode, lost, served, length, forecast, bytes }: TurnBeginning,
): WouldBe | undefined {
  const isDamaged = (mode === 'off' || mode === 'shadow') && lost !== undefined && lost.length > 0;
  if (!isDamaged || would.reason === 'sent-by-id' || would.reason === 'ledger-unavailable') return undefined;
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
  const { plan, reason, savedBytes } = first.would ?? first;
  return { possible: plan === 'chain', reason, basis: 'request', savedBytes };
}
