// A few turns outside Node: with a tool, streamed, on a list that loses answers, and continued from the previous response.
import assert from 'node:assert/strict';
import process from 'node:process';
import { Agent, setTracingDisabled, tool } from '@openai/agents';
import { HybridSession, memoryLedger, run } from 'agents-hybrid-session';
import { createSimulator } from 'agents-hybrid-session/mocks';
import OpenAI from 'openai';
import { z } from 'zod';

setTracingDisabled(true);
const simulator = createSimulator({ unlink: 'every-turn' });
const client = new OpenAI({ apiKey: 'test', baseURL: 'http://127.0.0.1/v1', fetch: simulator.fetch });
const weather = tool({
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `sunny in ${city}`,
});
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [weather] });
const ledger = memoryLedger();
const plans = [];
const onEvent = (event) => {
  if (event.type === 'turn') plans.push(...event.plans.map(({ plan }) => plan));
};

const session = new HybridSession({ client, ledger, onEvent });
await run(agent, 'my name is Ada', { session });
await run(agent, 'call get_weather {"city":"Oslo"}', { session });
const streamed = await run(agent, 'what is my name?', { session, stream: true });
await streamed.completed;
assert.deepEqual(plans, ['replay', 'chain', 'chain', 'chain']);

const conversationId = await session.getSessionId();
const again = new HybridSession({ client, ledger, conversationId });
const { verified, length } = await again.verify();
assert.deepEqual([verified, length], [true, 8]);
console.log('smoke: 3 turns, 8 items, verified');
// msw opens a BroadcastChannel, which keeps Deno alive.
process.exit(0);
