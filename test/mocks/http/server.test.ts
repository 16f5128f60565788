import { connect } from 'node:net';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSimulator, type Listening, type LogEntry, type Simulator } from '../../../mocks/index.ts';
import { collect } from '../support.ts';

const hi = { model: 'gpt-4.1', input: 'hi' };

describe('a simulator that listens', () => {
  let simulator: Simulator;
  let server: Listening;
  let client: OpenAI;
  let finished: LogEntry[];

  beforeEach(async () => {
    simulator = createSimulator({ maxBodyBytes: 100_000 });
    finished = [];
    simulator.onRequest((entry) => finished.push(entry));
    server = await simulator.listen();
    client = new OpenAI({ apiKey: 'sk-test', baseURL: server.url, maxRetries: 0 });
  });

  afterEach(() => server.close());

  const send = (method: string, path: string, body?: string): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method,
      headers: { authorization: 'Bearer sk-test' },
      ...(body === undefined ? {} : { body }),
    });

  it('a server answers the real client at its URL', async () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/v1`);
    const { id } = await client.conversations.create();
    const response = await client.responses.create({ ...hi, conversation: id });
    expect(response.output_text).toBe('Answer 1: I see 1 item (1u): u "hi"');
    expect((await client.conversations.items.list(id)).data).toHaveLength(2);
  });

  it('a server sends a stream event by event', async () => {
    const events = await collect(await client.responses.create({ ...hi, stream: true }));
    expect(events.at(-1)).toMatchObject({ type: 'response.completed' });
    expect(finished).toMatchObject([{ operation: 'responses.create', status: 200, isFinished: true }]);
    expect(finished[0]?.responseBytes).toBeGreaterThan(1000);
  });

  it('a server notices that the client went away', async () => {
    await collect(await client.responses.create({ ...hi, stream: true }));
    const whole = finished[0]?.responseBytes ?? 0;
    simulator.fault('responses.create', { name: 'slow_stream', every: 50 });
    const gone = new Promise<LogEntry>((resolve) => simulator.onRequest(resolve));
    const stream = await client.responses.create({ ...hi, stream: true });
    for await (const event of stream) if (event.type === 'response.in_progress') break;
    expect((await gone).responseBytes).toBeLessThan(whole);
    expect(simulator.snapshot().responses.at(-1)).toMatchObject({ status: 'completed' });
  });

  it('a server breaks the connection for a fault', async () => {
    simulator.fault('responses.create', { name: 'connection_reset', times: 1 });
    await expect(client.responses.create(hi)).rejects.toThrow('Connection error.');
    simulator.fault('responses.create', { name: 'cut_stream', at: 3, times: 1 });
    await expect(async () => collect(await client.responses.create({ ...hi, stream: true }))).rejects.toThrow(
      'terminated',
    );
    expect((await client.responses.create(hi)).status).toBe('completed');
  });

  it.each([
    [
      'malformed JSON',
      'POST',
      '/responses',
      '{"model": ',
      400,
      { code: 'invalid_json', message: expect.stringMatching(/^Invalid body: failed to parse JSON value\./) },
    ],
    ['JSON that is no object', 'POST', '/responses', '[1]', 400, { code: 'invalid_type' }],
    [
      'a huge body',
      'POST',
      '/conversations',
      JSON.stringify({ metadata: { a: 'x'.repeat(200_000) } }),
      413,
      { code: 'request_too_large' },
    ],
    [
      'an unknown route',
      'POST',
      '/chat/completions',
      '{}',
      404,
      { message: 'Invalid URL (POST /v1/chat/completions)' },
    ],
    [
      'a route too deep',
      'GET',
      '/responses/resp_x/input_items/y',
      undefined,
      404,
      { type: 'invalid_request_error' },
    ],
    [
      'a wrong method',
      'PUT',
      '/responses',
      '{}',
      405,
      { message: 'Invalid method for URL (PUT /v1/responses)' },
    ],
    ['a list there is not', 'GET', '/conversations', undefined, 405, { code: 'method_not_supported' }],
    [
      'an ID that is no text',
      'GET',
      '/responses/%E0%A4%A',
      undefined,
      400,
      { message: expect.stringMatching(/^Invalid 'response_id': '%E0%A4%A'\./), param: 'response_id' },
    ],
  ])('a server answers %s with an error of the API', async (_, method, path, body, status, error) => {
    const response = await send(method, path, body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    expect(await response.json()).toMatchObject({
      error: { type: 'invalid_request_error', param: null, ...error },
    });
    expect((await client.responses.create(hi)).status).toBe('completed');
  });

  it('a server names the methods of a path', async () => {
    const response = await send('PATCH', '/conversations/conv_x');
    expect(response.headers.get('allow')).toBe('GET, POST, DELETE');
  });

  it('a server answers HEAD and a path outside /v1 with an error', async () => {
    expect((await send('HEAD', '/responses')).status).toBe(405);
    expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404);
  });

  it('a server survives bytes that are not HTTP', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('complete nonsense\r\n\r\n');
    await new Promise((resolve) => socket.on('error', resolve).on('close', resolve).resume());
    expect((await client.responses.create(hi)).status).toBe('completed');
  });

  it('a server answers many clients at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.responses.create(hi)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(100);
  });

  it('a closing server ends running requests and frees its port', async () => {
    simulator.fault('responses.create', 'no_answer');
    const [outcome] = await Promise.all([
      client.responses.create(hi).catch((error: unknown) => error),
      arrived(simulator).then(() => server.close()),
    ]);
    expect(outcome).toMatchObject({ message: 'Connection error.' });
    const again = await simulator.listen({ port: server.port });
    expect(again.port).toBe(server.port);
    await expect(simulator.listen({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await again.close();
  });
});

async function arrived(simulator: Simulator): Promise<void> {
  while (simulator.log.length === 0) await new Promise((resolve) => setImmediate(resolve));
}
