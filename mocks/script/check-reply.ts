import { areHeaders, STATUS_ERROR_FIELDS, type StatusError } from '../faults/status-error.ts';
import { notAmong, refuseUnknown } from '../known-names.ts';
import type { ModelAnswer, ToolCall } from '../model/answer.ts';
import { itemFields } from '../wire/item-fields.ts';
import { isJsonObject, type JsonObject, jsonTypeName, ownEntry } from '../wire/json.ts';
import { paceProblem } from './pace.ts';

const SUBJECT = 'Cannot script a reply:';

const CALL_FIELDS = ['name', 'arguments', 'callId'] as const satisfies readonly (keyof ToolCall)[];

const INCOMPLETE = [
  'max_output_tokens',
  'content_filter',
] as const satisfies readonly ModelAnswer['incomplete'][];

/** Checks one field of an answer. */
type FieldCheck = (value: unknown, field: string) => void;

const text: FieldCheck = (value, field) => {
  if (typeof value !== 'string') throw wrongType(field, 'a text', value);
};

const object: FieldCheck = (value, field) => {
  if (!isJsonObject(value)) throw wrongType(field, 'an object', value);
};

const listOf =
  (check: FieldCheck): FieldCheck =>
  (value, field) => {
    if (!Array.isArray(value)) throw wrongType(field, 'an array', value);
    for (const [index, each] of value.entries()) check(each, `${field}[${index}]`);
  };

const call: FieldCheck = (value, field) => {
  object(value, field);
  const given = Object.assign({ name: undefined, arguments: '', callId: '' }, value);
  refuseUnknown(`${SUBJECT} "${field}"`, given, CALL_FIELDS);
  text(given.name, `${field}.name`);
  text(given.callId, `${field}.callId`);
  if (!isJsonObject(given.arguments)) text(given.arguments, `${field}.arguments`);
};

/** A raw item: without a type it is a message, and without an ID it is given one. */
const item: FieldCheck = (value, field) => {
  object(value, field);
  const given: JsonObject = Object.assign({ type: 'message', role: 'assistant' }, value);
  text(given['type'], `${field}.type`);
  if (given['type'] === 'message') listOf(object)(given['content'], `${field}.content`);
  for (const key of ownEntry(itemFields, String(given['type']))?.required ?? [])
    if (key !== 'id' && given[key] === undefined) throw wrongType(`${field}.${key}`, 'there', undefined);
};

const incomplete: FieldCheck = (value, field) => {
  if (!INCOMPLETE.some((each) => each === value))
    throw notAmong(`${SUBJECT} "${field}" cannot be ${JSON.stringify(value)}`, INCOMPLETE);
};

const failed: FieldCheck = (value, field) => {
  object(value, field);
  const given = Object.assign({ code: undefined, message: undefined }, value);
  text(given.code, `${field}.code`);
  text(given.message, `${field}.message`);
};

const pace: FieldCheck = (value, field) => {
  object(value, field);
  const given = Object.assign({}, value);
  refuseUnknown(`${SUBJECT} "${field}"`, given, ['firstToken', 'rate']);
  const problem = paceProblem(given);
  if (problem !== undefined) throw new RangeError(`${SUBJECT} ${problem}`);
};

const answerFields: Readonly<Record<keyof ModelAnswer, FieldCheck>> = {
  text,
  json: () => undefined,
  calls: listOf(call),
  refusal: text,
  reasoning: text,
  items: listOf(item),
  incomplete,
  failed,
  pace,
};

/**
 * Checks a reply or the answer of a function, which TypeScript has not checked in every test.
 * @throws RangeError for an unknown field, of which it names the right ones, or a value that makes no sense.
 */
export function checkReply(reply: unknown): void {
  if (typeof reply === 'string' || typeof reply === 'function') return;
  if (!isJsonObject(reply)) throw wrongType('reply', 'a text, an object or a function', reply);
  if (isStatusError(reply)) {
    refuseUnknown(`${SUBJECT} it`, reply, STATUS_ERROR_FIELDS);
    const { status } = reply;
    if (!Number.isInteger(status) || status < 400 || status > 599)
      throw new RangeError(`${SUBJECT} "status" must be from 400 to 599, but it is ${String(status)}`);
    const { headers } = reply;
    if (headers !== undefined && !areHeaders(headers))
      throw wrongType('headers', 'an object of headers', headers);
    return;
  }
  refuseUnknown(`${SUBJECT} it`, reply, Object.keys(answerFields));
  for (const [field, check] of Object.entries(answerFields)) {
    if (reply[field] !== undefined) check(reply[field], field);
  }
}

/** Whether a reply is an error. */
export function isStatusError(reply: object): reply is StatusError {
  return 'status' in reply;
}

function wrongType(field: string, expected: string, value: unknown): RangeError {
  return new RangeError(`${SUBJECT} "${field}" must be ${expected}, but it is ${jsonTypeName(value)}`);
}
