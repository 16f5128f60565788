import { ModelBehaviorError } from '@openai/agents';
import { APIError } from 'openai';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  consequencesOf,
  parentRefusal as refusalOf,
  REFUSAL_CASES,
} from '../../src/chaining/parent-refusal.ts';

const parentRefusal = (...evidence: readonly unknown[]): string | undefined =>
  refusalOf('resp_1', ...evidence);

/** An error as the `openai` client throws it. */
function thrown(status: number, error: object): APIError {
  return APIError.generate(status, { error }, undefined, new Headers());
}

const gone = {
  message: "Previous response with id 'resp_1' not found.",
  type: 'invalid_request_error',
  param: 'previous_response_id',
  code: 'previous_response_not_found',
};

/** What servers say, by the reason that it amounts to. */
const SAID: readonly (readonly [string, number, { message?: string; code?: string; param?: string }])[] = [
  ['not found', 400, gone],
  ['not found', 404, { code: 'previous_response_not_found' }],
  ['not found', 400, { message: "Previous response with id 'resp_1' not found." }],
  ['not found', 400, { message: 'Previous response not found' }],
  ['not found', 400, { message: "previous_response_id 'resp_1' was not found" }],
  ['not found', 404, { message: "Response with id 'resp_0a1b' not found." }],
  [
    'not stored',
    400,
    {
      message: 'Previous response cannot be used for this organization due to Zero Data Retention.',
      code: 'unsupported_parameter',
      param: 'previous_response_id',
    },
  ],
  [
    'not stored',
    404,
    { message: 'Previous response cannot be used for this organization due to zero-data-retention' },
  ],
  ['not supported', 400, { message: "'previous_response_id' is not supported with this model" }],
  ['not supported', 400, { message: 'Unsupported parameter: previous_response_id' }],
  ['not supported', 400, { message: "Unknown parameter: 'previous_response_id'." }],
  ['not finished', 400, { message: "Previous response 'resp_1' is still in progress" }],
  ['not finished', 409, { message: 'The previous response has not yet finished' }],
  ['expired', 400, { message: "Previous response 'resp_1' has expired" }],
  ['call without output', 400, { message: 'No tool output found for function call call_1.', param: 'input' }],
  ['call without output', 400, { message: 'No tool output found for custom tool call call_1.' }],
  ['call without output', 400, { message: 'No tool output found for local_shell_call call_1.' }],
  [
    'output without call',
    400,
    { message: 'No tool call found for function call output with call_id call_1.' },
  ],
  ['output without call', 400, { message: 'No tool call found for shell call output with call_id call_1.' }],
  [
    'item twice',
    400,
    { message: 'Duplicate item found with id rs_1. Remove duplicate items from your input.' },
  ],
  ['not found', 400, { message: 'Invalid `previous_response_id`.' }],
  ['not found', 400, { message: 'Unknown previous_response_id' }],
  ['not supported', 400, { message: "llama.cpp does not support 'previous_response_id'." }],
  ['not supported', 400, { message: 'previous_response_id is only supported on Responses WebSocket v2' }],
  [
    'not supported',
    400,
    { message: 'Cannot build the messages: 1) Using previous_response_id without a session database, AND' },
  ],
  [
    'output without call',
    400,
    { message: 'messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1.' },
  ],
  [
    'output without call',
    400,
    { message: "Invalid parameter: messages with role 'tool' must follow a message with 'tool_calls'." },
  ],
  ['not found', 404, { message: 'Response with id resp_0a1b not found.' }],
  ['not finished', 400, { message: 'The previous response is not complete' }],
  ['output without call', 400, { message: 'A message with role tool must follow tool_calls' }],
  ['output without call', 400, { message: 'The function response part has no function call' }],
  ['refused', 400, { message: 'Something else about it', param: 'previous_response_id' }],
  ['refused', 422, { message: 'body.previous_response_id: Extra inputs are forbidden' }],
  ['refused', 400, { message: 'The previous response belongs to somebody else' }],
  ['refused', 400, { message: 'No entry resp_1' }],
  [
    'refused',
    400,
    {
      message:
        "Mutually exclusive parameters: ''. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.",
      code: 'mutually_exclusive_parameters',
    },
  ],
];

/** What is near a refusal and none: the caller's own business. */
const NEAR: readonly (readonly [string, number, { message?: string; code?: string; param?: string }])[] = [
  ['a conversation that is gone', 404, { message: "Conversation with id 'conv_1' not found." }],
  [
    'an item that is not stored',
    404,
    {
      message: "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.",
      param: 'input',
    },
  ],
  [
    'an item, where no data is kept',
    404,
    {
      message:
        "Item with id 'fc_1' not found. Items are not persisted for Zero Data Retention organizations.",
    },
  ],
  [
    'a conversation, where no data is kept',
    400,
    {
      message: 'Conversation ID cannot be used for this organization due to Zero Data Retention.',
      param: 'conversation',
      code: 'unsupported_parameter',
    },
  ],
  [
    'a model that is not there',
    404,
    { message: "The model 'gpt-x' does not exist", code: 'model_not_found' },
  ],
  ['a container that has expired', 400, { message: 'Container is expired', param: 'tools[0].container' }],
  [
    'a parameter of another name',
    400,
    {
      message: "Unsupported parameter: 'temperature' is not supported with this model.",
      param: 'temperature',
    },
  ],
  [
    'reasoning torn from what it led to',
    400,
    {
      message: "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
      param: 'input',
    },
  ],
  [
    'a rate limit that names the parameter',
    429,
    { message: 'Rate limit reached', param: 'previous_response_id' },
  ],
  ['a key without access to it', 403, { message: 'Forbidden', param: 'previous_response_id' }],
  [
    'too much input',
    400,
    { message: 'Your input exceeds the context window of this model.', code: 'context_length_exceeded' },
  ],
  ['a tool of the caller that found nothing', 400, { message: 'No tool named look_up found' }],
  [
    'an answer of the caller that is quoted',
    400,
    { message: "Invalid value: 'the response was not found'." },
  ],
];

describe('knows a refusal', () => {
  test.each(SAID)('%s (%i): %o', (why, status, error) => {
    expect(parentRefusal(thrown(status, error))).toBe(why);
  });

  test.each(SAID)('%s (%i), in whatever form it comes: %o', (why, status, error) => {
    const forms: readonly unknown[] = [
      // What a stream of the client throws, which has no status.
      new APIError(undefined, error, undefined, new Headers()),
      // What wraps it.
      new Error('The turn failed', { cause: thrown(status, error) }),
      new AggregateError([new Error('one thing'), thrown(status, error)], 'Several things'),
      // Events: nested as recorded, flat as documented, over a WebSocket, and of a response that failed.
      { type: 'error', sequence_number: 1, error },
      { type: 'error', ...error },
      { type: 'error', status, error },
      { type: 'response.failed', response: { id: 'resp_2', status: 'failed', error } },
      { type: 'model', event: { type: 'error', error } },
      // A body that nobody parsed into the usual form.
      { status, error: { error } },
      { status, errors: [error] },
    ];
    for (const form of forms) expect(parentRefusal(form)).toBe(why);
  });

  test.each(
    SAID.filter(([, , { message }]) => message !== undefined && message !== 'Something else about it'),
  )('%s (%i), by its message alone: %o', (why, _status, { message = '' }) => {
    expect(parentRefusal(message)).toBe(why);
    expect(parentRefusal(new Error(message))).toBe(why);
    expect(parentRefusal({ detail: message })).toBe(why);
    expect(parentRefusal({ status: 400, error: message })).toBe(why);
  });

  test('a refusal is known by the events of a stream if the thrown error has no details', () => {
    const error = new ModelBehaviorError(
      'OpenAI Responses request ended with unsuccessful terminal state "error".',
    );
    expect(parentRefusal(error)).toBeUndefined();
    expect(parentRefusal(error, { type: 'model', event: { type: 'error', error: gone } })).toBe('not found');
  });

  test.each([
    new TypeError("Cannot read properties of undefined (reading 'map')"),
    new TypeError("undefined is not an object (evaluating 'output.map')"),
    new TypeError("Cannot use 'in' operator to search for 'object' in <html>"),
    new TypeError('rsp.output is not iterable'),
    new SyntaxError('Unexpected end of JSON input'),
  ])('an answer that is no response counts as an error of the server: %s', (error) => {
    expect(parentRefusal(error)).toBe('server error');
    expect(parentRefusal(new Error('The turn failed', { cause: error }))).toBeUndefined();
  });

  test('a refusal is known in every form of the table', () => {
    const reached = new Set<unknown>();
    for (const [, , error] of SAID) {
      const match = REFUSAL_CASES.find((refusal) => fits(refusal, error));
      reached.add(match);
    }
    // What names the parent in no known way is no row.
    reached.delete(undefined);
    expect([...reached]).toHaveLength(REFUSAL_CASES.length);
  });
});

describe("leaves the caller's errors alone", () => {
  test.each(NEAR)('%s (%i)', (_what, status, error) => {
    expect(parentRefusal(thrown(status, error))).toBeUndefined();
    expect(parentRefusal(new Error('The turn failed', { cause: thrown(status, error) }))).toBeUndefined();
    expect(parentRefusal({ type: 'model', event: { type: 'error', status, error } })).toBeUndefined();
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 404],
    ['an abort', new DOMException('This operation was aborted', 'AbortError')],
    ['a broken connection', new TypeError('terminated')],
    ['the beginning of a stream', { type: 'response_started', providerData: { response: { error: null } } }],
  ])('%s', (_what, value) => {
    expect(parentRefusal(value)).toBeUndefined();
  });

  test('an error that is its own cause', () => {
    const error = new Error('round and round');
    error.cause = error;
    expect(parentRefusal(error)).toBeUndefined();
  });
});

function fits(
  { code, message }: (typeof REFUSAL_CASES)[number],
  error: { readonly message?: string; readonly code?: string; readonly param?: string },
): boolean {
  return (
    (code === undefined || code === error.code) &&
    (message === undefined || message.test(error.message ?? ''))
  );
}

describe('a message of a megabyte', () => {
  const padding = 'a long answer about nothing '.repeat(40_000);

  test('a message of a megabyte is searched in its beginning alone', () => {
    const looked = vi.spyOn(RegExp.prototype, 'test').mockImplementation(function test(this: RegExp, text) {
      if (text.length > 4000) throw new Error('It looks at all of it');
      return text.search(this) !== -1;
    });
    onTestFinished(() => looked.mockRestore());
    const error = { status: 400, message: padding, error: { message: padding }, errors: [padding] };
    expect(parentRefusal(error)).toBeUndefined();
    expect(looked).toHaveBeenCalled();
  });

  test('a message of a megabyte is known by its beginning', () => {
    const message = 'No tool output found for function call call_1';
    expect(parentRefusal({ status: 400, message: `${message} ${padding}` })).toBe('call without output');
    expect(parentRefusal({ status: 400, message: `${padding} ${message}` })).toBeUndefined();
  });
});

/** An error as the client throws it for a body that it could read, or for a text. */
const ofTheClient = (status: number, body: unknown): APIError => {
  const text = typeof body === 'string' ? body : undefined;
  return APIError.generate(status, text === undefined ? Object(body) : undefined, text, new Headers());
};

describe('a body in another form', () => {
  test.each<[string, number, unknown]>([
    [
      'of pydantic, of which the client keeps nothing',
      422,
      {
        detail: [
          {
            loc: ['body', 'previous_response_id'],
            msg: 'Extra inputs are not permitted',
            type: 'extra_forbidden',
          },
        ],
      },
    ],
    [
      'of a relay, of which the client keeps nothing',
      400,
      { detail: 'Unsupported parameter: previous_response_id' },
    ],
    [
      'of pydantic inside of an error',
      422,
      {
        error: { detail: [{ loc: ['body', 'previous_response_id'], msg: 'Extra inputs are not permitted' }] },
      },
    ],
    [
      'of zod',
      400,
      { error: { issues: [{ code: 'unrecognized_keys', keys: ['previous_response_id'], path: [] }] } },
    ],
    ['of plain text', 400, 'unknown field previous_response_id'],
    ['of a page', 404, '<html><body><h1>Not Found</h1></body></html>'],
    ['of nothing at all', 404, ''],
    ['of a server that says only that it found nothing', 404, { error: 'not found' }],
    ['of an answer that is gone', 410, { error: { message: 'Gone' } }],
  ])('%s is a refusal', (_form, status, body) => {
    expect(parentRefusal(ofTheClient(status, body))).toBeDefined();
  });

  test.each<[string, unknown]>([
    ['by HTTP', ofTheClient(500, { error: { message: 'Internal server error' } })],
    [
      'by an event',
      {
        type: 'model',
        event: {
          type: 'error',
          error: { message: '500: Internal server error: An unexpected error occurred.' },
        },
      },
    ],
    [
      'by a response',
      {
        type: 'model',
        event: {
          type: 'response.failed',
          response: { object: 'response', error: { code: 'server_error', message: 'Sorry' } },
        },
      },
    ],
  ])('a failure of the server is one, %s', (_how, error) => {
    expect(parentRefusal(error)).toBe('server error');
  });

  test('the echo of the request in a response that failed names nothing', () => {
    const response = {
      object: 'response',
      previous_response_id: 'resp_1',
      error: { code: 'rate_limit_exceeded', message: 'Slow down' },
    };
    expect(parentRefusal({ type: 'model', event: { type: 'response.failed', response } })).toBeUndefined();
  });
});

describe('what a refusal says beyond the request', () => {
  const MINUTE = 60_000;
  const NOW = 1_000 * MINUTE;

  test.each<[string, number, boolean, number | undefined]>([
    ['not found', 0.5, true, NOW + 2 * MINUTE],
    ['not found', 2, true, undefined],
    ['not found', 30, true, undefined],
    ['not found', 60, false, undefined],
    ['not found', 61, false, undefined],
    ['refused', 61, false, undefined],
    ['not supported', 500, true, NOW + 2 * MINUTE],
    ['server error', 500, true, NOW + 2 * MINUTE],
    ['not stored', 500, true, NOW + 2 * MINUTE],
    ['not streamed', 500, true, NOW + 2 * MINUTE],
    ['call without output', 0, false, undefined],
    ['output without call', 0, false, undefined],
    ['item twice', 0, false, undefined],
    ['reasoning lost', 0, false, undefined],
  ])('%s, of a response of %d minutes', (why, age, isOfServer, until) => {
    expect(consequencesOf(why, NOW - age * MINUTE, NOW)).toEqual({ isOfServer, until });
  });
});
