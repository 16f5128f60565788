// The AI SDK with its provider of the Responses API.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { served } from './served.mjs';

const weather = tool({
  description: 'The weather in a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});

const lists = (count) => new RegExp(`I see ${count} items?`);

for (const model of ['gpt-4.1', 'gpt-6-sol']) {
  test(`a conversation of the AI SDK keeps every message (${model})`, async (t) => {
    const { simulator, url } = await served(t);
    const openai = createOpenAI({ baseURL: url, apiKey: 'test' });
    const messages = [];
    for (const content of ['my name is Ada', 'hi', 'what is my name?']) {
      messages.push({ role: 'user', content });
      const { response } = await generateText({ model: openai.responses(model), messages });
      messages.push(...response.messages);
    }
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['user', 'assistant', 'user', 'assistant', 'user', 'assistant'],
    );
    const { context } = simulator.log.at(-1);
    assert.deepEqual(
      context.filter(({ role }) => role === 'user').map(({ content }) => content[0].text),
      ['my name is Ada', 'hi', 'what is my name?'],
    );
    assert.equal(context.filter(({ role }) => role === 'assistant').length, 2);
  });

  test(`a conversation of the AI SDK continues from the previous response (${model})`, async (t) => {
    const { url } = await served(t);
    const openai = createOpenAI({ baseURL: url, apiKey: 'test' });
    const first = await generateText({ model: openai.responses(model), prompt: 'my name is Ada' });
    const previousResponseId = first.providerMetadata.openai.responseId;
    const { text } = await generateText({
      model: openai.responses(model),
      prompt: 'what is my name?',
      providerOptions: { openai: { previousResponseId } },
    });
    assert.match(text, /u "my name is Ada", .*a1, u "what is my name\?"/);
  });

  test(`the AI SDK runs a tool and sends its output (${model})`, async (t) => {
    const { url } = await served(t);
    const openai = createOpenAI({ baseURL: url, apiKey: 'test' });
    const { text, steps } = await generateText({
      model: openai.responses(model),
      prompt: 'call weather {"city":"Oslo"}',
      tools: { weather },
      stopWhen: stepCountIs(3),
    });
    assert.equal(steps.length, 2);
    assert.match(text, /sunny in Oslo/);
  });

  test(`the AI SDK streams a text with a tool (${model})`, async (t) => {
    const { url } = await served(t);
    const openai = createOpenAI({ baseURL: url, apiKey: 'test' });
    const errors = [];
    const result = streamText({
      model: openai.responses(model),
      prompt: 'call weather {"city":"Oslo"}',
      tools: { weather },
      stopWhen: stepCountIs(3),
      onError: ({ error }) => errors.push(error),
    });
    let text = '';
    for await (const part of result.textStream) text += part;
    assert.deepEqual(errors, []);
    assert.match(text, /sunny in Oslo/);
    assert.equal(await result.finishReason, 'stop');
    assert.ok((await result.totalUsage).outputTokens > 0);
  });

  test(`the AI SDK parses structured output (${model})`, async (t) => {
    const { url } = await served(t);
    const openai = createOpenAI({ baseURL: url, apiKey: 'test' });
    const { output } = await generateText({
      model: openai.responses(model),
      prompt: 'describe Ada',
      output: Output.object({ schema: z.object({ name: z.string(), age: z.number().int().min(0) }) }),
    });
    assert.equal(typeof output.name, 'string');
    assert.ok(Number.isInteger(output.age));
  });
}

test('the AI SDK shows the error of the API', async (t) => {
  const { simulator, url } = await served(t);
  simulator.fault('responses.create', { name: 'context_length_exceeded' });
  const openai = createOpenAI({ baseURL: url, apiKey: 'test' });
  await assert.rejects(
    generateText({ model: openai.responses('gpt-4.1'), prompt: 'hi' }),
    (error) => error.statusCode === 400 && error.data.error.code === 'context_length_exceeded',
  );
});

test('the AI SDK tries again after a rate limit', async (t) => {
  const { simulator, url } = await served(t);
  simulator.fault('responses.create', { status: 429, times: 1, headers: { 'retry-after-ms': '1' } });
  const openai = createOpenAI({ baseURL: url, apiKey: 'test' });
  const { text } = await generateText({ model: openai.responses('gpt-4.1'), prompt: 'hi' });
  assert.match(text, lists(1));
});
