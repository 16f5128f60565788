import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { clientOf, rawRefusal } from '../support.ts';
import { refusedRequests, TOOL_PAIRS } from './refused-requests.ts';

const text = { type: 'string' };
const closed = (properties: object, rest: object = {}): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...rest,
});

describe('requests that the API refuses', () => {
  it.each(refusedRequests)(
    'the simulator refuses a request in the words of the API: $cause',
    async ({ body, message, code, param }) => {
      const simulator = createSimulator();
      expect(await rawRefusal(simulator, 'POST', '/responses', body)).toEqual({
        status: 400,
        type: 'invalid_request_error',
        message,
        code,
        param,
      });
      expect(simulator.snapshot().responses).toEqual([]);
    },
  );
});

const tool = { type: 'function', name: 'f', parameters: closed({}), strict: true };
const web = { type: 'web_search_preview' };

/** Requests that are near to a refused one. */
const taken: [name: string, rest: object, status?: string][] = [
  [
    'a recursive schema',
    {
      text: {
        format: {
          type: 'json_schema',
          name: 'tree',
          strict: true,
          schema: closed(
            { root: { $ref: '#/$defs/node' }, self: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
            { $defs: { node: closed({ below: { type: 'array', items: { $ref: '#/$defs/node' } } }) } },
          ),
        },
      },
    },
  ],
  [
    'the keywords of strict schemas',
    {
      text: {
        format: {
          type: 'json_schema',
          name: 'all',
          strict: true,
          schema: closed({
            name: {
              type: ['string', 'null'],
              pattern: '^a',
              format: 'email',
              description: 'x',
              default: 'a',
            },
            kind: { type: 'string', enum: ['a', 'b'] },
            count: { type: 'integer', minimum: 1, exclusiveMaximum: 9, multipleOf: 2 },
            list: { type: 'array', items: { anyOf: [text, closed({})] }, minItems: 1, maxItems: 3 },
          }),
        },
      },
    },
  ],
  [
    'JSON for which a developer asks',
    {
      input: [
        { role: 'developer', content: 'Answer in JSON.' },
        { role: 'user', content: 'hi' },
      ],
      text: { format: { type: 'json_object' } },
    },
  ],
  [
    'options of the background',
    {
      background: true,
      background_options: { completion_window: '8h', continuation_id: 'job-1' },
    },
    'queued',
  ],
  ['the metadata of Codex', { client_metadata: { originator: 'codex' } }],
  [
    'a format that is not strict',
    { text: { format: { type: 'json_schema', name: 'loose', schema: { type: 'object', properties: {} } } } },
  ],
  ['ten levels', { text: { format: deepFormat(11) } }],
  ['a name of 128 characters', { tools: [{ ...tool, name: 'a'.repeat(128) }] }],
  ['a tool and its deferred double', { tools: [tool, { ...tool, defer_loading: true }] }],
  ['a choice of a function', { tools: [tool], tool_choice: { type: 'function', name: 'f' } }],
  [
    'a choice of a function in a namespace',
    {
      tools: [{ type: 'namespace', name: 'n', description: '', tools: [tool] }],
      tool_choice: { type: 'function', name: 'f' },
    },
  ],
  ['a choice of another version of a hosted tool', { tools: [{ type: 'web_search' }], tool_choice: web }],
  [
    'a choice of a server',
    {
      tools: [{ type: 'mcp', server_label: 'docs', server_url: 'https://example.com' }],
      tool_choice: { type: 'mcp', server_label: 'docs', name: 'search' },
    },
  ],
  [
    'a choice of allowed tools',
    {
      tools: [tool, web],
      tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }, web] },
    },
  ],
  [
    'a choice of a tool of a prompt',
    { prompt: { id: 'pmpt_1' }, tool_choice: { type: 'function', name: 'f' } },
  ],
  [
    'a choice of a tool in the input',
    {
      input: [
        { type: 'additional_tools', role: 'developer', tools: [tool] },
        { role: 'user', content: 'hi' },
      ],
      tool_choice: { type: 'function', name: 'f' },
    },
  ],
];

function deepFormat(levels: number): object {
  let schema: object = text;
  for (let level = 0; level < levels; level += 1) schema = closed({ in: schema });
  return { type: 'json_schema', name: 'deep', strict: true, schema };
}

describe('requests that the API takes', () => {
  it.each(taken)('the simulator takes a request with %s', async (_, rest, status = 'completed') => {
    const body = { model: 'gpt-4.1', input: 'hi', ...rest };
    const response = await clientOf(createSimulator()).post<{ status: string }>('/responses', { body });
    expect(response.status).toBe(status);
  });

  it.each(TOOL_PAIRS)('the simulator takes a call with its output: %j', async (...pair) => {
    const body = { model: 'gpt-4.1', input: [{ role: 'user', content: 'hi' }, ...pair] };
    const response = await clientOf(createSimulator()).post<{ status: string }>('/responses', { body });
    expect(response.status).toBe('completed');
  });

  it.each([
    [{ type: 'tool_search_call', call_id: null, execution: 'server', arguments: { paths: ['crm'] } }],
    [{ type: 'tool_search_call', call_id: 'call_1', execution: 'server', arguments: {} }],
    [
      {
        type: 'shell_call',
        call_id: 'call_1',
        action: { commands: ['ls'] },
        environment: { type: 'container_reference', container_id: 'cntr_1' },
      },
    ],
  ])('the simulator takes a call that the server answers without its output: %j', async (call) => {
    const body = { model: 'gpt-4.1', input: [{ role: 'user', content: 'hi' }, call] };
    const response = await clientOf(createSimulator()).post<{ status: string }>('/responses', { body });
    expect(response.status).toBe('completed');
  });

  it('a schema of any depth is answered', async () => {
    const simulator = createSimulator();
    const schema = `${'{"type":"array","items":'.repeat(50_000)}{}${'}'.repeat(50_000)}`;
    const body = `{"model":"gpt-4.1","input":"hi","tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":${schema}}}}]}`;
    expect(await rawRefusal(simulator, 'POST', '/responses', body)).toMatchObject({
      status: 400,
      code: 'invalid_function_parameters',
    });
  });
});
