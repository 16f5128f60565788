import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { AppProcess } from '../sequences/support/app-process.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

/** Short enough for a test to outlive a process that died. */
const mirrorLease = 20;

const DEEDS = {
  pop: { act: (session: HybridSession) => session.popItem(), left: ['kept-word'] },
  clear: { act: (session: HybridSession) => session.clearSession(), left: [] },
} as const;

/** What a session holds; nothing when a clear has come as far as to leave nothing to ask. */
async function served(session: HybridSession): Promise<string[]> {
  try {
    return texts(await session.getItems());
  } catch (error) {
    expect(error).toMatchObject({ code: 'conversation_not_found' });
    return [];
  }
}

/** @returns whether the process was killed before it was done. */
async function dieAt(
  deed: keyof typeof DEEDS,
  mirror: 'off' | 'await',
  death: { readonly after: number; readonly moment: 'before' | 'after' },
): Promise<boolean> {
  const { client, simulator } = simulated();
  const store = memoryLedger();
  const first = new HybridSession({
    client,
    ledger: store,
    ...(mirror === 'off' ? { mirror, sessionId: 'session' } : {}),
  });
  await first.addItems([user('kept-word'), user('secret-word')]);
  const id = await first.getSessionId();
  const known: HybridSessionOptions =
    mirror === 'off' ? { mirror, sessionId: id } : { conversationId: id, advanced: { mirrorLease } };
  const bytes = async (): Promise<string> =>
    JSON.stringify([await store.checkpoint(id), await store.read(id)]);

  const dying = new AppProcess(simulator.fetch, [], () => store);
  const session = new HybridSession({ ...known, client: dying.client, ledger: dying.ledger });
  await session.getItems();
  dying.killAt(death);
  await Promise.race([DEEDS[deed].act(session).catch(() => undefined), dying.died]);
  const isKilled = !dying.isAlive;

  const { left } = DEEDS[deed];
  const next = new HybridSession({ ...known, client, ledger: store });
  const found = await served(next);
  expect([['kept-word', 'secret-word'], [...left]]).toContainEqual(found);
  if (found.length > left.length) await DEEDS[deed].act(next);
  for (const word of ['kept-word', 'secret-word'])
    expect((await bytes()).includes(word)).toBe(left.some((one) => one === word));
  const last = new HybridSession({ ...known, client, ledger: store });
  expect(await served(last)).toEqual(left);
  return isKilled;
}

describe.each(['pop', 'clear'] as const)('a process that dies in a %s', (deed) => {
  it.each(['off', 'await'] as const)(
    'a process that dies at any call leaves the old history or the new one, and the next finishes it (mirror %s)',
    { timeout: 60_000 },
    async (mirror) => {
      let deaths = 0;
      for (const moment of ['before', 'after'] as const)
        for (let after = 0; await dieAt(deed, mirror, { after, moment }); after += 1) deaths += 1;
      expect(deaths).toBeGreaterThan(mirror === 'off' ? 3 : 8);
    },
  );
});
