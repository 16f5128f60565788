import type { StreamAnswer } from './exchange.ts';
import type { StreamEvent } from '../responses/stream-events.ts';

/** Callbacks of a stream that is sent. */
export interface StreamListener {
  sent(bytes: number): void;
  /** Called once: all was sent, the client went away, or the connection broke. */
  ended(): void;
}

/**
 * Sends events as `text/event-stream`, one each time the client is ready for it. A client that goes away before the last
 * event has abandoned the answer; so has one that aborts its request, or whose connection breaks.
 */
export function eventStream(
  answer: StreamAnswer,
  signal: AbortSignal,
  listener: StreamListener,
): ReadableStream<Uint8Array> {
  const iterator = answer.events[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  const abandon = (): void => {
    answer.abandoned();
    listener.ended();
  };
  if (signal.aborted) abandon();
  signal.addEventListener('abort', abandon, { once: true });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await iterator.next();
          if (next.done) {
            listener.ended();
            controller.close();
            return;
          }
          const chunk = encoder.encode(frame(next.value));
          listener.sent(chunk.byteLength);
          controller.enqueue(chunk);
        } catch (error) {
          abandon();
          controller.error(error);
        }
      },
      async cancel() {
        abandon();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

function frame(event: StreamEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
