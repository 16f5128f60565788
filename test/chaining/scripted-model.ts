import { OpenAIResponsesModel, Usage, type ModelRequest, type ModelResponse } from '@openai/agents';
import OpenAI from 'openai';
import type { StreamEvent } from '../../src/chaining/gather-response.ts';

interface Message {
  type: 'message';
  role: 'assistant';
  status: 'completed';
  content: { type: 'output_text'; text: string }[];
}

/** What a scripted model does with a request: it answers, or throws. */
export type Script = (request: ModelRequest, attempt: number) => Promise<ModelResponse> | ModelResponse;

/** What it streams: events, until one is an error, which is thrown. */
export type StreamScript = (request: ModelRequest, attempt: number) => readonly (StreamEvent | Error)[];

/** A model of the Responses API without a server. */
export class ScriptedModel extends OpenAIResponsesModel {
  readonly requests: ModelRequest[] = [];
  readonly #script: Script | undefined;
  readonly #stream: StreamScript | undefined;
  /** How many streams were read to their end, or left. */
  closed = 0;
  #secret = 1;

  constructor(script: { readonly json?: Script; readonly stream?: StreamScript } = {}) {
    super(new OpenAI({ apiKey: 'test' }), 'gpt-4.1');
    this.#script = script.json;
    this.#stream = script.stream;
  }

  /** Reads a private field, which only the model itself can. */
  get secret(): number {
    return this.#secret;
  }

  countUp(): number {
    this.#secret += 1;
    return this.#secret;
  }

  override async getResponse(request: ModelRequest): Promise<ModelResponse> {
    this.requests.push(request);
    return this.#script?.(request, this.requests.length) ?? answer('resp_1', 'hello');
  }

  override async *getStreamedResponse(
    request: ModelRequest,
  ): ReturnType<OpenAIResponsesModel['getStreamedResponse']> {
    this.requests.push(request);
    try {
      for (const event of this.#stream?.(request, this.requests.length) ?? streamed('resp_1', 'hello')) {
        if (event instanceof Error) throw event;
        yield event;
      }
    } finally {
      this.closed += 1;
    }
  }
}

/** A response as the SDK's model returns it. */
export function answer(id: string, text: string, body: Record<string, unknown> = {}): ModelResponse {
  return { usage: new Usage(), responseId: id, output: [message(text)], providerData: bodyOf(id, body) };
}

function message(text: string): Message {
  return {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text }],
  };
}

function bodyOf(id: string, body: Record<string, unknown>): Record<string, unknown> {
  const fixed = { status: 'completed', store: true, model: 'gpt-4.1-2025-04-14' };
  return { id, ...fixed, previous_response_id: 'resp_0', ...body };
}

/** The same as a stream. */
export function streamed(id: string, text: string, body: Record<string, unknown> = {}): StreamEvent[] {
  return [...begun(id), delta(text), done(id, text, body)];
}

/** How every stream begins: it names the response that it continues from. */
export function begun(id: string, parent: string | null = 'resp_0'): StreamEvent[] {
  const response = { id, previous_response_id: parent };
  return [
    { type: 'response_started', providerData: { type: 'response.created', response } },
    { type: 'model', event: { type: 'response.created', response } },
    { type: 'model', event: { type: 'response.in_progress', response } },
  ];
}

export function delta(text: string): StreamEvent {
  return { type: 'output_text_delta', delta: text };
}

export function done(id: string, text: string, body: Record<string, unknown> = {}): StreamEvent {
  const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
  const response = { id, usage, output: [message(text)], providerData: bodyOf(id, body) };
  return { type: 'response_done', response };
}
