// A CommonJS app: two turns with the SDK's own run() and the SDK's default client.
const agents = require('@openai/agents');
const { HybridSession } = require('agents-hybrid-session');
const { createSimulator } = require('agents-hybrid-session/mocks');
const { default: OpenAI } = require('openai');

const simulator = createSimulator({ unlink: 'every-turn' });
agents.setDefaultOpenAIClient(new OpenAI({ apiKey: 'test', fetch: simulator.fetch }));

async function main() {
  const session = new HybridSession();
  const agent = new agents.Agent({ name: 'Assistant', model: 'gpt-5.4' });
  await agents.run(agent, 'my name is Ada', { session });
  const { finalOutput } = await agents.run(agent, 'what is my name?', { session });

  const items = await session.getItems();
  const { verified } = await session.verify();
  console.log(JSON.stringify({ finalOutput, roles: items.map(({ role }) => role), verified }));
}

main();
