import type { StreamListener } from './event-stream.ts';

/** The same response, whose listener hears of each chunk and of the end. */
export function countedResponse(response: Response, listener: StreamListener): Response {
  if (response.body === null) {
    listener.ended();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const read = await reader.read();
          if (read.done) {
            listener.ended();
            controller.close();
            return;
          }
          listener.sent(read.value.byteLength);
          controller.enqueue(read.value);
        } catch (error) {
          listener.ended();
          controller.error(error);
        }
      },
      async cancel(reason) {
        listener.ended();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}
