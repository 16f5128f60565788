// The app under test in CommonJS: a chat that keeps its session by the user's name.
const { Agent } = require('@openai/agents');
const { HybridSession, memoryLedger } = require('agents-hybrid-session');

/** @param runner runs the agent, @param client reaches the API: a test gives those of a simulator. */
function createChat({ runner, client, ledger = memoryLedger(), onEvent }) {
  const agent = new Agent({ name: 'Support', model: 'gpt-5.4', instructions: 'You help with orders.' });
  return async (userId, text) => {
    const session = new HybridSession({ sessionId: userId, client, ledger, onEvent });
    const { finalOutput } = await runner.run(agent, text, { session });
    return finalOutput;
  };
}

module.exports = { createChat };
