import type { FaultDetails, FaultedRequest } from './fault.ts';
import type { FaultEffect } from './fault-effect.ts';
import type { ModelAnswer } from '../model/answer.ts';
import type { StreamEvent } from '../responses/stream-events.ts';
import { BrokenConnection } from '../http/broken-connection.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json.ts';

/** A fault that has struck: its effect and its details. */
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

  /**
   * Lets a fault answer in the place of the API. Never returns if the fault is that no answer comes.
   * @throws ApiError or BrokenConnection.
   */
  async interrupt(request: FaultedRequest, moment: 'before' | 'after'): Promise<void> {
    for (const { effect, details } of this.#struck) {
      if ((details.moment ?? 'before') !== moment) continue;
      if (effect.connection === 'breaks') throw new BrokenConnection();
      if (effect.connection === 'hangs') await new Promise<never>(() => undefined);
      if (effect.error) throw effect.error(request, details);
    }
  }

  request(body: JsonObject): JsonObject {
    return this.#through(body, ({ effect }, before) => effect.request?.(before));
  }

  answer(answer: ModelAnswer): ModelAnswer {
    return this.#through(answer, ({ effect, details }, before) => effect.answer?.(before, details));
  }

  /** @param itemsOf looks items up, which is only done if a fault wants to see them. */
  listed(ids: readonly string[], itemsOf: (ids: readonly string[]) => SimulatorItem[]): readonly string[] {
    return this.#through(ids, ({ effect, details }, before) =>
      effect.listed?.(itemsOf(before), details).map((item) => item.id),
    );
  }

  body(body: JsonObject): JsonObject {
    return this.#through(body, ({ effect }, before) => effect.body?.(before));
  }

  events(events: AsyncIterable<StreamEvent>): AsyncIterable<StreamEvent> {
    return this.#through(events, ({ effect, details }, before) => effect.events?.(before, details));
  }

  #through<T>(start: T, change: (struck: Struck, before: T) => T | undefined): T {
    return this.#struck.reduce((before, struck) => change(struck, before) ?? before, start);
  }
}
