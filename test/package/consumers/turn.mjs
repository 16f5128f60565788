// An ES module app: two turns with the SDK's own run() and the SDK's default client.
import { Agent, run, setDefaultOpenAIClient } from '@openai/agents';
import { HybridSession } from 'agents-hybrid-session';
import { createSimulator } from 'agents-hybrid-session/mocks';
import OpenAI from 'openai';

const simulator = createSimulator({ unlink: 'every-turn' });
setDefaultOpenAIClient(new OpenAI({ apiKey: 'test', fetch: simulator.fetch }));

const session = new HybridSession();
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
await run(agent, 'my name is Ada', { session });
const { finalOutput } = await run(agent, 'what is my name?', { session });

const items = await session.getItems();
const { verified } = await session.verify();
console.log(JSON.stringify({ finalOutput, roles: items.map(({ role }) => role), verified }));
