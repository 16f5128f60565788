import type { SimulatorCore } from '../../mocks/index.ts';

/** What the SDK hands over besides the address. */
export interface SocketOptions {
  readonly headers: Record<string, string>;
}

/** The frames that were sent over simulated sockets, oldest first. */
export interface Wire {
  readonly frames: readonly Record<string, unknown>[];
  readonly WebSocket: new (url: string, options: SocketOptions) => EventTarget;
  /** How many connections are open. */
  readonly open: () => number;
}

/** A `WebSocket` whose other end is a simulator: each `response.create` is streamed back, event by event. */
export function simulatedWire(simulator: SimulatorCore): Wire {
  const frames: Record<string, unknown>[] = [];
  let open = 0;

  class SimulatedWebSocket extends EventTarget {
    readonly CONNECTING = 0;
    readonly OPEN = 1;
    readonly CLOSING = 2;
    readonly CLOSED = 3;
    readyState = 0;
    readonly #headers: Record<string, string>;

    constructor(_url: string, options: SocketOptions) {
      super();
      this.#headers = options.headers;
      queueMicrotask(() => {
        this.readyState = 1;
        open += 1;
        this.dispatchEvent(new Event('open'));
      });
    }

    send(text: string): void {
      const { type: _type, ...body }: Record<string, unknown> = JSON.parse(text);
      frames.push(body);
      void this.#answer(body);
    }

    close(): void {
      if (this.readyState === 3) return;
      if (this.readyState === 1) open -= 1;
      this.readyState = 3;
      this.dispatchEvent(new Event('close'));
    }

    async #answer(body: Record<string, unknown>): Promise<void> {
      const response = await simulator.handle(
        new Request('http://127.0.0.1/v1/responses', {
          method: 'POST',
          headers: {
            authorization: this.#headers['Authorization'] ?? 'Bearer test',
            'content-type': 'application/json',
          },
          body: JSON.stringify({ ...body, stream: true }),
        }),
      );
      const text = await response.text();
      if (response.status === 200) {
        for (const [, data = ''] of text.matchAll(/^data: (.*)$/gm)) this.#receive(data);
      } else {
        const { error }: { readonly error: unknown } = JSON.parse(text);
        this.#receive(JSON.stringify({ type: 'error', status: response.status, error }));
      }
    }

    #receive(data: string): void {
      if (this.readyState === 1) this.dispatchEvent(new MessageEvent('message', { data }));
    }
  }

  return { frames, WebSocket: SimulatedWebSocket, open: () => open };
}
