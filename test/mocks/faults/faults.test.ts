import type OpenAI from 'openai';
import { APIConnectionError } from 'openai';
import { describe, expect, it } from 'vitest';
import {
  createSimulator,
  outline,
  textOf,
  type Fault,
  type Operation,
  type Simulator,
} from '../../../mocks/index.ts';
import { ask, clientOf, collect, refusalOf } from '../support.ts';

const hi = { model: 'gpt-4.1', input: 'hi' };

const create = (client: OpenAI, more: object = {}): Promise<OpenAI.Responses.Response> =>
  client.post('/responses', { body: { ...hi, ...more } });

async function outcomes(simulator: Simulator, count: number): Promise<string> {
  const statuses: number[] = [];
  for (let each = 0; each < count; each += 1)
    statuses.push((await ask(simulator, 'POST', '/responses', hi)).status);
  return statuses.map((status) => (status === 200 ? '.' : 'x')).join('');
}

/** Which of 40 requests fail, twice: a reset begins the chances again. */
const course = async (seed: number): Promise<string> => {
  const simulator = createSimulator({ seed });
  simulator.fault('responses.create', { name: 'server_error', chance: 0.5 });
  const first = await outcomes(simulator, 40);
  simulator.reset();
  simulator.fault('responses.create', { name: 'server_error', chance: 0.5 });
  expect(await outcomes(simulator, 40)).toBe(first);
  return first;
};

describe('a fault', () => {
  it('a fault lasts until it is lifted', async () => {
    const simulator = createSimulator();
    const lift = simulator.fault('responses.create', 'server_error');
    expect(await outcomes(simulator, 3)).toBe('xxx');
    lift();
    expect(await outcomes(simulator, 1)).toBe('.');
  });

  it('a fault strikes the requests that skip and times name', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', { status: 500, times: 2, skip: 1 });
    expect(await outcomes(simulator, 5)).toBe('.xx..');
  });

  it('a fault by chance strikes the same requests for the same seed', async () => {
    const first = await course(1);
    expect(first.match(/x/g)?.length).toBeGreaterThan(10);
    expect(first.match(/\./g)?.length).toBeGreaterThan(10);
    expect(await course(1)).toBe(first);
    expect(await course(2)).not.toBe(first);
  });

  it('a fault strikes only its operation and only requests that match its predicate', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    simulator.fault('responses.create', {
      name: 'server_error',
      when: ({ body }) => body['model'] === 'gpt-5.4',
    });
    simulator.fault('conversations.delete', 'overloaded');
    await create(client);
    const { id } = await client.conversations.create();
    expect(await refusalOf(create(client, { model: 'gpt-5.4' }))).toMatchObject({ status: 500 });
    expect(await refusalOf(client.conversations.delete(id))).toMatchObject({ status: 503 });
    simulator.fault('*', 'server_error');
    expect(await refusalOf(client.conversations.retrieve(id))).toMatchObject({ status: 500 });
  });

  it.each<[string, string, Fault, string]>([
    [
      'operation',
      'response.create',
      'server_error',
      'for "response.create"; there are *, conversations.create',
    ],
    ['fault', '*', 'no_such_fault' as Fault, '"no_such_fault"; there are rate_limit, insufficient_quota'],
    ['field', '*', { name: 'cut_stream', after: 3 } as Fault, 'has no field "after"; there are name, times'],
    [
      'detail',
      '*',
      { name: 'cut_stream', every: 3 },
      'has no field "every"; there are name, times, skip, chance,',
    ],
    ['field beside a status', '*', { status: 418, every: 1 }, 'has no field "every"; there are status, type'],
  ])('an unknown %s is refused at once, and the right names are told', (_kind, operation, fault, words) => {
    const simulator = createSimulator();
    expect(() => simulator.fault(operation as '*', fault)).toThrow(RangeError);
    expect(() => simulator.fault(operation as '*', fault)).toThrow(words);
  });

  it.each<[Operation, Fault, string]>([
    ['responses.create', { name: 'rate_limit', times: -1 }, '"times" must be a whole number, but it is -1'],
    ['responses.create', { name: 'rate_limit', chance: 2 }, '"chance" must be from 0 to 1, but it is 2'],
    [
      'responses.create',
      { name: 'rate_limit', moment: 'later' as 'after' },
      '"moment" must be before or after',
    ],
    [
      'responses.create',
      { name: 'cut_stream', at: 'response.output_text.detla' },
      '"at" must be a number or',
    ],
    ['conversations.items.list', { name: 'lagging_items', count: 0 }, '"count" must be a whole number of at'],
    ['responses.create', { status: 429, headers: { 'x y': 'z' } }, '"headers" must be an object of headers'],
    ['responses.create', { status: 200 }, '"status" must be from 400 to 599, but it is 200'],
    ['responses.create', null as never, 'Cannot set the fault "null"; there are rate_limit'],
    ['conversations.create', 'cut_stream', 'for "conversations.create"; there are *, responses.create'],
    ['responses.create', 'lagging_items', 'for "responses.create"; there are *, conversations.items.list'],
  ])('a fault that makes no sense is refused: %s %j', (operation, fault, words) => {
    const simulator = createSimulator();
    expect(() => simulator.fault(operation, fault)).toThrow(RangeError);
    expect(() => simulator.fault(operation, fault)).toThrow(words);
  });

  it('a fault that strikes streams or lists alone is not used up by another request', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    simulator.fault('responses.create', { name: 'cut_stream', times: 1 });
    simulator.fault('*', { name: 'dropped_items', times: 1 });
    const { id } = await client.conversations.create({});
    for (const input of ['one', 'two']) await create(client, { conversation: id, input });
    const stream = await client.responses.create({ model: 'gpt-4.1', input: 'three', stream: true });
    await expect(collect(stream)).rejects.toThrow('terminated');
    expect((await client.conversations.items.list(id)).data).toHaveLength(3);
    expect((await client.conversations.items.list(id)).data).toHaveLength(4);
  });

  it('a fault before the effect leaves no item, and one after it loses the answer alone', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    simulator.fault('conversations.items.create', { status: 500, moment: 'before', times: 1 });
    simulator.fault('conversations.items.create', { status: 502, moment: 'after', times: 1, skip: 1 });
    const write = (): Promise<unknown> =>
      client.conversations.items.create(id, { items: [{ role: 'user', content: 'hi' }] });
    expect(await refusalOf(write())).toMatchObject({ status: 500 });
    expect((await client.conversations.items.list(id)).data).toEqual([]);
    expect(await refusalOf(write())).toMatchObject({ status: 502 });
    expect(outline((await client.conversations.items.list(id)).data)).toBe('u');
  });

  it('a fault after the effect of a stream leaves the response completed', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', { name: 'bad_gateway', moment: 'after' });
    expect(await refusalOf(create(clientOf(simulator), { stream: true }))).toMatchObject({ status: 502 });
    expect(simulator.snapshot().responses).toMatchObject([{ status: 'completed' }]);
  });

  it('a fault can be any error, spelled out', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', {
      status: 429,
      message: 'Slow down',
      type: 'requests',
      code: 'slow_down',
      param: 'model',
      retryAfter: 3,
      headers: { 'x-should-retry': 'false' },
    });
    const answer = await ask(simulator, 'POST', '/responses', hi);
    expect(answer.body).toEqual({
      error: { message: 'Slow down', type: 'requests', code: 'slow_down', param: 'model' },
    });
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('x-should-retry')]).toEqual([
      429,
      '3',
      'false',
    ]);
  });
});

describe('a named fault', () => {
  const refusals: [Fault, object][] = [
    [
      'rate_limit',
      {
        status: 429,
        code: 'rate_limit_exceeded',
        message: expect.stringMatching(/^Rate limit reached for gpt-4.1 .* Please try again in 1s\./),
      },
    ],
    ['insufficient_quota', { status: 429, code: 'insufficient_quota' }],
    ['server_error', { status: 500, code: 'server_error' }],
    [
      { name: 'server_error', message: 'Boom' },
      { status: 500, message: 'Boom' },
    ],
    ['bad_gateway', { status: 502 }],
    ['overloaded', { status: 503 }],
    ['conversation_locked', { status: 400, code: 'conversation_locked', param: 'conversation' }],
    [
      { name: 'no_tool_output', id: 'call_1' },
      { status: 400, message: 'No tool output found for function call call_1.' },
    ],
    [
      { name: 'no_tool_call', id: 'call_1' },
      { status: 400, message: 'No tool call found for function call output with call_id call_1.' },
    ],
    [
      { name: 'duplicate_item', id: 'msg_1' },
      { status: 400, message: expect.stringContaining('Duplicate item found with id msg_1.') },
    ],
    ['context_length_exceeded', { status: 400, code: 'context_length_exceeded' }],
  ];

  it.each(refusals)('a named fault refuses a request: %j', async (fault, error) => {
    const simulator = createSimulator();
    simulator.fault('responses.create', fault);
    expect(await refusalOf(create(clientOf(simulator)))).toMatchObject(error);
  });

  it('rate_limit has a retry-after header, so that the client retries by itself', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', { name: 'rate_limit', times: 1, retryAfter: 0 });
    const response = await clientOf(simulator).responses.create(hi, { maxRetries: 1 });
    expect(response.status).toBe('completed');
    expect(simulator.log.map(({ status, error }) => [status, error])).toEqual([
      [429, 'rate_limit_exceeded'],
      [200, undefined],
    ]);
  });

  it('connection_reset breaks the connection', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', { name: 'connection_reset', moment: 'after' });
    await expect(create(clientOf(simulator))).rejects.toBeInstanceOf(APIConnectionError);
    expect(simulator.snapshot().responses).toHaveLength(1);
    expect(simulator.log.at(-1)).toMatchObject({ isFinished: true, status: undefined });
  });

  it('no_answer keeps the client waiting until it gives up', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', 'no_answer');
    await expect(clientOf(simulator).responses.create(hi, { timeout: 20 })).rejects.toThrow(
      'Request timed out.',
    );
  });

  it('previous_response_not_found and expired_response refuse a continuation', async () => {
    for (const name of ['previous_response_not_found', 'expired_response'] as const) {
      const simulator = createSimulator();
      const client = clientOf(simulator);
      const first = await create(client);
      const other = await create(client);
      simulator.fault('*', { name, id: first.id });
      expect(await refusalOf(create(client, { previous_response_id: first.id }))).toMatchObject({
        code: 'previous_response_not_found',
        message: `Previous response with id '${first.id}' not found.`,
      });
      await create(client, { previous_response_id: other.id });
      await create(client);
    }
  });

  it('expired_response also hides the response itself', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await create(client);
    const other = await create(client);
    simulator.fault('*', { name: 'expired_response', id: first.id });
    expect(await refusalOf(client.responses.retrieve(first.id))).toMatchObject({ status: 404 });
    expect(await refusalOf(client.responses.inputItems.list(first.id))).toMatchObject({
      message: `Response with id '${first.id}' not found.`,
    });
    await client.responses.retrieve(other.id);
  });

  it('zero_data_retention stores nothing', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', 'zero_data_retention');
    expect(await create(clientOf(simulator))).toMatchObject({ store: false });
    expect(simulator.snapshot().responses).toEqual([]);
  });

  it('failed_response and incomplete_response end a response badly', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    simulator.fault('responses.create', { name: 'failed_response', times: 1 });
    simulator.fault('responses.create', { name: 'incomplete_response', skip: 1, times: 1 });
    expect(await create(client)).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
    expect(await client.responses.create(hi)).toMatchObject({
      status: 'incomplete',
      output_text: 'Answer 1: I see 1 ',
    });
  });

  it.each([
    ['response.output_text.done', 'response.output_text.delta'],
    [2, 'response.in_progress'],
    [undefined, 'response.output_item.done'],
  ])('cut_stream breaks the stream before %s', async (at, last) => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    simulator.fault('responses.create', { name: 'cut_stream', ...(at === undefined ? {} : { at }) });
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { type } of await client.responses.create({ ...hi, stream: true })) seen.push(type);
    };
    await expect(read()).rejects.toThrow('terminated');
    expect(seen.at(-1)).toBe(last);
    expect(simulator.snapshot().responses).toMatchObject([{ status: 'completed' }]);
    expect(simulator.log.at(-1)?.isFinished).toBe(true);
  });

  it('slow_stream waits before each event', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', { name: 'slow_stream', every: 5 });
    const before = performance.now();
    const events = await collect(await clientOf(simulator).responses.create({ ...hi, stream: true }));
    expect(performance.now() - before).toBeGreaterThan(events.length * 4);
  });
});

const listed = async (fault: Fault): Promise<string> => {
  const simulator = createSimulator();
  const client = clientOf(simulator);
  const { id } = await client.conversations.create({
    items: ['u1', 'a1', 'u2', 'a2'].map((content) => ({
      role: content.startsWith('u') ? 'user' : 'assistant',
      content,
    })),
  });
  const [newest] = (await client.conversations.items.list(id)).data;
  const about = typeof fault === 'object' && 'id' in fault ? { ...fault, id: newest?.id ?? '' } : fault;
  simulator.fault('conversations.items.list', about);
  const { data } = await client.conversations.items.list(id, { order: 'asc' });
  return data.map(textOf).join(' ');
};

describe('a fault of a list', () => {
  it.each<[Fault, string]>([
    ['dropped_items', 'u1 u2 a2'],
    [{ name: 'dropped_items', id: '' }, 'u1 a1 u2'],
    ['duplicated_items', 'u1 a1 u2 a2 a2'],
    [{ name: 'duplicated_items', id: '' }, 'u1 a1 u2 a2 a2'],
    [{ name: 'duplicated_items', count: 2 }, 'u1 a1 u2 u2 a2 a2'],
    ['reordered_items', 'u1 a1 a2 u2'],
    ['lagging_items', 'u1 a1 u2'],
    [{ name: 'lagging_items', count: 3 }, 'u1'],
  ])('the list fault %j shows %s', async (fault, expected) => {
    expect(await listed(fault)).toBe(expected);
  });

  it('missing_cursor makes the client stop after a page', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create({
      items: Array.from({ length: 5 }, () => ({ role: 'user' as const, content: 'hi' })),
    });
    simulator.fault('conversations.items.list', 'missing_cursor');
    expect(await collect(client.conversations.items.list(id, { limit: 2 }))).toHaveLength(2);
  });

  it('a list fault strikes input items as well', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await create(client);
    simulator.fault('responses.inputItems.list', 'lagging_items');
    expect((await client.responses.inputItems.list(id)).data).toEqual([]);
  });
});
