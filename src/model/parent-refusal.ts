import { isObject } from '../ledger/json.ts';

/** One way in which a server says that the parent is the problem; every field that a case names has to match. */
export interface RefusalCase {
  readonly why: string;
  readonly code?: string;
  readonly message?: RegExp;
  readonly param?: string;
  /** The HTTP statuses it comes with; an event of a stream has none. */
  readonly statuses?: readonly number[];
}

/** Every known form. */
export const REFUSAL_CASES: readonly RefusalCase[] = [
  { why: 'not found', code: 'previous_response_not_found' },
  { why: 'not found', message: /previous[ _]response(_id)?\b[^.]*\bnot found/i },
  { why: 'not found', message: /\bresponse with id ['"`]?resp_\S+ not found/i },
  { why: 'not stored', message: /previous[ _]response\b.*zero[ -]data[ -]retention/i },
  {
    why: 'not supported',
    message: /previous_response_id\b.*(not (supported|allowed|available|enabled)|cannot be used)/i,
  },
  {
    why: 'not supported',
    message:
      /(unsupported|unknown|unrecognized|unexpected) (parameter|field|argument)s?:? ['"`]?previous_response_id/i,
  },
  {
    why: 'not finished',
    message: /previous[ _]response\b.*(in progress|not (yet )?(complete|finished)|still (running|being))/i,
  },
  { why: 'expired', message: /previous[ _]response\b[^.]*\bexpired/i },
  { why: 'call without output', message: /no tool output found for [\w ]*call/i },
  { why: 'output without call', message: /no tool call found for [\w ]*output/i },
  { why: 'item twice', message: /duplicate item found with id/i },
  { why: 'refused', param: 'previous_response_id', statuses: [400, 404, 409, 410, 422] },
];

/**
 * Why the server refused a request because of the response it was to continue from.
 *
 * Looks at the error, at what it wraps, and at the events of a stream that failed.
 *
 * @returns undefined when the error has nothing to do with the parent: it is the caller's.
 */
export function parentRefusal(...evidence: readonly unknown[]): string | undefined {
  for (const facts of evidence.flatMap((one) => factsOf(one, undefined, 0))) {
    const match = REFUSAL_CASES.find((refusal) => matches(refusal, facts));
    if (match !== undefined) return match.why;
  }
  return undefined;
}

interface Facts {
  readonly status: number | undefined;
  readonly code: unknown;
  readonly param: unknown;
  readonly message: string;
}

function matches({ code, message, param, statuses }: RefusalCase, facts: Facts): boolean {
  return (
    (code === undefined || facts.code === code) &&
    (message === undefined || message.test(facts.message)) &&
    (param === undefined || facts.param === param) &&
    (statuses === undefined || facts.status === undefined || statuses.includes(facts.status))
  );
}

/** Of a message this much is looked at: a server that answers at length must not take the turn's time. */
const LOOKED_AT = 4000;

/** What an error carries: it may wrap another, a response that failed, or an event. */
const CARRIED = ['error', 'errors', 'cause', 'detail', 'response', 'event'];

/** An error's own facts and those of what it carries. */
function factsOf(value: unknown, outer: number | undefined, depth: number): Facts[] {
  if (depth > 5) return [];
  if (typeof value === 'string') {
    return [{ status: outer, code: undefined, param: undefined, message: value.slice(0, LOOKED_AT) }];
  }
  if (Array.isArray(value)) return value.flatMap((one: unknown) => factsOf(one, outer, depth + 1));
  if (!isObject(value)) return [];
  const status = typeof value['status'] === 'number' ? value['status'] : outer;
  const message = typeof value['message'] === 'string' ? value['message'].slice(0, LOOKED_AT) : '';
  const own: Facts = { status, code: value['code'], param: value['param'], message };
  return [own, ...CARRIED.flatMap((key) => factsOf(value[key], status, depth + 1))];
}
