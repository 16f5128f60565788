// Two turns on the simulator, with neither msw nor `require()` of ES modules, as in jest.
const { Agent } = require('@openai/agents');
const { HybridSession } = require('agents-hybrid-session');
const { createSimulator, outline } = require('agents-hybrid-session/mocks/core');

async function main() {
  const simulator = createSimulator();
  const session = new HybridSession({ client: simulator.client() });
  const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
  for (const text of ['hi', 'thanks']) await simulator.runner().run(agent, text, { session });
  const asked = simulator.log.filter(({ operation }) => operation === 'responses.create');
  console.log(JSON.stringify(asked.map(({ context }) => outline(context))));
}

void main();
