import { describe, expect, it } from 'vitest';
import {
  HybridSession,
  InvalidOptionsError,
  LedgerUnreadableError,
  memoryLedger,
  sweepSessions,
  type LedgerStore,
} from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { converse } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const DAY = 24 * 3600_000;

async function world() {
  const { simulator, client } = simulated();
  const ledger = memoryLedger();
  const open = (sessionId: string, store: LedgerStore = ledger): HybridSession =>
    new HybridSession({ sessionId, client, ledger: store, bookmark: false });
  await converse(simulatedRunner(client), open('old'), ['hi']);
  await converse(simulatedRunner(client), open('old too'), ['hi']);
  passTime(40 * DAY);
  await converse(simulatedRunner(client), open('young'), ['hi']);
  const ids = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { sessionId } of ledger.sessions?.() ?? []) found.push(sessionId);
    return found.toSorted();
  };
  return { simulator, client, ledger, open, ids };
}

describe('sweepSessions()', () => {
  it('the sessions that were not changed for the time are removed, with their aliases', async () => {
    const { simulator, ledger, open, ids } = await world();
    const conversationId = (await ledger.checkpoint('old'))?.conversation ?? '';
    const told: string[] = [];
    const onSwept = ({ sessionId }: { readonly sessionId: string }): void => void told.push(sessionId);
    const planned = await sweepSessions({ ledger, olderThan: 30 * DAY, dryRun: true, onSwept });
    expect({ planned, ids: await ids() }).toEqual({
      planned: { swept: 2, changed: 0, unknown: 0, failed: 0 },
      ids: ['old', 'old too', 'young'],
    });
    const swept = await sweepSessions({ ledger, olderThan: 30 * DAY, onSwept });
    expect(swept).toEqual({ swept: 2, changed: 0, unknown: 0, failed: 0 });
    expect(told).toEqual(['old', 'old too', 'old', 'old too']);
    expect(await ids()).toEqual(['young']);
    expect(await ledger.checkpoint(conversationId)).toBeUndefined();
    expect(simulator.snapshot().conversations.map(({ id }) => id)).toContain(conversationId);
    expect(await open('young').getItems()).toHaveLength(2);
  });

  it('remote deletes the responses and the conversations, too', async () => {
    const { simulator, client, ledger } = await world();
    await sweepSessions({ ledger, olderThan: 30 * DAY, remote: true, client });
    const { conversations, responses } = simulator.snapshot();
    expect([conversations.length, responses.length]).toEqual([1, 1]);
  });

  it('a session that is changed after it was listed stays whole, and is found by its conversation', async () => {
    const { client, ledger, open } = await world();
    const conversationId = (await ledger.checkpoint('old'))?.conversation ?? '';
    // Another process appends when the sweep has read the session.
    let isRead = false;
    const raced: LedgerStore = {
      ...ledger,
      async delete(sessionId, expected) {
        if (sessionId === 'old' && !isRead) await open('old', elsewhere(ledger)).addItems([user('back')]);
        isRead = true;
        return ledger.delete(sessionId, expected);
      },
    };
    for (const prefix of ['old', undefined]) {
      const found = await sweepSessions({ ledger: raced, olderThan: 30 * DAY, ...(prefix && { prefix }) });
      expect(found.changed).toBe(prefix === undefined ? 0 : 1);
    }
    const session = new HybridSession({ conversationId, client, ledger });
    expect(texts(await session.getItems()).at(-1)).toBe('back');
    expect(session.sessionId).toBe('old');
  });

  it('a session whose last change the store does not know stays, unless a response tells it', async () => {
    const { ledger } = await world();
    await new HybridSession({ sessionId: 'silent', ledger, mirror: 'off' }).addItems([user('hi')]);
    passTime(100 * DAY);
    const timeless: LedgerStore = {
      ...ledger,
      async *sessions(options) {
        for await (const { updated: _, ...summary } of ledger.sessions?.(options) ?? []) yield summary;
      },
    };
    const found = await sweepSessions({ ledger: timeless, olderThan: 30 * DAY });
    expect(found).toEqual({ swept: 3, changed: 0, unknown: 1, failed: 0 });
    expect(await ledger.checkpoint('silent')).toBeDefined();
  });

  it('a session that cannot be removed does not keep the others, and one that cannot be read is removed', async () => {
    const { simulator, client, ledger, ids } = await world();
    simulator.fault('responses.delete', { status: 403, times: 1 });
    const failed: string[] = [];
    const onFailed = (sessionId: string): void => void failed.push(sessionId);
    const options = { ledger, olderThan: 30 * DAY };
    const first = await sweepSessions({ ...options, remote: true, client, onFailed });
    expect({ first, failed }).toEqual({
      first: { swept: 1, changed: 0, unknown: 0, failed: 1 },
      failed: ['old'],
    });
    const damaged: LedgerStore = {
      ...ledger,
      async read(sessionId) {
        throw new LedgerUnreadableError(sessionId, 0, 'damaged', 'it is missing');
      },
    };
    const second = await sweepSessions({ ...options, ledger: damaged });
    expect(second).toEqual({ swept: 1, changed: 0, unknown: 0, failed: 0 });
    expect(await ids()).toEqual(['young']);
  });

  it('wrong options are refused before anything is removed', async () => {
    const { ledger, ids } = await world();
    const unlisted: LedgerStore = { ...ledger };
    delete unlisted.sessions;
    for (const options of [
      { ledger, olderThan: 0 },
      { ledger, olderThan: Number.NaN },
      { ledger, olderThan: 1, remote: true },
      { ledger: unlisted, olderThan: 1 },
      { ledger, olderThan: 1, dryrun: true },
    ])
      await expect(sweepSessions(options)).rejects.toThrow(InvalidOptionsError);
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(sweepSessions({ ledger, olderThan: 1, signal })).rejects.toThrow('stopped');
    expect(await ids()).toHaveLength(3);
  });
});
