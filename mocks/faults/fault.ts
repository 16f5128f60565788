import type { Operation } from '../http/operations.ts';
import type { JsonObject } from '../wire/json.ts';

/** A request that a fault may strike. */
export interface FaultedRequest {
  readonly operation: Operation;
  /** After `/v1`. */
  readonly path: string;
  readonly body: JsonObject;
}

/** When a fault strikes. Without any of these: at every request, until it is lifted. */
export interface FaultTiming {
  /** How often it strikes before it lifts itself. */
  times?: number;
  /** How many requests it lets pass first. */
  skip?: number;
  /** How likely it is to strike, from 0 to 1, by the simulator's seed. */
  chance?: number;
  /** Strikes only requests of which this is true. */
  when?: (request: FaultedRequest) => boolean;
}

/** Details that some faults take; the table of faults says which. */
export interface FaultDetails {
  /** Before the request has any effect (default), or after: it took effect, but the client is not told so. */
  moment?: 'before' | 'after';
  /** Seconds a client is told to wait; becomes `retry-after`. */
  retryAfter?: number;
  /** The ID that the fault is about: an item, a response, a tool call. */
  id?: string;
  /** How many items it is about. Default 1. */
  count?: number;
  /** Where a stream is cut: the number of an event or its type. Default: the last event. */
  at?: number | string;
  /** Milliseconds between two events of a stream. Default 10. */
  every?: number;
  /** The code of a failed response. Default `server_error`. */
  code?: string;
  /** The message of an error. */
  message?: string;
}
