// A chat with "edit", "try again" and "A or B": npm start
import { Agent, setDefaultOpenAIClient } from '@openai/agents';
import OpenAI from 'openai';
import { HybridSession, memoryLedger, run } from 'agents-hybrid-session';
import { createSimulator } from 'agents-hybrid-session/mocks/core';

if (process.env.OPENAI_API_KEY === undefined) {
  const { fetch } = createSimulator();
  setDefaultOpenAIClient(new OpenAI({ apiKey: 'offline', fetch }));
}

const session = new HybridSession({
  sessionId: 'trip-42',
  // An app keeps its ledger in a database: sqliteLedger(), redisLedger(), postgresLedger().
  ledger: memoryLedger(),
  onEvent: (event) => {
    if (event.type !== 'turn') return;
    for (const { plan, sent, context } of event.plans)
      console.log(`  ${event.sessionId}: ${plan}, sent ${sent} of ${context} items`);
  },
});
const agent = new Agent({ name: 'Guide', model: 'gpt-4.1', instructions: 'Answer in one sentence.' });
const ask = async (question, where = session, who = agent) => {
  const { finalOutput } = await run(who, question, { session: where });
  console.log(`${question} - ${finalOutput}`);
};

await ask('Where shall I go in May?');
await ask('And in Juni?');

// Edit: take the question back, and ask another one. The request continues from the answer before.
await session.undo();
await ask('And in June?');

// Try again: the same question, once more.
const [turn] = await session.undo();
await ask(turn.items[0].content);

// A or B: two models go on from the same answer, each in a session of its own.
const other = await session.fork({ sessionId: 'trip-42-b' });
await ask('How do I get there?');
await ask('How do I get there?', other, agent.clone({ model: 'gpt-4.1-mini' }));

const { total } = await session.usage();
const [branch] = await session.branches();
const count = (await session.turns()).length;
console.log(
  `${count} turns, ${total.requests} requests, and ${branch.sessionId} goes on from ${branch.turnId}`,
);
