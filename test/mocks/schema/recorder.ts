import type { Operation, SimulatorCore } from '../../../mocks/index.ts';

/** An event of a recorded stream. */
export interface RecordedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One answer as it went over the wire. */
export interface Recorded {
  readonly operation: Operation | undefined;
  readonly status: number;
  /** The body, or nothing for a stream. */
  readonly body: unknown;
  /** The events of a stream. */
  readonly events: readonly RecordedEvent[];
}

/** A `fetch` on a simulator that keeps a copy of every answer. */
export function recordingFetch(simulator: SimulatorCore, recorded: Recorded[]): typeof fetch {
  return async (input, init) => {
    const response = await simulator.fetch(input, init);
    const operation = simulator.log.at(-1)?.operation;
    const text = await response.text();
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    recorded.push({
      operation,
      status: response.status,
      body: isStream ? undefined : JSON.parse(text),
      events: isStream ? parseEvents(text) : [],
    });
    return new Response(text, response);
  };
}

/** Reads the events of a whole stream. */
function parseEvents(text: string): RecordedEvent[] {
  return Array.from(text.matchAll(/^data: (.*)$/gm), (match): RecordedEvent => JSON.parse(match[1] ?? ''));
}
