import type { Fault, FaultName, NamedFault, StatusFault } from './fault-table.ts';
import { faultTable } from './fault-table.ts';
import type { FaultEffect } from './fault-effect.ts';
import type { FaultTiming } from './fault.ts';
import { areHeaders, STATUS_ERROR_FIELDS } from './status-error.ts';
import { notAmong, refuseUnknown } from '../known-names.ts';
import { operations, type Operation } from '../http/operations.ts';
import { STREAM_EVENTS } from '../responses/stream-events.ts';
import { isJsonObject } from '../wire/json.ts';

const TIMING = ['times', 'skip', 'chance', 'when'] as const satisfies readonly (keyof FaultTiming)[];

const STATUS_FIELDS = [
  ...STATUS_ERROR_FIELDS,
  ...TIMING,
  'moment',
] as const satisfies readonly (keyof StatusFault)[];

const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0;
const isText = (value: unknown): boolean => typeof value === 'string';
const isEvent = (value: unknown): boolean => STREAM_EVENTS.some((type) => type === value);

/** The values that a field can have, in words and as a test. */
const VALUES: Readonly<Record<string, readonly [words: string, fits: (value: unknown) => boolean]>> = {
  times: ['a whole number', isCount],
  skip: ['a whole number', isCount],
  chance: ['from 0 to 1', (value) => isAmount(value) && Number(value) <= 1],
  when: ['a function', (value) => typeof value === 'function'],
  moment: ['before or after', (value) => value === 'before' || value === 'after'],
  retryAfter: ['a number of seconds', isAmount],
  id: ['a text', isText],
  count: ['a whole number of at least 1', (value) => isCount(value) && Number(value) >= 1],
  at: ['a number or the type of an event', (value) => isCount(value) || isEvent(value)],
  every: ['a number of milliseconds', isAmount],
  headers: ['an object of headers', areHeaders],
  status: ['from 400 to 599', (value) => isCount(value) && Number(value) >= 400 && Number(value) <= 599],
};

/**
 * Checks a fault, which TypeScript has not checked in every test.
 * @throws RangeError for an unknown operation, fault or field, of which it names the right ones, for a value that makes no
 * sense, and for a fault that can never strike the operation.
 */
export function checkFault(operation: Operation | '*', fault: Fault): void {
  if (operation !== '*' && !operations.includes(operation))
    throw notAmong(`Cannot set a fault for "${operation}"`, ['*', ...operations]);
  const given: unknown = fault;
  if (isJsonObject(given) && 'status' in given) {
    refuseUnknown('Cannot set a fault: it', given, STATUS_FIELDS);
    checkValues('Cannot set a fault:', given);
    return;
  }
  const name = isJsonObject(given) ? given['name'] : given;
  if (!isName(name)) throw notAmong(`Cannot set the fault "${String(name)}"`, Object.keys(faultTable));
  const { takes = [], on }: FaultEffect = faultTable[name];
  if (isJsonObject(given)) {
    const known = ['name', ...TIMING, ...takes] as const satisfies readonly (keyof NamedFault)[];
    refuseUnknown(`Cannot set the fault "${name}": it`, given, known);
    checkValues(`Cannot set the fault "${name}":`, given);
  }
  if (on !== undefined && operation !== '*' && !on.includes(operation))
    throw notAmong(`Cannot set the fault "${name}" for "${operation}"`, ['*', ...on]);
}

function isName(name: unknown): name is FaultName {
  return typeof name === 'string' && Object.hasOwn(faultTable, name);
}

function checkValues(subject: string, given: Readonly<Record<string, unknown>>): void {
  for (const [field, [words, fits]] of Object.entries(VALUES)) {
    const value = given[field];
    if (value !== undefined && !fits(value))
      throw new RangeError(`${subject} "${field}" must be ${words}, but it is ${JSON.stringify(value)}`);
  }
}
