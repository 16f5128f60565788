import type { FaultDetails, FaultedRequest } from './fault.ts';
import type { FaultEffect } from './fault-effect.ts';
import type { StreamEvent } from '../responses/stream-events.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json-object.ts';

/** A fault that has struck: what it does, and its details. */
export interface Struck {
  readonly effect: FaultEffect;
  readonly details: FaultDetails;
}

/** The faults that strike one request, each at its stage, in the order in which they were set. */
export class ActiveFaults {
  readonly #struck: readonly Struck[];

  constructor(struck: readonly Struck[]) {
    this.#struck = struck;
  }

  /** @throws ApiError or a broken connection, if a fault wants one at this moment. */
  interrupt(request: FaultedRequest, moment: 'before' | 'after'): void {
    for (const { effect, details } of this.#struck) {
      if ((details.moment ?? 'before') !== moment) continue;
      if (effect.breaks) throw new TypeError('fetch failed');
      const error = effect.error?.(request, details);
      if (error) throw error;
    }
  }

  request(body: JsonObject): JsonObject {
    return this.#struck.reduce((before, { effect }) => effect.request?.(before) ?? before, body);
  }

  listed(items: readonly SimulatorItem[]): readonly SimulatorItem[] {
    return this.#struck.reduce(
      (before, { effect, details }) => effect.listed?.(before, details) ?? before,
      items,
    );
  }

  body(body: JsonObject): JsonObject {
    return this.#struck.reduce((before, { effect }) => effect.body?.(before) ?? before, body);
  }

  events(events: AsyncIterable<StreamEvent>): AsyncIterable<StreamEvent> {
    return this.#struck.reduce(
      (before, { effect, details }) => effect.events?.(before, details) ?? before,
      events,
    );
  }
}
