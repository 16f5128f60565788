import type { LogEntry, SimulatorCore, SimulatorItem } from '../../../mocks/index.ts';

/** A request that a model answered. */
export type AnsweredRequest = LogEntry & { readonly context: readonly SimulatorItem[] };

/**
 * The requests that a model answered, oldest first.
 *
 * Answers of a server that did not show its model the response that was to be continued do not count: nobody may use them.
 */
export function answeredRequests(simulator: SimulatorCore): AnsweredRequest[] {
  return simulator.log.flatMap((entry) => {
    const { context } = entry;
    const isAnswered = entry.operation === 'responses.create' && entry.status === 200;
    if (!isAnswered || context === undefined || isWithoutParent(entry.body ?? {}, context)) return [];
    return [{ ...entry, context }];
  });
}

/** Whether the server did not show its model the response that the request was to continue. */
export function isWithoutParent(
  request: Readonly<Record<string, unknown>>,
  context: readonly SimulatorItem[],
): boolean {
  const { input, previous_response_id: previous } = request;
  if (typeof previous !== 'string') return false;
  return context.length <= (Array.isArray(input) ? input.length : 1);
}

/** What a model reads of each item, one line for each: everything but IDs, reasoning, and what the server fills in. */
export function comparableContext(context: readonly SimulatorItem[]): string[] {
  return context.filter(({ type }) => type !== 'reasoning').map((item) => JSON.stringify(comparable(item)));
}

const FILLED_IN = new Set(['id', 'status', 'annotations', 'logprobs', 'pending_safety_checks']);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => comparable(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      // Where a field is optional, null says what its absence says.
      .filter(([key, entry]) => !FILLED_IN.has(key) && entry !== undefined && entry !== null)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, comparable(entry)]),
  );
}
