import type { SimulatorItem } from '../wire/item.ts';

/** One tool call of an answer. `arguments` may be an object, which is sent as JSON text. */
export interface ToolCall {
  name: string;
  arguments?: string | object;
  /** Default: an ID of the simulator's. */
  callId?: string;
}

/**
 * The pace of an answer, in real time. A stream keeps it delta by delta; an answer as a whole comes when its stream would
 * end.
 */
export interface Pace {
  /** Milliseconds until the first token. @default 0 */
  firstToken?: number;
  /** Tokens a second. @default all at once */
  rate?: number;
}

/** The answer of a script; every part is optional, and an empty answer is an empty output. */
export interface ModelAnswer {
  text?: string;
  /** A value that becomes the text as JSON. */
  json?: unknown;
  /** Tool calls, several of them run in parallel. */
  calls?: readonly ToolCall[];
  /** A refusal in the place of text. */
  refusal?: string;
  /** A reasoning step before everything else; the text is its summary, `''` a step without one. */
  reasoning?: string;
  /** Raw output items after everything else, such as calls of hosted tools; an ID is given to those without one. */
  items?: readonly object[];
  /** Cuts the answer short: the response ends `incomplete` for this reason. */
  incomplete?: 'max_output_tokens' | 'content_filter';
  /** Ends the response as `failed`. */
  failed?: { code: string; message: string };
  /** The pace at which it is sent, in the place of the simulator's. */
  pace?: Pace;
}

/** The request, as it was sent. The model sees `context`, not `input`. */
export interface ModelRequest {
  readonly model: string;
  readonly instructions?: unknown;
  readonly tools?: unknown;
  readonly tool_choice?: unknown;
  readonly text?: unknown;
  readonly [field: string]: unknown;
}

/**
 * A script in place of the model: gets the model's whole context, oldest first, and the request. A string is the text
 * of the answer; `undefined` leaves the answer to the built-in model. An error that it throws becomes a 500.
 */
export type Respond = (
  context: readonly SimulatorItem[],
  request: ModelRequest,
) => string | ModelAnswer | undefined | Promise<string | ModelAnswer | undefined>;
