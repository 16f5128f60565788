import { Agent, tool } from '@openai/agents';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createSimulator } from '../../../mocks/core.ts';

const weather = tool({
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `4 degrees in ${city}`,
});

it('the agent asks for the weather and answers in its form', async () => {
  const simulator = createSimulator();
  simulator.when({ tool: 'get_weather' }).always({ json: { degrees: 4 } }); // once its output is there
  simulator
    .when({ input: /weather/ })
    .reply({ calls: [{ name: 'get_weather', arguments: { city: 'Oslo' } }] });

  const outputType = z.object({ degrees: z.number() });
  const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather], outputType });
  const { finalOutput } = await simulator.runner().run(agent, 'How is the weather in Oslo?');
  expect(finalOutput).toEqual({ degrees: 4 });
});
