import { codeOf } from './support/story.ts';
import { Agent, tool } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HybridSessionEvent,
  type Mode,
} from '../../src/index.ts';
import { failureOf } from '../runner/flow-world.ts';
import { otherServer, type OtherServer } from '../support/other-server.ts';
import { simulated } from '../support/simulated.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

/** How servers say that they have no such endpoint. */
const ANSWERS: readonly (readonly [string, () => Response])[] = [
  ['404 without a body', () => new Response(null, { status: 404 })],
  ['404 with a detail', () => Response.json({ detail: 'Not Found' }, { status: 404 })],
  [
    '404 with a page that names the path',
    () =>
      new Response('<html><pre>Cannot POST /v1/conversations</pre></html>', {
        status: 404,
        headers: { 'content-type': 'text/html' },
      }),
  ],
  [
    '404 with an error',
    () => Response.json({ error: { message: 'File Not Found', code: 404 } }, { status: 404 }),
  ],
  ['405', () => Response.json({ error: { message: 'Method Not Allowed' } }, { status: 405 })],
  ['501', () => Response.json({ error: { message: 'Not implemented' } }, { status: 501 })],
];

/** A server whose only endpoint is `/responses`. */
function withoutConversations(answer: () => Response): OtherServer & ReturnType<typeof simulated> {
  const world = simulated();
  const other = (_method: string, path: string): Response | undefined =>
    path.startsWith('/conversations') ? answer() : undefined;
  return { ...world, ...otherServer(world.simulator, { other }) };
}

const runner = new HybridRunner({ tracingDisabled: true });

describe.each(ANSWERS)('a server that answers %s to /conversations', (_what, answer) => {
  test('a server without conversations leads to a typed error before the model is asked', async () => {
    const { client, sent } = withoutConversations(answer);
    const run = runner.run(agent, 'hi', { session: new HybridSession({ client }) });
    await expect(run).rejects.toMatchObject({ code: 'conversations_unavailable' });
    await expect(runner.run(agent, 'hi', { session: new HybridSession({ client }) })).rejects.toThrow(
      "mirror: 'off'",
    );
    expect(sent).toHaveLength(0);
  });

  test("a server without conversations leads to a typed error if a conversation's ID is given", async () => {
    const { client } = withoutConversations(answer);
    const session = new HybridSession({ client, conversationId: 'conv_1' });
    await expect(session.getItems()).rejects.toMatchObject({ code: 'conversations_unavailable' });
  });

  test.each<Mode>(['chain', 'rebuild', 'shadow', 'off'])(
    "a server without conversations keeps the history in the ledger with mirror: 'background', in mode %s",
    async (rollout) => {
      const { client, sent, simulator } = withoutConversations(answer);
      const events: HybridSessionEvent[] = [];
      const ledger = memoryLedger();
      const open = (sessionId?: string): HybridSession =>
        new HybridSession({
          client,
          ledger,
          sessionId,
          rollout,
          mirror: 'background',
          onEvent: (event) => void events.push(event),
        });
      const session = open();
      await runner.run(agent, 'hi', { session });
      await runner.run(agent, 'call weather {}', { session });
      expect(await session.getItems()).toHaveLength(6);
      expect(events.filter((event) => codeOf(event) === 'no_conversations')).toEqual([
        { type: 'warning', sessionId: session.sessionId, code: 'no_conversations' },
      ]);
      expect(await failureOf(session.flush())).toBe('MirrorIncompleteError');
      // Another process finds it by its name.
      const again = open(session.sessionId);
      await runner.run(agent, 'thanks', { session: again });
      expect(simulator.log.at(-1)?.context).toHaveLength(7);
      expect(sent).toHaveLength(4);
    },
  );

  test("a session keeps its name after a clear with mirror: 'background' and no conversations", async () => {
    const { client } = withoutConversations(answer);
    const session = new HybridSession({ client, mirror: 'background' });
    await runner.run(agent, 'hi', { session });
    const first = session.sessionId;
    await session.clearSession();
    await runner.run(agent, 'hello', { session });
    expect(await session.getItems()).toHaveLength(2);
    expect(session.sessionId).toBe(first);
  });

  test("a server without conversations is not asked for them with mirror: 'off'", async () => {
    const { client, sent } = withoutConversations(answer);
    const session = new HybridSession({ client, mirror: 'off', sessionId: 'user-1' });
    for (const text of ['hi', 'thanks']) await runner.run(agent, text, { session });
    expect(sent.map(({ body }) => body['previous_response_id'] === undefined)).toEqual([true, false]);
  });
});

test('a missing conversation is told apart from a missing endpoint', async () => {
  const { client } = simulated();
  const session = new HybridSession({ client, conversationId: 'conv_1' });
  await expect(session.getItems()).rejects.toMatchObject({ code: 'conversation_not_found' });
});
