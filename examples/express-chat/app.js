// The routes. Each request opens the session by its name: no process keeps a chat.
import { RunState } from '@openai/agents';
import { HybridRunner, HybridSession } from 'agents-hybrid-session';
import express from 'express';
import { createAgents } from './agents.js';
import { approvalsIn } from './approvals.js';

/** @param isClosing returns whether the process is about to end. */
export function createApp({ database, isClosing }) {
  const agents = createAgents(database);
  const approvals = approvalsIn(database);
  // The ledger gets each answer and tool result at once: a process that is killed leaves them to the next turn.
  const runner = new HybridRunner({ record: 'as-it-goes' });
  const openSession = (chatId) =>
    new HybridSession({ sessionId: chatId, ledger: database.ledger, onEvent: log });

  const app = express();
  app.use(express.json());
  // An app checks here that the chat belongs to the user who is signed in.

  app.post('/chats/:chatId/messages', async ({ params: { chatId }, body }, response) => {
    const text = body?.text;
    if (typeof text !== 'string' || text === '')
      return response.status(400).json({ error: 'text is missing' });
    if (await approvals.isPending(chatId))
      return response.status(409).json({ error: 'a call waits for its approval' });
    const session = openSession(chatId);
    const agent = agents[(await session.lastAgent()) ?? 'Triage'] ?? agents.Triage;
    return answer(response, { chatId, session, agent, input: text });
  });

  app.post('/chats/:chatId/approval', async ({ params: { chatId }, body }, response) => {
    if (typeof body?.approve !== 'boolean') return response.status(400).json({ error: 'approve is missing' });
    const saved = await approvals.claim(chatId);
    if (saved === undefined) return response.status(409).json({ error: 'no call waits for an approval' });
    const state = await RunState.fromString(agents.Triage, saved);
    for (const call of state.getInterruptions()) {
      if (body.approve) state.approve(call);
      else state.reject(call);
    }
    return answer(response, { chatId, session: openSession(chatId), agent: agents.Triage, input: state });
  });

  app.get('/chats/:chatId', async ({ params: { chatId } }, response) => {
    const session = openSession(chatId);
    const [items, agent] = [await session.getItems(), await session.lastAgent()];
    response.json({ agent, pending: await approvals.isPending(chatId), items });
  });

  app.get('/healthz', async (_request, response) => {
    if (isClosing()) return response.status(503).json({ status: 'closing' });
    try {
      await database.query('SELECT 1 AS alive');
      return response.json({ status: 'ok' });
    } catch {
      return response.status(503).json({ status: 'no database' });
    }
  });

  return app;

  /** Streams a run as server-sent events, and saves it if it waits for an approval. */
  async function answer(response, { chatId, session, agent, input }) {
    const isResumed = input instanceof RunState;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    // A client that has gone away changes nothing: the run ends, and the chat has its answer.
    const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    try {
      const stream = await runner.run(agent, input, { session, stream: true });
      for await (const event of stream) {
        if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta')
          send('delta', { text: event.data.delta });
        else if (event.type === 'agent_updated_stream_event') send('agent', { name: event.agent.name });
        else if (event.type === 'run_item_stream_event' && event.name === 'tool_called')
          send('tool', { name: event.item.rawItem.name });
      }
      await stream.completed;
      if (stream.interruptions.length > 0) {
        await approvals.save(chatId, stream.state.toString());
        const calls = stream.interruptions.map(({ rawItem }) => ({
          name: rawItem.name,
          arguments: rawItem.arguments,
        }));
        send('approval', { calls });
      } else {
        if (isResumed) await approvals.remove(chatId);
        send('done', { output: stream.finalOutput });
      }
    } catch (error) {
      if (isResumed) await approvals.release(chatId).catch(() => undefined);
      // Its message may quote the chat.
      console.error(JSON.stringify({ chatId, error: error.name, code: error.code }));
      send('error', { message: 'The answer failed. Please try again.' });
    }
    response.end();
  }
}

/** Events hold IDs and counts, no content. */
function log(event) {
  if (event.type === 'lost') console.log(JSON.stringify({ chatId: event.sessionId, lost: event.total }));
  if (event.type === 'warning') console.log(JSON.stringify({ chatId: event.sessionId, warning: event.code }));
}
