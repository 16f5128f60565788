// jest in a project of CommonJS: a session, its simulator, and the matchers.
const { Agent, tool } = require('@openai/agents');
const { HybridSession } = require('agents-hybrid-session');
const { createSimulator } = require('agents-hybrid-session/mocks/core');
const { simulatorMatchers } = require('agents-hybrid-session/testing');
const { z } = require('zod');

expect.extend(simulatorMatchers);

const weather = tool({
  name: 'weather',
  description: 'The weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});

let simulator;
beforeEach(() => {
  simulator = createSimulator({ unlink: 'every-turn' });
});
afterEach(() => simulator.close());

// Each test has the same texts, so that a model of another test's simulator would be noticed.
for (const model of ['gpt-4.1', 'gpt-5.4']) {
  test(`an agent in jest keeps its turns and calls a tool (${model})`, async () => {
    const session = new HybridSession({ client: simulator.client() });
    const agent = new Agent({ name: 'Assistant', model, tools: [weather] });
    const runner = simulator.runner();
    await runner.run(agent, 'my name is Ada', { session });
    const { finalOutput } = await runner.run(agent, 'call weather {"city":"Oslo"}', { session });
    await runner.run(agent, 'what is my name?', { session });
    expect(finalOutput).toContain('sunny in Oslo');
    expect(simulator).toHaveSeen('my name is Ada', /^Answer 1/, 'what is my name?');
    expect(simulator).not.toHaveLost();
  });
}

test('a client in jest reaches a listening simulator', async () => {
  const { url } = await simulator.listen();
  const { status } = await simulator
    .client({ baseURL: url })
    .responses.create({ model: 'gpt-4.1', input: 'hi' });
  expect(status).toBe('completed');
});
