/** Answers one request. */
export type Handle = (request: Request) => Promise<Response>;

/** Makes a `fetch` of a handler, one that obeys the signal of its caller while it waits and while the body is read. */
export function abortableFetch(handle: Handle): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    // A request follows its caller's signal only as long as it is not collected, and one that waits for ever may be.
    const signal = init?.signal ?? request.signal;
    signal.throwIfAborted();
    const response = await unlessAborted(handle(request), signal);
    return response.body ? new Response(abortableBody(response.body, signal), response) : response;
  };
}

/** Makes a handler whose requests are in a set until they are answered to the end: to abort one breaks it. */
export function breakableHandle(handle: Handle, open: Set<AbortController>): Handle {
  return async (request) => {
    const breaking = new AbortController();
    const ended = (): void => void open.delete(breaking);
    open.add(breaking);
    try {
      const response = await unlessAborted(handle(request), breaking.signal);
      if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true || !response.body) {
        ended();
        return response;
      }
      return new Response(abortableBody(response.body, breaking.signal, ended), response);
    } catch (error) {
      ended();
      throw error;
    }
  };
}

/** An answer, or the reason of a signal that is aborted before it comes. */
function unlessAborted(answer: Promise<Response>, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(reasonOf(signal));
    // Node keeps a signal of `AbortSignal.any()`, and all that its listeners hold, until it has no listener.
    const ended = (): void => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    answer.then(resolve, reject);
    answer.then(ended, ended);
  });
}

/** A body that breaks when the signal is aborted, and tells its source so. */
function abortableBody(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  atEnd: () => void = () => undefined,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const abort = (): void => {
          controller.error(reasonOf(signal));
          reader.cancel(reasonOf(signal)).catch(() => undefined);
        };
        signal.addEventListener('abort', abort, { once: true });
        const ended = (): void => {
          signal.removeEventListener('abort', abort);
          atEnd();
        };
        reader.closed.then(ended, ended);
      },
      async pull(controller) {
        const read = await reader.read();
        if (signal.aborted) return;
        if (read.done) controller.close();
        else controller.enqueue(read.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error
    ? signal.reason
    : new DOMException('This operation was aborted', 'AbortError');
}
