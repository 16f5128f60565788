// A support chat that outgrows its model: npm start
import { Agent, setDefaultOpenAIClient } from '@openai/agents';
import OpenAI from 'openai';
import { HybridSession, memoryLedger, run } from 'agents-hybrid-session';
import { createSimulator } from 'agents-hybrid-session/mocks/core';

const isOffline = process.env.OPENAI_API_KEY === undefined;
// The simulated model reads 900 tokens at most.
if (isOffline) {
  const { fetch } = createSimulator({ contextWindow: 900 });
  setDefaultOpenAIClient(new OpenAI({ apiKey: 'offline', fetch }));
}

const session = new HybridSession({
  sessionId: 'support-42',
  // An app keeps its ledger in a database: sqliteLedger(), redisLedger(), postgresLedger().
  ledger: memoryLedger(),
  history: { compaction: { atTokens: isOffline ? 600 : 100_000 } },
  onEvent: (event) => {
    if (event.type !== 'compacted') return;
    const { items, tokens } = event;
    console.log(`compacted: ${items.before} items (${tokens.before} tokens) became ${items.after}`);
  },
});
const agent = new Agent({ name: 'Support', model: 'gpt-4.1', instructions: 'Answer in one sentence.' });

for (let question = 1; question <= 12; question += 1) {
  await run(agent, `Question ${question}: where is my order?`, { session });
  // A process that ends now still gets its compaction.
  await session.flush();
}

const { length } = await session.transcript();
const { verified } = await session.verify();
console.log(
  `${length} items were said, a model sees ${(await session.getItems()).length}; proven: ${verified}`,
);
