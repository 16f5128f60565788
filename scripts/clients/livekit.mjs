// The language model of LiveKit's agents, over WebSocket and over HTTP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initializeLogger, llm } from '@livekit/agents';
import { responses } from '@livekit/agents-plugin-openai';
import { z } from 'zod';
import { served } from './served.mjs';

initializeLogger({ level: 'silent', pretty: false });

const weather = llm.tool({
  name: 'weather',
  description: 'The weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});

/** Asks the model, and adds its answer to the conversation as LiveKit's session does. */
async function ask(model, chatCtx, options) {
  const answer = await model.chat({ chatCtx, ...options }).collect();
  if (answer.text !== '') chatCtx.addMessage({ role: 'assistant', content: answer.text });
  return answer;
}

for (const useWebSocket of [true, false]) {
  const way = useWebSocket ? 'WebSocket' : 'HTTP';

  test(`a conversation of LiveKit keeps every message (${way})`, async (t) => {
    const { simulator, url } = await served(t);
    const model = new responses.LLM({ model: 'gpt-4.1', apiKey: 'test', baseURL: url, useWebSocket });
    t.after(() => model.aclose?.());
    const chatCtx = llm.ChatContext.empty();
    let text = '';
    for (const content of ['my name is Ada', 'hi', 'what is my name?']) {
      chatCtx.addMessage({ role: 'user', content });
      ({ text } = await ask(model, chatCtx));
    }
    assert.match(text, /^Answer 3: I see 5 items \(3u 2a\)/);
    assert.equal(simulator.log.filter(({ operation }) => operation === 'responses.create').length, 3);
  });

  test(`LiveKit streams a text (${way})`, async (t) => {
    const { url } = await served(t);
    const model = new responses.LLM({ model: 'gpt-4.1', apiKey: 'test', baseURL: url, useWebSocket });
    t.after(() => model.aclose?.());
    const chatCtx = llm.ChatContext.empty();
    chatCtx.addMessage({ role: 'user', content: 'my name is Ada' });
    const deltas = [];
    for await (const { delta } of model.chat({ chatCtx })) if (delta?.content) deltas.push(delta.content);
    assert.ok(deltas.length > 3);
    assert.match(deltas.join(''), /u "my name is Ada"$/);
  });

  test(`LiveKit calls a tool and sends its output (${way})`, async (t) => {
    const { url } = await served(t);
    const model = new responses.LLM({ model: 'gpt-4.1', apiKey: 'test', baseURL: url, useWebSocket });
    t.after(() => model.aclose?.());
    const chatCtx = llm.ChatContext.empty();
    chatCtx.addMessage({ role: 'user', content: 'call weather {"city":"Oslo"}' });
    const toolCtx = new llm.ToolContext([weather]);
    const { toolCalls } = await ask(model, chatCtx, { toolCtx });
    assert.deepEqual(
      toolCalls.map(({ name, args }) => [name, JSON.parse(args)]),
      [['weather', { city: 'Oslo' }]],
    );
    chatCtx.insert([
      ...toolCalls,
      llm.FunctionCallOutput.create({
        callId: toolCalls[0].callId,
        name: 'weather',
        output: await weather.execute({ city: 'Oslo' }),
        isError: false,
      }),
    ]);
    const { text } = await ask(model, chatCtx, { toolCtx });
    assert.match(text, /sunny in Oslo/);
  });

  test(`LiveKit shows the error of the API (${way})`, async (t) => {
    const { simulator, url } = await served(t);
    simulator.fault('responses.create', { name: 'context_length_exceeded' });
    const model = new responses.LLM({ model: 'gpt-4.1', apiKey: 'test', baseURL: url, useWebSocket });
    t.after(() => model.aclose?.());
    const messages = [];
    model.on('error', ({ error }) => messages.push(error.message));
    const chatCtx = llm.ChatContext.empty();
    chatCtx.addMessage({ role: 'user', content: 'hi' });
    await ask(model, chatCtx, { connOptions: { maxRetry: 0, retryIntervalMs: 0, timeoutMs: 60_000 } });
    assert.equal(messages.length, 1);
    assert.match(messages[0], /exceeds the context window/);
  });
}
