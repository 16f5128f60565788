import { checkUpstream, forward } from './forward.ts';
import { bytesOf, recordBody } from './recorded-body.ts';
import { Recordings, type CanonicalRequest, type Recording } from './recordings.ts';
import { Secrets } from './secrets.ts';
import { refuseUnknown } from '../known-names.ts';
import { ApiError } from '../wire/api-error.ts';

/** Where a recording comes from, and where it is kept. */
export interface RecordOptions {
  /** The file, JSON Lines; made if there is none, continued otherwise. */
  file: string;
  /** The base URL of the server. @default 'https://api.openai.com/v1' */
  upstream?: string;
}

/** A request whose body was read. */
export interface ReadRequest {
  readonly request: Request;
  /** The path after `/v1`. */
  readonly path: string;
  readonly query: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Statuses that tell of the moment, not of the request. */
const PASSING = new Set([401, 403, 407, 408, 409, 425, 429]);

/** Answers in the place of the simulator: from a file, or from a server whose answers go into the file. */
export class Recorder {
  readonly #recordings: Recordings;
  readonly #upstream: string | undefined;

  /** @throws RangeError or Error for options or a file that make no sense. */
  constructor({ file, upstream }: { readonly file: string; readonly upstream: string | undefined }) {
    this.#recordings = new Recordings(file, upstream !== undefined);
    this.#upstream = upstream;
  }

  /**
   * Records: a request that is not in the file goes to the server once.
   * @throws RangeError for an unknown option or an upstream that is no URL.
   */
  static recording(options: RecordOptions): Recorder {
    refuseUnknown('Cannot record: "options"', options, ['file', 'upstream']);
    const { file, upstream = 'https://api.openai.com/v1' } = options;
    checkUpstream('Cannot record: "upstream"', upstream);
    return new Recorder({ file, upstream });
  }

  /** Replays: a request that is not in the file is refused. */
  static replaying(file: string): Recorder {
    return new Recorder({ file, upstream: undefined });
  }

  /** @throws ApiError for a request that is not recorded, or a server that cannot be reached. */
  async answer(asked: ReadRequest): Promise<Response> {
    const secrets = new Secrets(asked.request);
    const request = canonical(asked, secrets);
    const known = this.#recordings.take(request);
    if (known !== undefined) return replayed(known);
    if (this.#upstream !== undefined) return this.#ask(asked, request, secrets, this.#upstream);
    throw new ApiError({
      status: 400,
      code: 'not_recorded',
      message: `The simulator has no recording for this request: ${this.#recordings.describeMiss(request)}`,
    });
  }

  async #ask(
    { request, path, query, body }: ReadRequest,
    asked: CanonicalRequest,
    secrets: Secrets,
    upstream: string,
  ): Promise<Response> {
    let isKept = false;
    try {
      const response = await forward(request, { upstream, target: `${path}${query}`, body });
      const { status } = response;
      const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
      const bytes = new Uint8Array(await response.arrayBuffer());
      isKept = status < 500 && !PASSING.has(status);
      const recording = {
        request: asked,
        status,
        contentType,
        answer: recordBody(bytes, contentType, secrets),
      };
      if (isKept) this.#recordings.add(recording);
      return new Response(status === 204 ? null : bytes, { status, headers: response.headers });
    } finally {
      if (!isKept) this.#recordings.untake(asked);
    }
  }
}

function canonical({ request, path, query, body }: ReadRequest, secrets: Secrets): CanonicalRequest {
  const contentType = request.headers.get('content-type') ?? '';
  return {
    method: request.method,
    path,
    query: secrets.removedFromQuery(query),
    body: recordBody(body, contentType, secrets),
  };
}

function replayed({ status, contentType, answer }: Recording): Response {
  const bytes = bytesOf(answer);
  const isStream = contentType.startsWith('text/event-stream');
  return new Response(status === 204 ? null : isStream ? eventByEvent(bytes) : bytes, {
    status,
    headers: { 'content-type': contentType },
  });
}

/** A stream that sends one event at a time. */
function eventByEvent(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const events = Buffer.from(bytes)
    .toString()
    .split(/(?<=\n\n)/)
    .values();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const next = events.next();
        if (next.done === true) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      },
    },
    { highWaterMark: 0 },
  );
}
