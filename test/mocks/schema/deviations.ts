type Fields = Record<string, unknown>;

/** Something recorded from the API that its own schema does not allow. */
export interface Deviation {
  /** As the documentation names it. */
  readonly name: string;
  /** An answer or event as the schema would have it. */
  readonly mend: (answer: Fields) => Fields;
}

/** The answers in which the simulator follows recordings, or the client, against the specification. */
export const deviations: readonly Deviation[] = [
  {
    name: 'A response without a user says `user: null`',
    mend: (answer) => mapResponse(answer, (response) => without(response, 'user', null)),
  },
  {
    name: 'A response that has not finished says `usage: null`',
    mend: (answer) => mapResponse(answer, (response) => without(response, 'usage', null)),
  },
  {
    name: 'An empty list says `first_id: null` and `last_id: null`',
    mend: (answer) => {
      const isEmptyList =
        answer['object'] === 'list' && answer['first_id'] === null && answer['last_id'] === null;
      return isEmptyList ? { ...answer, first_id: '', last_id: '' } : answer;
    },
  },
  {
    name: 'The `error` event nests its error',
    mend: (answer) => {
      const { error, type } = answer;
      return type === 'error' && typeof error === 'object' ? { ...answer, ...error, type } : answer;
    },
  },
  {
    name: 'A failed response may have an error code outside the schema',
    mend: (answer) =>
      mapResponse(answer, (response) => {
        const { error } = response;
        const isForeign = typeof error === 'object' && error !== null && 'code' in error;
        return isForeign ? { ...response, error: { ...error, code: 'server_error' } } : response;
      }),
  },
  {
    name: 'An `mcp_approval_response` has no `request_id`, which the schema requires and does not describe',
    mend: (answer) =>
      mapItems(answer, (item) =>
        item['type'] === 'mcp_approval_response' ? { request_id: '', ...item } : item,
      ),
  },
  {
    name: 'The `response.compaction.compacting` event is newer than the schema',
    mend: (answer) =>
      answer['type'] === 'response.compaction.compacting'
        ? { ...answer, type: 'response.web_search_call.searching' }
        : answer,
  },
];

/** An answer as the schema would have it in every respect but one. */
export function mended(answer: Fields, except?: Deviation): Fields {
  return deviations.reduce((before, each) => (each === except ? before : each.mend(before)), answer);
}

/** Changes the response that an answer is, or that an event carries. */
function mapResponse(answer: Fields, change: (response: Fields) => Fields): Fields {
  if (answer['object'] === 'response') return change(answer);
  const { response } = answer;
  return isFields(response) ? { ...answer, response: change(response) } : answer;
}

/** Changes the items that an answer lists, or the item that it is. */
function mapItems(answer: Fields, change: (item: Fields) => Fields): Fields {
  const { data } = answer;
  if (!Array.isArray(data)) return change(answer);
  return { ...answer, data: data.map((item: unknown) => (isFields(item) ? change(item) : item)) };
}

function without(fields: Fields, key: string, value: unknown): Fields {
  return Object.fromEntries(Object.entries(fields).filter((entry) => entry[0] !== key || entry[1] !== value));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
