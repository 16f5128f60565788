import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setupServer } from 'msw/node';
import OpenAI, { APIConnectionError, AzureOpenAI } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createSimulator } from '../../mocks/index.ts';
import { collect, refusalOf } from './support.ts';

const simulator = createSimulator();
const server = setupServer(...simulator.handlers);
let client: OpenAI;
const hi = { model: 'gpt-4.1', input: 'hi' };

describe('msw handlers', () => {
  beforeAll(() => {
    server.listen({
      onUnhandledRequest({ url }) {
        throw new Error(`Nobody serves ${url}`);
      },
    });
    client = new OpenAI({ apiKey: 'sk-test', maxRetries: 0 });
  });
  afterEach(() => simulator.reset());
  afterAll(() => server.close());

  it('msw handlers answer an unchanged client', async () => {
    const first = await client.responses.create(hi);
    const second = await client.responses.create({ ...hi, previous_response_id: first.id });
    expect(second.output_text).toBe('Answer 2: I see 3 items (2u 1a): u "hi", a1, u "hi"');
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'hi' }] });
    const { data } = await client.conversations.items.list(id);
    await client.conversations.items.delete(data[0]?.id ?? '', { conversation_id: id });
    expect(simulator.log.map(({ operation }) => operation)).toEqual([
      'responses.create',
      'responses.create',
      'conversations.create',
      'conversations.items.list',
      'conversations.items.delete',
    ]);
  });

  it('msw handlers answer at any base URL that ends in /v1', async () => {
    const proxied = new OpenAI({
      apiKey: 'sk-test',
      baseURL: 'https://gateway.example/openai/v1',
      maxRetries: 0,
    });
    expect((await proxied.responses.create(hi)).status).toBe('completed');
  });

  it("msw handlers answer at Azure's paths", async () => {
    const endpoint = 'https://mine.openai.azure.example';
    const azure = new AzureOpenAI({ apiKey: 'k', endpoint, apiVersion: '2025-04-01-preview', maxRetries: 0 });
    const { id } = await azure.responses.create(hi);
    expect((await azure.responses.retrieve(id)).id).toBe(id);
  });

  it('msw handlers stream, and notice that the client went away', async () => {
    const events = await collect(await client.responses.create({ ...hi, stream: true }));
    expect(events.at(-1)).toMatchObject({ type: 'response.completed' });
    const stream = await client.responses.create({ ...hi, stream: true });
    for await (const event of stream) if (event.type === 'response.in_progress') break;
    await expect.poll(() => simulator.log.at(-1)?.isFinished).toBe(true);
    expect(simulator.snapshot().responses.at(-1)).toMatchObject({ status: 'completed' });
  });

  it('msw handlers mark a stream as one in chunks, whose early end msw 3 can tell', async () => {
    const { data, response } = await client.responses.create({ ...hi, stream: true }).withResponse();
    expect(response.headers.get('transfer-encoding')).toBe('chunked');
    await collect(data);
    const whole = await client.responses.create(hi).withResponse();
    expect(whole.response.headers.get('transfer-encoding')).toBeNull();
  });

  it('msw handlers break connections and streams for a fault', async () => {
    simulator.fault('responses.create', { name: 'connection_reset', times: 1 });
    await expect(client.responses.create(hi)).rejects.toBeInstanceOf(APIConnectionError);
    simulator.fault('responses.create', { name: 'cut_stream', at: 2, times: 1 });
    await expect(async () => collect(await client.responses.create({ ...hi, stream: true }))).rejects.toThrow(
      'terminated',
    );
  });

  it('msw handlers let the requests pass that the simulator itself sends to a server', async () => {
    await using api = createSimulator();
    const upstream = await api.listen();
    const passing = createSimulator({ passthrough: upstream.url });
    server.use(...passing.handlers);
    expect(await refusalOf(client.files.list())).toMatchObject({ message: 'Invalid URL (GET /v1/files)' });
    expect([passing.log.length, api.log.length]).toEqual([1, 1]);
    // The handlers answer this path at the address of the server, too.
    const file = join(mkdtempSync(join(tmpdir(), 'msw-')), 'calls.jsonl');
    passing.record({ upstream: upstream.url, file });
    for (const asking of [client, passing.client()]) await asking.responses.create(hi);
    expect(api.log.filter(({ operation }) => operation === 'responses.create')).toHaveLength(2);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
    server.resetHandlers();
  });

  it('msw handlers answer other paths of api.openai.com as unknown, and no other hosts', async () => {
    expect(await refusalOf(client.files.list())).toMatchObject({
      status: 404,
      message: 'Invalid URL (GET /v1/files)',
    });
    const elsewhere = new OpenAI({ apiKey: 'sk-test', baseURL: 'https://other.example/v1', maxRetries: 0 });
    await expect(elsewhere.files.list()).rejects.toThrow('Nobody serves https://other.example/v1/files');
  });
});
