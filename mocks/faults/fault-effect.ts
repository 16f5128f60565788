import type { FaultDetails, FaultedRequest } from './fault.ts';
import type { Operation } from '../http/operations.ts';
import type { ModelAnswer } from '../model/answer.ts';
import type { StreamEvent } from '../responses/stream-events.ts';
import type { ApiError } from '../wire/api-error.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json.ts';

/** The changes that a fault makes to a request; each hook is optional and sees only its own stage. */
export interface FaultEffect {
  /** The details that it takes. Default: none. */
  takes?: readonly (keyof FaultDetails)[];
  /** The operations that it can strike. Default: every one. */
  on?: readonly Operation[];
  /** Which requests it can strike at all. Default: every one. */
  applies?: (request: FaultedRequest, details: FaultDetails) => boolean;
  /** An error in the place of the answer, before or after the request took effect. */
  error?: (request: FaultedRequest, details: FaultDetails) => ApiError;
  /** The behaviour of the connection in place of an answer. */
  connection?: 'breaks' | 'hangs';
  /** Changes a request's body before it is read. */
  request?: (body: JsonObject) => JsonObject;
  /** Changes the model's answer. */
  answer?: (answer: ModelAnswer, details: FaultDetails) => ModelAnswer;
  /** Changes a list, oldest first, before a page is cut out of it. */
  listed?: (items: readonly SimulatorItem[], details: FaultDetails) => readonly SimulatorItem[];
  /** Changes an answer's body. */
  body?: (body: JsonObject) => JsonObject;
  /** Changes a stream; an error that it throws breaks the connection. */
  events?: (events: AsyncIterable<StreamEvent>, details: FaultDetails) => AsyncIterable<StreamEvent>;
}
