import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamEvent } from '../responses/stream-events.ts';
import type { Pace } from '../model/answer.ts';
import { tokensOfText } from '../model/tokens.ts';

/** The first problem of a pace; `undefined` if it makes sense. */
export function paceProblem({ firstToken = 0, rate = Infinity }: Pace): string | undefined {
  if (!(firstToken >= 0)) return `"pace.firstToken" must be at least 0, but it is ${firstToken}`;
  return rate > 0 ? undefined : `"pace.rate" must be more than 0, but it is ${rate}`;
}

/** Tells events at a pace: the first delta after the time to the first token, each delta after the time of its tokens. */
export async function* pacedEvents(
  events: AsyncIterable<StreamEvent>,
  pace: Pace,
): AsyncGenerator<StreamEvent> {
  let hasBegun = false;
  for await (const event of events) {
    const tokens = tokensIn(event);
    const milliseconds = (hasBegun || tokens === 0 ? 0 : (pace.firstToken ?? 0)) + timeOf(tokens, pace);
    if (tokens > 0) hasBegun = true;
    if (milliseconds > 0) await sleep(milliseconds);
    yield event;
  }
}

/** Waits as long as the stream of these events would take. */
export async function pacedAnswer(events: readonly StreamEvent[], pace: Pace): Promise<void> {
  const tokens = events.map(tokensIn);
  const isAnswered = tokens.some((count) => count > 0);
  const milliseconds = tokens.reduce(
    (total, count) => total + timeOf(count, pace),
    isAnswered ? (pace.firstToken ?? 0) : 0,
  );
  if (milliseconds > 0) await sleep(milliseconds);
}

function tokensIn(event: StreamEvent): number {
  return event.type.endsWith('.delta') && typeof event['delta'] === 'string'
    ? tokensOfText(event['delta'])
    : 0;
}

function timeOf(tokens: number, { rate = Infinity }: Pace): number {
  return (tokens / rate) * 1000;
}
