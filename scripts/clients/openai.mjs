// The openai client over HTTP and WebSocket, and as a client of Azure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { AzureOpenAI, RateLimitError } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { z } from 'zod';
import { served } from './served.mjs';

const weather = {
  type: 'function',
  name: 'weather',
  description: 'The weather in a city',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
};

const clientAt = (baseURL, options) => new OpenAI({ baseURL, apiKey: 'test', maxRetries: 0, ...options });

for (const model of ['gpt-4.1', 'gpt-6-sol']) {
  test(`a conversation of the openai client keeps every message (${model})`, async (t) => {
    const { url } = await served(t);
    const client = clientAt(url);
    const { id: conversation } = await client.conversations.create();
    for (const input of ['my name is Ada', 'hi'])
      await client.responses.create({ model, conversation, input });
    const { output_text: text } = await client.responses.create({ model, conversation, input: 'my name?' });
    assert.match(text, /u "my name is Ada", .*u "hi", .*u "my name\?"/);
    const items = [];
    for await (const item of client.conversations.items.list(conversation, { order: 'asc', limit: 2 }))
      items.push(item);
    assert.equal(items.filter(({ role }) => role === 'assistant').length, 3);
  });

  test(`a stream of the openai client ends with its response (${model})`, async (t) => {
    const { url } = await served(t);
    const stream = clientAt(url).responses.stream({ model, input: 'hi' });
    let text = '';
    stream.on('response.output_text.delta', ({ delta }) => (text += delta));
    const response = await stream.finalResponse();
    assert.equal(text, response.output_text);
    assert.match(text, /u "hi"$/);
  });

  test(`the openai client calls a tool and sends its output (${model})`, async (t) => {
    const { url } = await served(t);
    const client = clientAt(url);
    const called = await client.responses.create({
      model,
      tools: [weather],
      input: 'call weather {"city":"Oslo"}',
    });
    const call = called.output.find(({ type }) => type === 'function_call');
    assert.deepEqual(JSON.parse(call.arguments), { city: 'Oslo' });
    const { output_text: text } = await client.responses.create({
      model,
      tools: [weather],
      previous_response_id: called.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: 'sunny in Oslo' }],
    });
    assert.match(text, /sunny in Oslo/);
  });

  test(`the openai client parses structured output (${model})`, async (t) => {
    const { url } = await served(t);
    const schema = z.object({ name: z.string(), age: z.number().int().min(0) });
    const { output_parsed: parsed } = await clientAt(url).responses.parse({
      model,
      input: 'describe Ada',
      text: { format: zodTextFormat(schema, 'person') },
    });
    assert.ok(schema.safeParse(parsed).success);
  });
}

test('a background response of the openai client is polled until it is completed', async (t) => {
  const { url } = await served(t);
  const client = clientAt(url);
  let response = await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true });
  const seen = [response.status];
  while (response.status === 'queued' || response.status === 'in_progress') {
    response = await client.responses.retrieve(response.id);
    seen.push(response.status);
  }
  assert.deepEqual(seen, ['queued', 'in_progress', 'completed']);
});

test("the openai client's WebSocket continues a response that is not stored", async (t) => {
  const { url } = await served(t);
  const socket = new ResponsesWS(clientAt(url));
  t.after(() => socket.close());
  const ask = (body) =>
    new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('response.completed', ({ response }) => resolve(response));
      socket.send({ type: 'response.create', model: 'gpt-4.1', store: false, ...body });
    });
  const { id } = await ask({ input: 'my name is Ada' });
  const { output } = await ask({ input: 'my name?', previous_response_id: id });
  assert.match(output[0].content[0].text, /u "my name is Ada", a1, u "my name\?"/);
});

test('the client of Azure continues a response', async (t) => {
  const { port } = await served(t);
  const endpoint = `http://127.0.0.1:${port}`;
  const azure = new AzureOpenAI({ apiKey: 'test', endpoint, apiVersion: '2025-04-01-preview' });
  const { id } = await azure.responses.create({ model: 'gpt-4.1', input: 'my name is Ada' });
  const { output_text: text } = await azure.responses.create({
    model: 'gpt-4.1',
    input: 'my name?',
    previous_response_id: id,
  });
  assert.match(text, /u "my name is Ada", a1, u "my name\?"/);
});

test('the openai client throws its own error for a rate limit, and tries again if it may', async (t) => {
  const { simulator, url } = await served(t);
  const fault = { status: 429, times: 1, headers: { 'retry-after-ms': '1' } };
  simulator.fault('responses.create', fault);
  const ask = (options) => clientAt(url, options).responses.create({ model: 'gpt-4.1', input: 'hi' });
  await assert.rejects(ask(), RateLimitError);
  simulator.fault('responses.create', fault);
  const { status } = await ask({ maxRetries: 1 });
  assert.equal(status, 'completed');
});
