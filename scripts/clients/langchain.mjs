// LangChain's model of OpenAI, on the Responses API.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';
import { served } from './served.mjs';

const weather = tool(async ({ city }) => `sunny in ${city}`, {
  name: 'weather',
  description: 'The weather in a city',
  schema: z.object({ city: z.string() }),
});

const modelAt = (url, options) =>
  new ChatOpenAI({
    apiKey: 'test',
    configuration: { baseURL: url },
    useResponsesApi: true,
    maxRetries: 0,
    ...options,
  });

for (const model of ['gpt-4.1', 'gpt-6-sol']) {
  for (const zdrEnabled of [false, true]) {
    const way = zdrEnabled ? `${model}, nothing stored` : model;

    test(`a conversation of LangChain keeps every message (${way})`, async (t) => {
      const { simulator, url } = await served(t);
      const chat = modelAt(url, { model, zdrEnabled });
      const messages = [];
      for (const text of ['my name is Ada', 'hi', 'what is my name?']) {
        messages.push(new HumanMessage(text));
        messages.push(await chat.invoke(messages));
      }
      assert.match(messages.at(-1).text, /u "my name is Ada", .*u "hi", .*a\d, u "what is my name\?"/);
      const { context } = simulator.log.at(-1);
      assert.equal(context.filter(({ role }) => role === 'assistant').length, 2);
    });

    test(`LangChain calls a tool and sends its output (${way})`, async (t) => {
      const { url } = await served(t);
      const chat = modelAt(url, { model, zdrEnabled }).bindTools([weather]);
      const messages = [new HumanMessage('call weather {"city":"Oslo"}')];
      const called = await chat.invoke(messages);
      assert.deepEqual(
        called.tool_calls.map(({ name, args }) => [name, args]),
        [['weather', { city: 'Oslo' }]],
      );
      const [call] = called.tool_calls;
      const output = await weather.invoke(call);
      assert.ok(output instanceof ToolMessage);
      const answer = await chat.invoke([...messages, called, output]);
      assert.match(answer.text, /sunny in Oslo/);
    });

    test(`LangChain streams a text (${way})`, async (t) => {
      const { url } = await served(t);
      const chat = modelAt(url, { model, zdrEnabled });
      let text = '';
      let chunks = 0;
      for await (const chunk of await chat.stream('my name is Ada')) {
        text += chunk.text;
        chunks += 1;
      }
      assert.match(text, /u "my name is Ada"$/);
      assert.ok(chunks > 3);
    });
  }

  test(`LangChain parses structured output (${model})`, async (t) => {
    const { url } = await served(t);
    const schema = z.object({ name: z.string(), age: z.number().int().min(0) });
    const chat = modelAt(url, { model }).withStructuredOutput(schema);
    const { name, age } = await chat.invoke('describe Ada');
    assert.equal(typeof name, 'string');
    assert.ok(Number.isInteger(age));
  });
}

test('LangChain continues from the previous response', async (t) => {
  const { url } = await served(t);
  const chat = modelAt(url, { model: 'gpt-4.1' });
  const first = await chat.invoke('my name is Ada');
  const { text } = await chat.invoke('what is my name?', {
    previous_response_id: first.response_metadata.id,
  });
  assert.match(text, /u "my name is Ada", a1, u "what is my name\?"/);
});

test('LangChain shows the error of the API', async (t) => {
  const { simulator, url } = await served(t);
  simulator.fault('responses.create', { name: 'rate_limit' });
  await assert.rejects(
    modelAt(url, { model: 'gpt-4.1' }).invoke('hi'),
    ({ status, code }) => status === 429 && code === 'rate_limit_exceeded',
  );
});
