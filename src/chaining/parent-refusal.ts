import { isObject } from '../util/json.ts';

/** A pattern of an error about the parent; `code` and `message` must both match where they are set. */
export interface RefusalCase {
  readonly why: string;
  readonly code?: string;
  readonly message?: RegExp;
}

/** Errors with a known reason. Another error that names the parent is a refusal for an unknown reason. */
export const REFUSAL_CASES: readonly RefusalCase[] = [
  { why: 'not found', code: 'previous_response_not_found' },
  { why: 'not found', message: /previous[ _]response(_id)?\b[^.]*\b(not found|does not exist)/i },
  { why: 'not found', message: /\bresponse with id ['"`]?resp_\S+ not found/i },
  { why: 'not found', message: /\b(invalid|unknown) ['"`]?previous_response_id/i },
  { why: 'not stored', message: /previous[ _]response\b.*zero[ -]data[ -]retention/i },
  {
    why: 'not supported',
    message:
      /previous_response_id\b.*((not|only) (supported|allowed|available|enabled|permitted)|cannot be used|session database)/i,
  },
  {
    why: 'not supported',
    message: /\b(not support(ed)?|unsupported|unrecognized|unexpected|unknown \w+)\b.*previous_response_id/i,
  },
  {
    why: 'not finished',
    message: /previous[ _]response\b.*(in progress|not (yet )?(complete|finished)|still (running|being))/i,
  },
  { why: 'expired', message: /previous[ _]response\b[^.]*\bexpired/i },
  { why: 'call without output', message: /no tool output found for [\w ]*call/i },
  { why: 'output without call', message: /no tool call found for [\w ]*output/i },
  // A gateway passed a tool's output to another provider without the call in the parent.
  {
    why: 'output without call',
    message: /\brole ['"`]?tool\b.*\btool_calls\b|\btool_use_id\b|\bfunction response parts?\b/i,
  },
  { why: 'item twice', message: /duplicate item found with id/i },
];

/** Statuses about credentials, rate or time: they never concern the parent. */
const UNRELATED_STATUSES = new Set<number | undefined>([401, 403, 408, 429]);

/** Statuses of a server that did not find the parent, or lacks the feature. */
const NOT_FOUND_STATUSES = new Set([404, 405, 410, 501]);

/** A message of the server, unlike the client's own text for a missing body. */
const SERVER_MESSAGE = /^(?!\d{3} status code \(no body\)$).*\S/s;

/** Other objects that a server may not find. */
const OTHER_THING =
  /\b(models?|deployments?|engine|item with id|conversations?|containers?|files?|vector[ _]stores?|prompts?|projects?)\b/i;

/**
 * The reason for which the server refused to continue from the parent.
 *
 * Checks the error, its causes and the events of a failed stream. The client keeps only `error` of a body, so an error without
 * a message counts as a refusal. The first piece of evidence is the error itself.
 *
 * @returns undefined if the error does not concern the parent; it then reaches the caller.
 */
export function parentRefusal(parentId: string, ...evidence: readonly unknown[]): string | undefined {
  const facts = errorFacts(...evidence);
  if (facts.some(({ status }) => UNRELATED_STATUSES.has(status))) return undefined;
  for (const fact of facts) {
    const known = REFUSAL_CASES.find((refusal) => matches(refusal, fact));
    if (known !== undefined) return known.why;
  }
  const statuses = new Set(facts.flatMap(({ status }) => status ?? []));
  if (facts.some((fact) => names(fact, parentId))) return 'refused';
  if ([...statuses].some((status) => status >= 500 && status !== 501) || isWithoutResponse(evidence[0]))
    return 'server error';
  const isAny = (pattern: RegExp): boolean => facts.some(({ message }) => pattern.test(message));
  if ([...statuses].some((status) => NOT_FOUND_STATUSES.has(status)) && !isAny(OTHER_THING)) return 'refused';
  return statuses.size > 0 && !isAny(SERVER_MESSAGE) ? 'refused' : undefined;
}

/** What engines say of a value that is missing or of another type; a connection that breaks is a `TypeError`, too. */
const MISREAD = /undefined|null|not iterable|'in' operator|not an object/i;

/** Whether the server answered 200 with no response, such as the body of an error or a page: the model class fails on reading it. */
function isWithoutResponse(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof TypeError && MISREAD.test(error.message));
}

/** Reasons that concern the server, not the response. */
const ABOUT_THE_SERVER: ReadonlySet<string> = new Set([
  'not supported',
  'not stored',
  'not streamed',
  'server error',
]);

/** Reasons that concern this response together with this request. */
const ABOUT_THE_PAIR: ReadonlySet<string> = new Set([
  'call without output',
  'output without call',
  'item twice',
  'reasoning lost',
]);

/** A new response may become readable this late; a refusal of it lasts as long. */
const SETTLING_MS = 2 * 60 * 1000;

/** A refusal of a response younger than this counts as a failure of the server. */
const FRESH_MS = 60 * 60 * 1000;

/** The consequences of a refusal for later requests. */
export interface Consequences {
  /** Whether the refusal counts as a failure of the server. */
  readonly isOfServer: boolean;
  /** The time from which requests may use the response again, in milliseconds since the epoch; undefined for never. */
  readonly until: number | undefined;
}

/** @param time the creation time of the response, in milliseconds since the epoch. */
export function consequencesOf(why: string, time: number, now: number): Consequences {
  if (ABOUT_THE_PAIR.has(why)) return { isOfServer: false, until: undefined };
  const isOfServer = ABOUT_THE_SERVER.has(why);
  const isLasting = !isOfServer && now - time >= SETTLING_MS;
  return {
    isOfServer: isOfServer || now - time < FRESH_MS,
    until: isLasting ? undefined : now + SETTLING_MS,
  };
}

/** The facts of an error. */
export interface Facts {
  readonly status: number | undefined;
  readonly code: unknown;
  readonly param: string;
  readonly message: string;
}

function matches({ code, message }: RefusalCase, facts: Facts): boolean {
  return (
    (code === undefined || facts.code === code) && (message === undefined || message.test(facts.message))
  );
}

function names({ message, param }: Facts, parentId: string): boolean {
  return (
    /previous[ _]?response/i.test(message) ||
    param.startsWith('previous_response') ||
    message.includes(parentId)
  );
}

/** The checked part of a message, in characters: a long one must not delay the turn. */
const MAX_MESSAGE_LENGTH = 4000;

/** The checked fields of one object. */
const MAX_FIELDS = 40;

/** Fields that may quote the request, or belong to a response instead of an error. */
const IGNORED_FIELDS = new Set([
  'headers',
  'input',
  'instructions',
  'metadata',
  'output',
  'previous_response_id',
  'providerData',
  'requestID',
  'request_id',
  'stack',
  'tools',
]);

/** Collects the facts of errors, their causes and the events of a failed stream. */
export function errorFacts(...evidence: readonly unknown[]): Facts[] {
  return evidence.flatMap((error) => factsOf(error, undefined, 0));
}

/** The facts of an error and of the values in it, in any structure. */
function factsOf(value: unknown, outer: number | undefined, depth: number): Facts[] {
  if (depth > 6) return [];
  if (typeof value === 'string') return [fact(outer, undefined, undefined, value)];
  if (Array.isArray(value)) {
    const words = value.filter((entry: unknown) => typeof entry === 'string').slice(0, MAX_FIELDS);
    const others = value.filter((entry: unknown) => typeof entry !== 'string').slice(0, MAX_FIELDS);
    return [
      ...(words.length === 0 ? [] : [fact(outer, undefined, undefined, words.join(' '))]),
      ...others.flatMap((entry: unknown) => factsOf(entry, outer, depth + 1)),
    ];
  }
  if (!isObject(value)) return [];
  // A failed response holds the cause in `error` only.
  if (Array.isArray(value['output']) || value['object'] === 'response')
    return factsOf(value['error'], outer, depth + 1);
  const status = statusOf(value) ?? outer;
  const { code, param } = value;
  // The message and cause of an `Error` are not enumerable.
  const named = value instanceof Error ? ['message', 'cause', 'errors'] : [];
  const keys = [...new Set([...named, ...Object.keys(value)])].filter((key) => !IGNORED_FIELDS.has(key));
  const texts: string[] = [];
  const carried: Facts[] = [];
  for (const key of keys.slice(0, MAX_FIELDS)) {
    const field = value[key];
    if (key === 'param' || (key === 'type' && 'event' in value)) continue;
    if (typeof field === 'string') texts.push(field.slice(0, MAX_MESSAGE_LENGTH));
    else carried.push(...factsOf(field, status, depth + 1));
  }
  return [fact(status, code, param, texts.join('\n')), ...carried];
}

function fact(status: number | undefined, code: unknown, param: unknown, message: string): Facts {
  return {
    status,
    code,
    param: typeof param === 'string' ? param.slice(0, MAX_MESSAGE_LENGTH) : '',
    message: message.slice(0, MAX_MESSAGE_LENGTH),
  };
}

/** The HTTP status, or the equivalent in an event's code or at the start of its message. */
function statusOf({ status, code, message }: Readonly<Record<string, unknown>>): number | undefined {
  if (code === 'server_error' || code === 'internal_error' || code === 'internal_server_error') return 500;
  const quoted = typeof message === 'string' ? Number(/^[45]\d\d\b/.exec(message)?.[0]) : undefined;
  return [status, code, quoted].find(
    (value): value is number => typeof value === 'number' && value >= 400 && value < 600,
  );
}
