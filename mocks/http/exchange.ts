import type { ActiveFaults } from '../faults/active-faults.ts';
import type { StreamEvent } from '../responses/stream-events.ts';
import type { TurnScene } from '../responses/turn.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json.ts';

/** A request, as an operation needs it. */
export interface Exchange extends TurnScene {
  /** The parts of the path that are IDs, in order. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  /** The parsed body; `{}` if there is none. */
  readonly body: JsonObject;
  readonly faults: ActiveFaults;
  /** Notes in the log the model's context and the ID of its response. */
  sawContext(model: string, context: readonly SimulatorItem[], responseId?: string): void;
  /** Notes in the log the items that the model answered with. */
  sawOutput(output: readonly SimulatorItem[]): void;
  /** Waits as long as a request takes. */
  pause(): Promise<void>;
}

/** A whole body at once. */
export interface JsonAnswer {
  readonly kind: 'json';
  readonly body: JsonObject;
}

/** A body told as events. */
export interface StreamAnswer {
  readonly kind: 'stream';
  readonly events: AsyncIterable<StreamEvent>;
  /** To be told that the client went away before the last event. */
  abandoned(): void;
}

/** An answer of another server, passed on as it is. */
export interface PassedAnswer {
  readonly kind: 'passed';
  readonly response: Response;
}

export type Answer = JsonAnswer | StreamAnswer;

/** Serves one operation. */
export type Serve = (exchange: Exchange) => Answer | Promise<Answer>;

/** Wraps a body as an answer. */
export function json(body: JsonObject): JsonAnswer {
  return { kind: 'json', body };
}
