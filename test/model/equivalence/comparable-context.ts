import type { LogEntry, SimulatorCore, SimulatorItem } from '../../../mocks/index.ts';

/** A request that a model answered. */
export type AnsweredRequest = LogEntry & { readonly context: readonly SimulatorItem[] };

/** The requests that a model answered, oldest first. */
export function answeredRequests(simulator: SimulatorCore): AnsweredRequest[] {
  return simulator.log.flatMap((entry) => {
    const { context } = entry;
    const isAnswered = entry.operation === 'responses.create' && entry.status === 200;
    return isAnswered && context !== undefined ? [{ ...entry, context }] : [];
  });
}

/** What a model reads of each item, one line for each: everything but IDs, reasoning, and what the server fills in. */
export function comparableContext(context: readonly SimulatorItem[]): string[] {
  return context.filter(({ type }) => type !== 'reasoning').map((item) => JSON.stringify(comparable(item)));
}

const FILLED_IN = new Set(['id', 'status', 'annotations', 'logprobs']);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => comparable(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, entry]) => !FILLED_IN.has(key) && entry !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, comparable(entry)]),
  );
}
