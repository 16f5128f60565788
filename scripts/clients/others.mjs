// Other stand-ins, asked the same questions: docs/simulator.md has the answers as a table.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { createServer } from '@dwmkerr/mock-llm/dist/server.js';
import { Agent, Runner, tool } from '@openai/agents';
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing';
import { createSimulator } from 'agents-hybrid-session/mocks/core';
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { z } from 'zod';

const MODEL = 'gpt-4.1';
const parameters = { type: 'object', properties: {}, required: [], additionalProperties: false };
const weather = { type: 'function', name: 'weather', strict: true, parameters };
const clientAt = (baseURL) => new OpenAI({ baseURL, apiKey: 'test', maxRetries: 0, timeout: 20_000 });

/** A script of each: a text, a tool call, an error and a stream that breaks, by the text of the user. */
const SCRIPT = {
  hello: 'Hi there, how can I help you today?',
  tool: 'call it',
  error: 'slow down',
  cut: 'break',
};

async function simulator() {
  const own = createSimulator();
  const { url } = await own.listen();
  own.when({ input: SCRIPT.tool }).always({ calls: [{ name: 'weather' }] });
  own.when({ input: SCRIPT.error }).always({ status: 429 });
  own.when({ input: 'hello' }).always(SCRIPT.hello);
  own.when({}).always(() => undefined);
  own.fault('responses.create', { name: 'cut_stream', at: 6, when: ({ body }) => body.input === SCRIPT.cut });
  return {
    url,
    record: (upstream, folder) => own.record({ upstream, file: join(folder, 'calls.jsonl') }),
    replay: (folder) => own.replay(join(folder, 'calls.jsonl')),
    close: () => own.close(),
  };
}

async function aimock() {
  const own = new LLMock({ port: 0, logLevel: 'silent' });
  own.onMessage(SCRIPT.tool, { toolCalls: [{ name: 'weather', arguments: '{}' }] });
  own.onMessage(SCRIPT.error, { error: { message: 'Slow down', type: 'rate_limit' }, status: 429 });
  own.onMessage('hello', { content: SCRIPT.hello });
  own.onMessage(SCRIPT.cut, { content: SCRIPT.hello.repeat(9) }, { truncateAfterChunks: 6 });
  own.onEmbedding('hello', { embedding: [0.1, 0.2] });
  await own.start();
  return {
    url: `${own.url}/v1`,
    record: (upstream, fixturePath) =>
      own.enableRecording({ providers: { openai: upstream.replace(/\/v1$/, '') }, fixturePath }),
    replay: (folder) => own.loadFixtureDir(folder),
    close: () => own.stop(),
  };
}

/** The rules of mock-llm have whole answers. */
const responseOf = (output) =>
  JSON.stringify({
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: MODEL,
    status: 'completed',
    output,
  });

const rule = (match, status, content) => ({
  path: '/v1/responses',
  match,
  response: { status, content },
});

async function mockLlm() {
  const text = { type: 'output_text', text: SCRIPT.hello, annotations: [] };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [text] };
  const call = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' };
  const chat = {
    choices: [{ message: { role: 'assistant', content: SCRIPT.hello }, finish_reason: 'stop' }],
  };
  const rules = [
    { path: '/v1/chat/completions', match: '@', response: { status: 200, content: JSON.stringify(chat) } },
    rule(`body.input == 'hello'`, 200, responseOf([message])),
    rule(`body.input == '${SCRIPT.tool}'`, 200, responseOf([call])),
    rule(`body.input == '${SCRIPT.error}'`, 429, '{"error":{"message":"Slow down"}}'),
  ];
  const own = createServer({ rules }, '127.0.0.1', 0).listen(0, '127.0.0.1');
  await once(own, 'listening');
  const close = async () => {
    own.close();
    own.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${own.address().port}/v1`, close };
}

const statusOf = (promise) =>
  promise.then(
    () => 200,
    ({ status }) => status,
  );
const streamOf = async (client, input) => {
  const types = [];
  for await (const { type } of await client.responses.create({ model: MODEL, input, stream: true }))
    types.push(type);
  return types;
};
const ask = (client, body) => client.responses.create({ model: MODEL, input: 'hello', ...body });
const strict = (schema) => ({ text: { format: { type: 'json_schema', name: 'a', strict: true, schema } } });

const UNSCRIPTED = { input: 'who is there?' };

async function textOfStream(client) {
  let text = '';
  for await (const event of await ask(client, { ...UNSCRIPTED, stream: true }))
    if (event.type === 'response.output_text.delta') text += event.delta;
  return text;
}

/** Whether a second stand-in answers from the recordings of a first one, after the recorded server has ended. */
async function replays({ client, record, start, folder }, textFrom) {
  if (record === undefined) return false;
  const upstream = createSimulator();
  const { url } = await upstream.listen();
  await record(url, folder);
  const text = await textFrom(client);
  await upstream.close();
  const second = await start();
  try {
    await second.replay(folder);
    return text !== '' && (await textFrom(clientAt(second.url))) === text;
  } finally {
    await second.close();
  }
}

/** A question about a server, and the client's way to the answer; an error of the client is a no. */
const QUESTIONS = {
  'a scripted text by `responses.create`': async ({ client }) =>
    (await ask(client)).output_text === SCRIPT.hello,
  'the same as a stream of events': async ({ client }) => {
    const types = await streamOf(client, 'hello');
    return types.at(0) === 'response.created' && types.at(-1) === 'response.completed';
  },
  'a scripted tool call': async ({ client }) => {
    const { output } = await ask(client, { input: SCRIPT.tool, tools: [weather] });
    return output.some(({ type, name }) => type === 'function_call' && name === 'weather');
  },
  'an error by its status': async ({ client }) =>
    (await statusOf(ask(client))) === 200 && (await statusOf(ask(client, { input: SCRIPT.error }))) === 429,
  'a stream that breaks in the middle': async ({ client }) => {
    const whole = await streamOf(client, 'hello');
    const cut = await streamOf(client, SCRIPT.cut).catch(() => 'broken');
    return whole.at(-1) === 'response.completed' && cut === 'broken';
  },
  'an answer over WebSocket': ({ client }) =>
    new Promise((resolve, reject) => {
      const socket = new ResponsesWS(client);
      const end = (settle) => (value) => {
        socket.close();
        settle(value);
      };
      socket.on('error', end(reject));
      socket.once('response.completed', ({ response }) =>
        end(resolve)(response.output[0].content[0].text === SCRIPT.hello),
      );
      socket.send({ type: 'response.create', model: MODEL, input: 'hello' });
    }),
  'records an answer of another server and replays it': (asked) =>
    replays(asked, async (client) => (await ask(client, UNSCRIPTED)).output_text),
  'records a stream of another server and replays it': (asked) => replays(asked, textOfStream),
  'keeps a response: `responses.retrieve`': async ({ client }) => {
    const { id } = await ask(client);
    return (await client.responses.retrieve(id)).id === id;
  },
  'refuses an unknown `previous_response_id`': async ({ client }) => {
    const { id } = await ask(client);
    const known = await statusOf(ask(client, { previous_response_id: id }));
    return known === 200 && (await statusOf(ask(client, { previous_response_id: 'resp_none' }))) === 400;
  },
  'keeps a conversation: its list has each turn': async ({ client }) => {
    const { id: conversation } = await client.conversations.create();
    await ask(client, { conversation });
    return (await client.conversations.items.list(conversation)).data.length === 2;
  },
  'JSON that fits a schema without a script': async ({ client }) => {
    const schema = { ...parameters, properties: { age: { type: 'integer' } }, required: ['age'] };
    const { output_text: text } = await ask(client, { input: 'anything', ...strict(schema) });
    return Number.isInteger(JSON.parse(text).age);
  },
  'refuses a strict schema without `additionalProperties`': async ({ client }) =>
    (await statusOf(ask(client, strict(parameters)))) === 200 &&
    (await statusOf(ask(client, strict({ type: 'object', properties: {} })))) === 400,
  'refuses a tool call without its output': async ({ client }) => {
    const call = { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' };
    const input = [{ role: 'user', content: 'hello' }];
    const whole = await statusOf(ask(client, { input }));
    return whole === 200 && (await statusOf(ask(client, { input: [...input, call] }))) === 400;
  },
  'Chat Completions': async ({ client }) => {
    const messages = [{ role: 'user', content: 'hello' }];
    const { choices } = await client.chat.completions.create({ model: MODEL, messages });
    return choices[0].message.content === SCRIPT.hello;
  },
  Embeddings: async ({ client }) => {
    const { data } = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'hello' });
    return data[0].embedding.length > 0;
  },
};

/** The questions that the SDK's model answers, in the place of a client. */
const MODEL_QUESTIONS = {
  'a scripted text by `responses.create`': async (run) =>
    (await run([[assistantMessage(SCRIPT.hello)]])).finalOutput === SCRIPT.hello,
  'the same as a stream of events': async (run) => {
    const result = await run([[assistantMessage(SCRIPT.hello)]], { stream: true });
    const deltas = [];
    for await (const { data } of result) if (data?.type === 'output_text_delta') deltas.push(data.delta);
    return deltas.join('') === SCRIPT.hello;
  },
  'a scripted tool call': async (run) => {
    const called = functionCall('weather', {}, { callId: 'call_1' });
    return (await run([[called], [assistantMessage('sunny')]])).finalOutput === 'sunny';
  },
  'an error by its status': async (run) => {
    const error = Object.assign(new Error('Slow down'), { status: 429 });
    return (await statusOf(run([{ type: 'error', error }]))) === 429;
  },
};

const run = (steps, options) => {
  const tools = [
    tool({ name: 'weather', description: '', parameters: z.object({}), execute: () => 'sunny' }),
  ];
  const agent = new Agent({ name: 'Assistant', model: new ScriptedModel(steps), tools });
  return new Runner({ tracingDisabled: true }).run(agent, 'hello', options);
};

const STANDINS = { simulator, aimock, 'mock-llm': mockLlm };

async function answersOf(start) {
  const answers = {};
  for (const [question, answer] of Object.entries(QUESTIONS)) {
    const server = await start();
    const folder = mkdtempSync(join(tmpdir(), 'others-'));
    const asked = { ...server, start, client: clientAt(server.url), folder };
    answers[question] = await answer(asked).catch(() => false);
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return answers;
}

const line = (cells) => `| ${cells.join(' | ')} |`;

test('the table of docs/simulator.md has the answers of each stand-in', async () => {
  const columns = [];
  for (const start of Object.values(STANDINS)) columns.push(await answersOf(start));
  const ofModel = {};
  for (const [question, answer] of Object.entries(MODEL_QUESTIONS)) ofModel[question] = await answer(run);
  columns.push(ofModel);
  const names = [...Object.keys(STANDINS), 'ScriptedModel'];
  const rows = Object.keys(QUESTIONS).map((question) => [
    question,
    ...columns.map((answers) => (answers[question] === true ? 'yes' : '')),
  ]);
  const table = [line(['', ...names]), `|${'---|'.repeat(names.length + 1)}`, ...rows.map(line)].join('\n');
  const page = readFileSync(
    join(import.meta.dirname, 'node_modules', 'agents-hybrid-session', 'docs', 'simulator.md'),
    'utf8',
  );
  assert.ok(page.includes(table), `the right table:\n${table}`);
});
