import type { Finding } from '../history/finding.ts';
import type { PlannedRequest } from '../model/chain.ts';
import type { Mode } from '../rollout/mode.ts';
import type { TurnChain, TurnEvent } from '../telemetry/session-event.ts';
import type { ForecastReason } from './forecast.ts';

/** What is known of a turn when its history was read. */
export interface TurnBeginning {
  readonly mode: Mode;
  /** What the list has lost; undefined where it was not compared. */
  readonly lost: readonly Finding[] | undefined;
  readonly forecast: ForecastReason;
  /** About what was served takes in a request, in bytes; 0 where nobody counted. */
  readonly bytes: number;
}

/** Puts together what is told of a turn, from the moment its history is read to the response that ends it. */
export class TurnWatch {
  #beginning: TurnBeginning | undefined;
  #plans: PlannedRequest[] = [];
  #known: ReadonlySet<string> = new Set();
  #wasWhole: boolean | undefined;

  /** Whether the model saw the whole history when it gave the newest answer; undefined when nobody looked. */
  get wasWhole(): boolean | undefined {
    return this.#wasWhole;
  }

  began(beginning: TurnBeginning): void {
    this.#beginning = beginning;
    this.#plans = [];
  }

  planned(plan: PlannedRequest): void {
    this.#plans.push(plan);
  }

  /** @returns undefined where there is nothing to tell: the turn did not begin here, or the session is switched off. */
  ended(responseId: string, model: string | undefined): Omit<TurnEvent, 'type' | 'sessionId'> | undefined {
    const beginning = this.#beginning;
    if (beginning === undefined) return undefined;
    const plans = this.#plans;
    this.#beginning = undefined;
    this.#plans = [];
    const { mode, lost } = beginning;
    const known = this.#known;
    if (lost !== undefined) this.#known = new Set(lost.map(({ id }) => id));
    if (mode === 'rebuild' || mode === 'chain') this.#wasWhole = true;
    else if (lost !== undefined) this.#wasWhole = lost.length === 0;
    if (mode === 'off') return undefined;
    return {
      mode,
      responseId,
      model,
      lost: lost?.length,
      newlyLost: lost?.filter(({ id }) => !known.has(id)).length,
      requests: plans.length,
      chained: plans.filter(({ plan }) => plan === 'chain').length,
      chain: chainOf(beginning, plans[0]),
    };
  }
}

function chainOf({ forecast, bytes }: TurnBeginning, first: PlannedRequest | undefined): TurnChain {
  if (first === undefined) {
    const possible = forecast === 'extends';
    return { possible, reason: forecast, basis: 'forecast', savedBytes: possible ? bytes : 0 };
  }
  const { plan, reason, savedBytes } = first.would ?? first;
  return { possible: plan === 'chain', reason, basis: 'request', savedBytes };
}
