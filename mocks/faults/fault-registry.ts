import { ActiveFaults, type Struck } from './active-faults.ts';
import { checkFault } from './check-fault.ts';
import { errorFacts } from './status-error.ts';
import type { Fault } from './fault-table.ts';
import type { FaultedRequest, FaultTiming } from './fault.ts';
import type { FaultEffect } from './fault-effect.ts';
import { faultTable } from './fault-table.ts';
import type { Operation } from '../http/operations.ts';
import { ApiError } from '../wire/api-error.ts';
import { Random } from '../world/random.ts';

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
   * @throws RangeError for a fault that makes no sense; it names the right operations, faults and fields.
   */
  add(operation: Operation | '*', fault: Fault): () => void {
    checkFault(operation, fault);
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
    if (fault.effect.on?.includes(request.operation) === false) return false;
    if (fault.effect.applies?.(request, fault.details) === false || when?.(request) === false) return false;
    fault.seen += 1;
    if (fault.seen <= skip) return false;
    if (chance < 1 && this.#random.fraction() >= chance) return false;
    fault.struck += 1;
    return true;
  }
}

function effectOf(fault: Fault): FaultEffect {
  if (typeof fault === 'string') return faultTable[fault];
  return 'status' in fault ? { error: () => new ApiError(errorFacts(fault)) } : faultTable[fault.name];
}
