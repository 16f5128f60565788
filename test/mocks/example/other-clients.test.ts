import OpenAI from 'openai';
import { expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/core.ts';

it('a client of a base URL asks the simulator', async () => {
  await using simulator = createSimulator();
  const { url } = await simulator.listen(); // http://127.0.0.1:PORT/v1
  const client = new OpenAI({ baseURL: url, apiKey: 'test' });
  const { output_text: text } = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
  expect(text).toBe('Answer 1: I see 1 item (1u): u "hi"');
});
