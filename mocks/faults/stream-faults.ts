import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultDetails } from './fault.ts';
import type { StreamEvent } from '../responses/stream-events.ts';

type Events = AsyncIterable<StreamEvent>;

/** Breaks the connection before the event of the given number or type; without one, before the last. */
export async function* cutStream(events: Events, { at }: FaultDetails): AsyncGenerator<StreamEvent> {
  let held: StreamEvent | undefined;
  for await (const event of events) {
    if (at === event.sequence_number || at === event.type) throw new TypeError('terminated');
    if (at === undefined) {
      if (held) yield held;
      held = event;
    } else {
      yield event;
    }
  }
  if (held) throw new TypeError('terminated');
}

/** Waits before each event, 10 ms unless told otherwise. */
export async function* slowStream(events: Events, { every = 10 }: FaultDetails): AsyncGenerator<StreamEvent> {
  for await (const event of events) {
    await sleep(every);
    yield event;
  }
}
