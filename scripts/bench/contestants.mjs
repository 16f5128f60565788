// The contestants: one entry each. All say the same, through the SDK's `Runner` with the same agent.
import { MemorySession, OpenAIConversationsSession } from '@openai/agents';
import { agent, hybridSession, runnerOf, stockRunner } from './clients.mjs';
import { Conversation } from './conversation.mjs';
import { question } from './script.mjs';

const MIRRORS = ['await', 'background', 'off'];

/** Chaining by hand, as the SDK's documentation shows it. */
function byHand(client, isWritten) {
  const runner = stockRunner(client);
  let previousResponseId;
  let conversationId;
  let writing;
  return new Conversation({
    async run(text) {
      const result = await runner.run(agent, text, { previousResponseId });
      previousResponseId = result.lastResponseId;
      if (isWritten) writing = write(text, result.finalOutput);
    },
    settle: () => writing,
  });

  async function write(asked, answered) {
    conversationId ??= (await client.conversations.create()).id;
    const items = [
      { type: 'message', role: 'user', content: asked },
      { type: 'message', role: 'assistant', content: answered },
    ];
    await client.conversations.items.create(conversationId, { items });
  }
}

function withSession(client, session, kind, options = {}) {
  const runner = runnerOf(kind, client);
  const growing = kind === 'stock' ? runner : runnerOf('anchored', client);
  return new Conversation({
    run: (text) => runner.run(agent, text, { session }),
    // However a session has come to its turns, it is the same session.
    growBy: (text) => growing.run(agent, text, { session }),
    settle: options.mirror === 'background' ? () => session.flush() : undefined,
    session,
    ...(options.isKeepingIds ? { itemsOf: (from, to) => answeredItems(runner, from, to) } : {}),
  });
}

/** The items of turns with the IDs that the server gave the answers: `MemorySession` sends them again. */
async function answeredItems(runner, from, to) {
  const items = [];
  for (let turn = from; turn <= to; turn += 1) {
    const { output } = await runner.run(agent, question(turn));
    items.push({ type: 'message', role: 'user', content: question(turn) }, ...output);
  }
  return items;
}

const hybrid = (kind, options) => (client) =>
  withSession(client, hybridSession(client, options), kind, options);

/**
 * Each begins conversations with a client of its own. `isReplaying`: every turn reads or sends the whole history, so that
 * a conversation gets from one measured turn to the next by `seed`, and is measured in fewer turns.
 */
export const CONTESTANTS = [
  {
    name: 'stock',
    label: 'OpenAIConversationsSession',
    isReplaying: true,
    begin: (client) => withSession(client, new OpenAIConversationsSession({ client }), 'stock'),
  },
  {
    name: 'memory',
    label: 'MemorySession',
    isReplaying: true,
    begin: (client) => withSession(client, new MemorySession(), 'stock', { isKeepingIds: true }),
  },
  {
    name: 'hand',
    label: 'previousResponseId by hand',
    isReplaying: false,
    begin: (client) => byHand(client, false),
  },
  {
    name: 'hand-written',
    label: 'by hand, and written to a conversation',
    isReplaying: false,
    begin: (client) => byHand(client, true),
  },
  ...['off', 'shadow', 'rebuild'].map((mode) => ({
    name: mode,
    label: `HybridSession, ${mode}`,
    isReplaying: true,
    begin: hybrid('stock', { rollout: mode }),
  })),
  {
    name: 'rebuild-off',
    label: 'HybridSession, rebuild, mirror off',
    isReplaying: true,
    begin: hybrid('stock', { rollout: 'rebuild', mirror: 'off' }),
  },
  ...MIRRORS.map((mirror) => ({
    name: `chain-${mirror}`,
    label: `HybridSession, chain, mirror ${mirror}`,
    isReplaying: false,
    begin: hybrid('chain', { mirror }),
  })),
  ...MIRRORS.map((mirror) => ({
    name: `anchored-${mirror}`,
    label: `HybridSession, constant-size turns, mirror ${mirror}`,
    isReplaying: false,
    begin: hybrid('anchored', { mirror }),
  })),
];
