import { isObject } from '../ledger/json.ts';

/** One way in which a server says that the parent is the problem. */
interface RefusalCase {
  readonly why: string;
  readonly code?: string;
  readonly param?: string;
  readonly message?: RegExp;
}

/** Every known form; each field that a case names has to match. */
export const REFUSAL_CASES: readonly RefusalCase[] = [
  { why: 'not found', code: 'previous_response_not_found' },
  { why: 'not found', message: /previous response (with id )?['"`]?\S+['"`]? (was )?not found/i },
  { why: 'not found', message: /response with id ['"`]?resp_\S+ not found/i },
  { why: 'not stored', message: /zero[ -]data[ -]retention/i },
  {
    why: 'not stored',
    message: /previous_response_id.*(not (supported|allowed|available|enabled)|cannot be used|unsupported)/i,
  },
  {
    why: 'not finished',
    message: /previous response.*(in progress|not (yet )?(complete|finished)|still (running|being))/i,
  },
  { why: 'expired', message: /previous response.*expired/i },
  { why: 'call without output', message: /no tool output found for \S+ call/i },
  { why: 'output without call', message: /no tool call found for \S+( \S+)* output/i },
  { why: 'item twice', message: /duplicate item found with id/i },
  { why: 'refused', param: 'previous_response_id' },
];

/**
 * Why the server refused a request because of the response it was to continue from.
 *
 * Looks at the error, at what it wraps, and at the events of a stream that failed.
 *
 * @returns undefined when the error has nothing to do with the parent: it is the caller's.
 */
export function parentRefusal(...evidence: readonly unknown[]): string | undefined {
  for (const facts of evidence.flatMap((one) => factsOf(one, 0))) {
    const match = REFUSAL_CASES.find(
      ({ code, param, message }) =>
        (code === undefined || facts.code === code) &&
        (param === undefined || facts.param === param) &&
        (message === undefined || message.test(facts.message)),
    );
    if (match !== undefined) return match.why;
  }
  return undefined;
}

interface Facts {
  readonly code: unknown;
  readonly param: unknown;
  readonly message: string;
}

/** An error's own facts and those of what it carries: `error`, `cause`, a response that failed, an event. */
function factsOf(value: unknown, depth: number): Facts[] {
  if (typeof value === 'string') return [{ code: undefined, param: undefined, message: value }];
  if (!isObject(value) || depth > 4) return [];
  const message = typeof value['message'] === 'string' ? value['message'] : '';
  const own: Facts = { code: value['code'], param: value['param'], message };
  const inner = ['error', 'cause', 'response', 'event', 'errors'].flatMap((key) => {
    const carried = value[key];
    if (Array.isArray(carried)) return carried.flatMap((one: unknown) => factsOf(one, depth + 1));
    return isObject(carried) ? factsOf(carried, depth + 1) : [];
  });
  return [own, ...inner];
}
