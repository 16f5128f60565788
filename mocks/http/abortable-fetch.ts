/** Answers one request. */
export type Handle = (request: Request) => Promise<Response>;

/** Makes a `fetch` of a handler, one that obeys the signal of its caller while it waits and while the body is read. */
export function abortableFetch(handle: Handle): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    // A request follows its caller's signal only as long as it is not collected, and one that waits for ever may be.
    const signal = init?.signal ?? request.signal;
    signal.throwIfAborted();
    const response = await new Promise<Response>((resolve, reject) => {
      const abort = (): void => reject(reasonOf(signal));
      // Node keeps a signal of `AbortSignal.any()`, and all that its listeners hold, until it has no listener.
      const ended = (): void => signal.removeEventListener('abort', abort);
      signal.addEventListener('abort', abort, { once: true });
      const answer = handle(request);
      answer.then(resolve, reject);
      answer.then(ended, ended);
    });
    return response.body ? new Response(abortableBody(response.body, signal), response) : response;
  };
}

/** A body that breaks when the signal is aborted, and tells its source so. */
function abortableBody(body: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const abort = (): void => {
          controller.error(reasonOf(signal));
          reader.cancel(reasonOf(signal)).catch(() => undefined);
        };
        signal.addEventListener('abort', abort, { once: true });
        const ended = (): void => signal.removeEventListener('abort', abort);
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
