// Counts how often the package uses the stock session that this app sees: never, if there are two copies of the SDK.
import { OpenAIConversationsSession } from '@openai/agents';
import { HybridSession } from 'agents-hybrid-session';
import { createSimulator } from 'agents-hybrid-session/mocks';
import OpenAI from 'openai';

let used = 0;
const { getItems } = OpenAIConversationsSession.prototype;
OpenAIConversationsSession.prototype.getItems = function counted(...args) {
  used += 1;
  return getItems.apply(this, args);
};

const simulator = createSimulator();
const client = new OpenAI({ apiKey: 'test', fetch: simulator.fetch });
new HybridSession({ client, rollout: 'off' }).getItems().then(() => console.log(used));
