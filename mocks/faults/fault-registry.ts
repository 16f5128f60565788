import { ActiveFaults, type Struck } from './active-faults.ts';
import { errorFacts, STATUS_ERROR_FIELDS } from './status-error.ts';
import type { Fault, NamedFault, StatusFault } from './fault-table.ts';
import type { FaultedRequest, FaultTiming } from './fault.ts';
import type { FaultEffect } from './fault-effect.ts';
import { faultTable } from './fault-table.ts';
import { notAmong, refuseUnknown } from '../known-names.ts';
import { operations, type Operation } from '../http/operations.ts';
import { ApiError } from '../wire/api-error.ts';
import { Random } from '../world/random.ts';

const TIMING = ['times', 'skip', 'chance', 'when'] as const satisfies readonly (keyof FaultTiming)[];

const NAMED_FIELDS = [
  'name',
  ...TIMING,
  ...(['moment', 'retryAfter', 'id', 'count', 'at', 'every', 'code', 'message'] as const),
] as const satisfies readonly (keyof NamedFault)[];

const STATUS_FIELDS = [
  ...STATUS_ERROR_FIELDS,
  ...TIMING,
  'moment',
] as const satisfies readonly (keyof StatusFault)[];

interface SetFault extends Struck {
  readonly operation: Operation | '*';
  readonly timing: FaultTiming;
  seen: number;
  struck: number;
}

/** The faults that are set, and which of them strike a request. */
export class FaultRegistry {
  readonly #random: Random;
  #faults: SetFault[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /**
   * Sets a fault and returns a function that lifts it.
   * @throws RangeError for an unknown operation, fault or field; it names the right ones.
   */
  add(operation: Operation | '*', fault: Fault): () => void {
    if (operation !== '*' && !operations.includes(operation)) {
      throw notAmong(`Cannot set a fault for "${operation}"`, ['*', ...operations]);
    }
    const details = typeof fault === 'string' ? {} : fault;
    const added: SetFault = {
      operation,
      timing: details,
      details,
      effect: effectOf(fault),
      seen: 0,
      struck: 0,
    };
    this.#faults.push(added);
    return () => {
      this.#faults = this.#faults.filter((each) => each !== added);
    };
  }

  /** The faults that strike this request; each is counted. */
  strike(request: FaultedRequest): ActiveFaults {
    const struck = this.#faults.filter((fault) => this.#strikes(fault, request));
    this.#faults = this.#faults.filter(
      (fault) => fault.struck < (fault.timing.times ?? Number.POSITIVE_INFINITY),
    );
    return new ActiveFaults(struck);
  }

  /** Lifts every fault. */
  reset(): void {
    this.#faults = [];
    this.#random.reset();
  }

  #strikes(fault: SetFault, request: FaultedRequest): boolean {
    const { skip = 0, chance = 1, when } = fault.timing;
    if (fault.operation !== '*' && fault.operation !== request.operation) return false;
    if (fault.effect.applies?.(request, fault.details) === false || when?.(request) === false) return false;
    fault.seen += 1;
    if (fault.seen <= skip) return false;
    if (chance < 1 && this.#random.fraction() >= chance) return false;
    fault.struck += 1;
    return true;
  }
}

function effectOf(fault: Fault): FaultEffect {
  if (typeof fault === 'object' && 'status' in fault) {
    refuseUnknown('Cannot set a fault: it', fault, STATUS_FIELDS);
    return { error: () => new ApiError(errorFacts(fault)) };
  }
  const name = typeof fault === 'string' ? fault : fault.name;
  if (!Object.hasOwn(faultTable, name)) {
    throw notAmong(`Cannot set the fault "${name}"`, Object.keys(faultTable));
  }
  if (typeof fault === 'object') refuseUnknown(`Cannot set the fault "${name}": it`, fault, NAMED_FIELDS);
  return faultTable[name];
}
