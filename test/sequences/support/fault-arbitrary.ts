import * as fc from 'fast-check';
import type { FaultEffect } from '../../../mocks/faults/fault-effect.ts';
import { faultTable, type FaultName } from '../../../mocks/faults/fault-table.ts';
import type { Operation } from '../../../mocks/http/operations.ts';
import type { Fault } from '../../../mocks/index.ts';

/** A fault of the simulator, and its operation. */
export interface ArbitraryFault {
  readonly operation: Operation | '*';
  readonly fault: Exclude<Fault, string>;
}

const LIST: readonly Operation[] = ['conversations.items.list', 'responses.inputItems.list'];
const MODEL: readonly Operation[] = ['responses.create'];

/** The operations of a session or a run. */
const ASKED: readonly (Operation | '*')[] = [
  '*',
  'conversations.create',
  'conversations.retrieve',
  'conversations.update',
  'conversations.delete',
  'conversations.items.create',
  'conversations.items.create',
  'conversations.items.create',
  'conversations.items.list',
  'conversations.items.list',
  'conversations.items.delete',
  'responses.create',
  'responses.retrieve',
  'responses.inputItems.list',
];

/** The operations for a fault: a fault of lists or answers strikes only these. */
const PLACES: { readonly [name in FaultName]?: readonly (Operation | '*')[] } = {
  dropped_items: LIST,
  duplicated_items: LIST,
  reordered_items: LIST,
  lagging_items: LIST,
  missing_cursor: LIST,
  failed_response: MODEL,
  incomplete_response: MODEL,
  cut_stream: MODEL,
  slow_stream: MODEL,
  zero_data_retention: MODEL,
  previous_response_not_found: MODEL,
  no_tool_output: MODEL,
  no_tool_call: MODEL,
  context_length_exceeded: MODEL,
};

/** A refusal for good says that nothing was done: it cannot come after the effect. */
const REFUSALS: ReadonlySet<FaultName> = new Set<FaultName>([
  'duplicate_item',
  'no_tool_output',
  'no_tool_call',
  'context_length_exceeded',
]);

const names = Object.keys(faultTable) as FaultName[];

const skip = fc.constantFrom(0, 0, 0, 1, 2, 5);
const moment = fc.constantFrom('before' as const, 'after' as const);

/** The details of a fault; each fault takes some of them. */
const DETAILS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  moment,
  every: fc.constant(0),
  retryAfter: fc.constant(0),
  count: fc.constantFrom(1, 1, 2, 7),
  at: fc.constantFrom('response.in_progress', 'response.output_item.added', 'response.completed'),
};

function detailsOf(name: FaultName): fc.Arbitrary<object> {
  const { takes = [] }: FaultEffect = faultTable[name];
  return fc.record(
    Object.fromEntries(takes.flatMap((detail) => (DETAILS[detail] ? [[detail, DETAILS[detail]]] : []))),
  );
}

/** Most strike once or twice; some last until they are lifted. */
const times = fc.constantFrom<number | undefined>(1, 1, 1, 2, 3, undefined);

const named = fc.constantFrom(...names).chain((name) =>
  fc.record({
    operation: fc.constantFrom(...(PLACES[name] ?? ASKED)),
    fault: fc
      .tuple(detailsOf(name), skip)
      .map(([details, skipped]) => ({ name, ...details, skip: skipped }))
      .map((fault) => (REFUSALS.has(name) ? { ...fault, moment: 'before' as const } : fault))
      .chain((fault) => timed(fault)),
  }),
);

const spelledOut = fc.record({
  operation: fc.constantFrom(...ASKED),
  fault: fc
    .record({ status: fc.constantFrom(500, 408, 409, 429, 504), moment, skip })
    .chain((fault) => timed(fault)),
});

function timed<T extends object>(fault: T): fc.Arbitrary<T & { times?: number }> {
  return times.map((often) => (often === undefined ? fault : { ...fault, times: often }));
}

/** Every fault there is, on everything that is asked for, at any moment, once or for good. */
export const anyFault: fc.Arbitrary<ArbitraryFault> = fc.oneof(
  { weight: 3, arbitrary: named },
  { weight: 2, arbitrary: spelledOut },
);
