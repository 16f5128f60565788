// msw 3: the handlers of the simulator.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createSimulator } from 'agents-hybrid-session/mocks';
import { setupServer } from 'msw/node';
import OpenAI, { APIConnectionError } from 'openai';

const simulator = createSimulator();
const server = setupServer(...simulator.handlers);
const hi = { model: 'gpt-4.1', input: 'hi' };
let client;

before(() => {
  server.listen({ onUnhandledRequest: 'error' });
  client = new OpenAI({ apiKey: 'test', maxRetries: 0 });
});
afterEach(() => simulator.reset());
after(() => server.close());

test('msw 3 answers an unchanged client', async () => {
  const { id } = await client.responses.create(hi);
  const { output_text: text } = await client.responses.create({ ...hi, previous_response_id: id });
  assert.equal(text, 'Answer 2: I see 3 items (2u 1a): u "hi", a1, u "hi"');
});

test('msw 3 streams to the end', async () => {
  const types = [];
  for await (const { type } of await client.responses.create({ ...hi, stream: true })) types.push(type);
  assert.equal(types.at(-1), 'response.completed');
});

test('msw 3 shows a cut stream as a broken connection', async () => {
  simulator.fault('responses.create', { name: 'cut_stream', at: 4 });
  const types = [];
  await assert.rejects(async () => {
    for await (const { type } of await client.responses.create({ ...hi, stream: true })) types.push(type);
  });
  assert.ok(types.length <= 4);
});

test('msw 3 shows a broken connection', async () => {
  simulator.fault('responses.create', 'connection_reset');
  await assert.rejects(client.responses.create(hi), APIConnectionError);
});
