import { describe, expect, it } from 'vitest';
import { diagnoseAll, healAll, verifyAll } from '../../src/doctor.ts';
import {
  HybridSession,
  InvalidOptionsError,
  LedgerUnreadableError,
  memoryLedger,
  type LedgerStore,
} from '../../src/index.ts';
import { listedTexts } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { clock } from '../../src/util/clock.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { fleet } from './support.ts';

useVirtualTime();

async function all<T extends { readonly id: string }>(results: AsyncIterable<T>): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  for await (const result of results) found.set(result.id, result);
  return found;
}

function unreadable(sessionId: string): LedgerUnreadableError {
  return new LedgerUnreadableError(sessionId, 0, 'damaged', 'it is missing');
}

/** A ledger that lacks the records of a session, and cannot list another one. */
function damagedLedger(ledger: LedgerStore, id: string, unlisted: string): LedgerStore {
  return {
    ...ledger,
    async read(sessionId, ...range) {
      if (sessionId === id) throw unreadable(id);
      return ledger.read(sessionId, ...range);
    },
    async *sessions(options) {
      options?.onUnreadable?.(unreadable(unlisted));
      for await (const summary of ledger.sessions?.() ?? [])
        if (summary.sessionId !== unlisted) yield summary;
    },
  };
}

describe('diagnoseAll()', () => {
  it('each session of the ledger is diagnosed, and one without a conversation is left out', async () => {
    const { client, ledger, ids, damage, conversationOf } = await fleet(5);
    await new HybridSession({ sessionId: 'alone', ledger, mirror: 'off' }).addItems([user('hi')]);
    await damage('user-1', 'user-3');
    const found = await all(diagnoseAll({ client, ledger }));
    expect([...found.keys()].toSorted()).toEqual(ids);
    expect(ids.map((id) => found.get(id)?.diagnosis?.verdict)).toEqual([
      'whole',
      'repairable',
      'whole',
      'repairable',
      'whole',
    ]);
    expect(found.get('user-1')?.diagnosis).toMatchObject({
      lost: 1,
      conversationId: conversationOf('user-1'),
    });
  });

  it('the given conversations are diagnosed, without a ledger too', async () => {
    const { client, ledger, conversationOf } = await fleet(2);
    const ids = [conversationOf('user-1')];
    const [known] = (await all(diagnoseAll({ client, ledger, ids }))).values();
    expect(known?.diagnosis).toMatchObject({ verdict: 'whole', evidence: 'ledger' });
    const [unknown] = (await all(diagnoseAll({ client, ids }))).values();
    expect(unknown?.diagnosis).toMatchObject({ verdict: 'unknown', evidence: 'list' });
  });

  it('an error of one session is its result, and the others go on', async () => {
    const { client, ledger } = await fleet(3);
    const found = await all(diagnoseAll({ client, ledger: damagedLedger(ledger, 'user-1', 'user-0') }));
    for (const id of ['user-0', 'user-1'])
      expect(found.get(id)?.error).toMatchObject({ code: 'ledger_unreadable', sessionId: id });
    expect(found.get('user-2')?.diagnosis?.verdict).toBe('whole');
  });

  it('no more sessions are diagnosed at once than allowed', async () => {
    const { client, ledger, ids } = await fleet(9);
    let [active, most] = [0, 0];
    const counted = Object.assign(Object.create(ledger) as LedgerStore, {
      async read(...range: Parameters<LedgerStore['read']>) {
        most = Math.max(most, (active += 1));
        await new Promise((resolve) => setImmediate(resolve));
        active -= 1;
        return ledger.read(...range);
      },
    });
    const found = await all(diagnoseAll({ client, ledger: counted, concurrency: 3 }));
    expect(found.size).toBe(ids.length);
    expect(most).toBe(3);
  });

  it('a rate limit pauses all sessions for as long as the server asks, and fails none', async () => {
    const { simulator, client, ledger, ids } = await fleet(6);
    simulator.fault('conversations.items.list', { name: 'rate_limit', retryAfter: 6, times: 2 });
    const began = clock.now();
    const found = await all(diagnoseAll({ client, ledger }));
    expect([...found.values()].filter(({ error }) => error !== undefined)).toEqual([]);
    expect(found.size).toBe(ids.length);
    expect(clock.now() - began).toBeGreaterThanOrEqual(6000);
  });

  it('a signal ends the work with its reason, and begins no other session', async () => {
    const { client, ledger } = await fleet(8);
    const stop = new AbortController();
    const done: string[] = [];
    const work = async (): Promise<void> => {
      for await (const { id } of diagnoseAll({ client, ledger, concurrency: 1, signal: stop.signal })) {
        done.push(id);
        if (done.length === 2) stop.abort(new Error('enough'));
      }
    };
    await expect(work()).rejects.toThrow('enough');
    expect(done).toHaveLength(2);
  });

  it('wrong options, and a ledger that does not list its sessions, are refused', async () => {
    const { client, ledger } = await fleet(1);
    const unlisted: LedgerStore = { ...memoryLedger() };
    delete unlisted.sessions;
    await expect(all(diagnoseAll({ client, ledger: unlisted }))).rejects.toThrow("option 'ids' is needed");
    await expect(all(diagnoseAll({ client, ledger, concurrency: 0 }))).rejects.toThrow(InvalidOptionsError);
    await expect(all(diagnoseAll({ client, ledger, ids: 'conv_1' as never }))).rejects.toThrow(
      "option 'ids'",
    );
  });
});

describe('healAll()', () => {
  it('the damaged sessions are healed, and the others keep their conversations', async () => {
    const { client, ledger, ids, damage, conversationOf } = await fleet(4);
    await damage('user-2');
    const before = await all(healAll({ client, ledger, dryRun: true }));
    expect(before.get('user-2')).toMatchObject({ verdict: 'repairable', healed: { dryRun: true, items: 2 } });
    expect((await ledger.checkpoint('user-2'))?.conversation).toBe(conversationOf('user-2'));
    const healed = await all(healAll({ client, ledger }));
    expect(ids.filter((id) => healed.get(id)?.healed !== undefined)).toEqual(['user-2']);
    expect((await ledger.checkpoint('user-1'))?.conversation).toBe(conversationOf('user-1'));
    const session = new HybridSession({ sessionId: 'user-2', client, ledger });
    expect(texts(await session.getItems())).toEqual(['hello of user-2', 'again']);
    expect(session.conversationId).not.toBe(conversationOf('user-2'));
    const again = await all(healAll({ client, ledger }));
    expect([...again.values()].map(({ verdict }) => verdict)).toEqual(ids.map(() => 'whole'));
  });

  it('a session whose list is only behind is written, and keeps its conversation', async () => {
    const { simulator, client, ledger, conversationOf } = await fleet(1);
    simulator.fault('conversations.items.create', { status: 500, times: 1 });
    await new HybridSession({ sessionId: 'user-0', client, ledger }).addItems([user('late')]);
    const planned = await all(healAll({ client, ledger, dryRun: true }));
    expect(planned.get('user-0')).toEqual({ id: 'user-0', verdict: 'repairable', healed: undefined });
    expect(listedTexts(simulator, conversationOf('user-0'))).toHaveLength(2);
    await all(healAll({ client, ledger }));
    expect(listedTexts(simulator, conversationOf('user-0')).at(-1)).toBe('late');
    expect((await ledger.checkpoint('user-0'))?.conversation).toBe(conversationOf('user-0'));
  });
});

describe('verifyAll()', () => {
  it('each session is reported, and none is changed', async () => {
    const { client, ledger, damage, conversationOf } = await fleet(3);
    await damage('user-0');
    const found = await all(verifyAll({ client, ledger }));
    expect(found.get('user-0')?.report).toMatchObject({ verified: true, findings: [{ type: 'lost' }] });
    expect(found.get('user-1')?.report).toMatchObject({ verified: true, findings: [], pending: 0 });
    expect((await ledger.checkpoint('user-0'))?.conversation).toBe(conversationOf('user-0'));
  });

  it('a session that the ledger does not know is not verified', async () => {
    const { client, ledger } = await fleet(1);
    const found = await all(verifyAll({ client, ledger, ids: ['user-0', 'user-O'] }));
    expect(found.get('user-0')?.report).toMatchObject({ verified: true });
    expect(found.get('user-O')).toMatchObject({ error: { reason: 'not_found' } });
  });
});
