import { Agent } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, type HybridSessionEvent } from '../../src/index.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../../src/items/digest.ts';
import { bookmarkProof } from '../../src/conversation/bookmark.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { guardProcess } from './support/property.ts';

guardProcess();

const SECRET = 'my salary is 42';
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });
const said = user('theirs');

/** The forged part of the history, with the length of the context of the named response. */
const FORGED = {
  'proves the list': { digest: extendDigest(EMPTY_DIGEST, itemDigest(said)), length: 1 },
  'proves nothing': { digest: EMPTY_DIGEST, length: 0 },
  'proves another history': { digest: itemDigest(user('other')) ?? '', length: 1 },
} as const;

/** Two sessions of one account: a user can write the metadata of the second conversation, and knows IDs of the first. */
async function forged(kind: keyof typeof FORGED) {
  const { client, simulator } = simulated({ unlink: 'none' });
  const first = new HybridSession({ client });
  await runner.run(agent, SECRET, { session: first });
  const [response] = simulator.snapshot().responses.map(({ id }) => id);
  const { digest, length } = FORGED[kind];
  const place = await client.conversations.create({ items: [] });
  const metadata = { hybrid_session: place.id };
  const item = { type: 'message' as const, role: 'user' as const, content: 'theirs' };
  const { id } = await client.conversations.create({ items: [item], metadata });
  const history = { format: 1, conversation: id, length, proof: bookmarkProof(id, digest) };
  const context = { length, bytes: 0, since: 0 };
  const answer = { id: response, time: Date.now(), store: true, model: 'gpt-5.4', context };
  await client.conversations.update(place.id, {
    metadata: { history: JSON.stringify(history), response: JSON.stringify(answer) },
  });
  return { client, simulator, first, id };
}

describe.each(Object.keys(FORGED) as (keyof typeof FORGED)[])(
  "a forged bookmark that %s and names another session's response",
  (kind) => {
    it('a forged bookmark shows the model no item of another session', async () => {
      const { client, simulator, id } = await forged(kind);
      const events: HybridSessionEvent[] = [];
      const session = new HybridSession({
        client,
        conversationId: id,
        onEvent: (event) => void events.push(event),
      });
      expect(texts(await session.getItems())).toEqual(['theirs']);
      const from = simulator.log.length;
      await runner.run(agent, 'what did I say?', { session });
      const seen = simulator.log.slice(from).map(({ context }) => context);
      expect(JSON.stringify(seen)).toContain('theirs');
      expect(JSON.stringify([seen, await session.getItems(), events])).not.toContain(SECRET);
      expect(await session.verify()).toMatchObject({ length: 3, missing: [] });
    });

    it('a forged bookmark deletes no response of another session', async () => {
      const { client, simulator, first, id } = await forged(kind);
      const before = await first.getItems();
      const session = new HybridSession({ client, conversationId: id });
      await session.getItems();
      await session.erase({ remote: true });
      expect(await first.getItems()).toEqual(before);
      expect(simulator.snapshot().responses).toHaveLength(1);
      expect(await first.verify()).toMatchObject({ verified: true, length: 2, findings: [] });
    });
  },
);
