// Counts how often the package uses the stock session that this app sees: never, if there are two copies of the SDK.
const { OpenAIConversationsSession } = require('@openai/agents');
const { HybridSession } = require('agents-hybrid-session');
const { createSimulator } = require('agents-hybrid-session/mocks');
const { default: OpenAI } = require('openai');

let used = 0;
const { getItems } = OpenAIConversationsSession.prototype;
OpenAIConversationsSession.prototype.getItems = function counted(...args) {
  used += 1;
  return getItems.apply(this, args);
};

const simulator = createSimulator();
const client = new OpenAI({ apiKey: 'test', fetch: simulator.fetch });
new HybridSession({ client, rollout: 'off' }).getItems().then(() => console.log(used));
