import { describe, expect, it } from 'vitest';
import type OpenAI from 'openai';
import type { Fault, Operation } from '../../mocks/index.ts';
import type { SimulatorCore } from '../../mocks/simulator.ts';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { converse, listedTexts, recorder, requestsOf, TURNS } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { impatient } from '../support/impatient.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';

useVirtualTime();

const WRITE: Operation = 'conversations.items.create';
const DELETE: Operation = 'conversations.items.delete';

/** What can go wrong with a request, before it took effect and after. */
const FAILURES: Readonly<Record<string, Fault>> = {
  'a 500': { status: 500 },
  'a 502': { name: 'bad_gateway' },
  'a 503': { name: 'overloaded' },
  'a 408': { status: 408 },
  'a 429': { name: 'rate_limit' },
  'a locked conversation': { name: 'conversation_locked' },
  'a broken connection': { name: 'connection_reset' },
  'no answer at all': { name: 'no_answer' },
};

const CASES = Object.entries(FAILURES).flatMap(([name, fault]) =>
  (['before', 'after'] as const).map((moment) => ({
    name,
    moment,
    fault: Object.assign({ times: 1, moment }, fault),
  })),
);

/** A client that gives up what is not answered. */
function impatientClient(simulator: SimulatorCore, maxRetries: number): OpenAI {
  return simulatedClient(simulator, maxRetries).withOptions({
    fetch: (...args) => impatient(simulator.fetch(...args)),
  });
}

describe('a write that fails', () => {
  it.each(CASES)(
    'a write with $name $moment it took effect fails no run, and is made later',
    async ({ fault }) => {
      const { simulator } = simulated();
      const client = impatientClient(simulator, 0);
      const { onEvent, of } = recorder();
      const session = new HybridSession({ client, onEvent });
      await session.getSessionId();
      simulator.fault(WRITE, fault);
      const [answer] = await converse(simulatedRunner(client), session, ['hi']);
      expect(of('mirror_failed')).toEqual([expect.objectContaining({ count: 2 })]);
      expect(texts(await session.getItems())).toEqual(['hi', answer]);

      await session.flush();
      const id = await session.getSessionId();
      expect(listedTexts(simulator, id)).toEqual(['hi', answer]);
      expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], listed: 2 });
    },
  );

  it.each([400, 404, 422, 500, undefined])(
    'a failed record of an applied write (%s) is no refusal, and nothing is written twice',
    async (status) => {
      const { simulator, client } = simulated();
      const ledger = memoryLedger();
      let failures = 1;
      const failing: LedgerStore = {
        ...elsewhere(ledger),
        append: async (id, records, ...args) => {
          if (records.some(({ type }) => type === 'mirror') && failures-- > 0)
            throw Object.assign(new Error('The store is down'), { status });
          return ledger.append(id, records, ...args);
        },
      };
      const { onEvent, of } = recorder();
      const session = new HybridSession({ client, ledger: failing, advanced: { ledgerRetry: 0 }, onEvent });
      await session.addItems([user('one'), user('two')]);
      expect(of('mirror_failed')).toEqual([expect.objectContaining({ count: 2 })]);
      await session.addItems([user('three')]);
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one', 'two', 'three']);
      expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], listed: 3 });
      expect(of('mirror_skipped')).toEqual([]);
    },
  );

  it.each(CASES)('a write with $name $moment it took effect is retried', async ({ fault }) => {
    const { simulator } = simulated();
    const client = impatientClient(simulator, 2);
    const { onEvent, problems } = recorder();
    const session = new HybridSession({ client, onEvent });
    await session.getSessionId();
    simulator.fault(WRITE, fault);
    const [answer] = await converse(simulatedRunner(client), session, ['hi']);
    expect(problems()).toEqual([]);
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(['hi', answer]);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], listed: 2 });
  });

  it('a failed write is made at the next turn', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    await session.getSessionId();
    simulator.fault(WRITE, { status: 500, times: 1, moment: 'after' });
    const answers = await converse(simulatedRunner(client), session, ['hi', 'thanks']);
    expect(answers[1]).toContain('I see 3 items (2u 1a)');
    const said = ['hi', answers[0], 'thanks', answers[1]];
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(said);
  });

  it('a failed write is made by another session on the same ledger', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger });
    await first.getSessionId();
    simulator.fault(WRITE, { status: 500, times: 1, moment: 'after' });
    const [answer] = await converse(simulatedRunner(client), first, ['hi']);
    const conversationId = await first.getSessionId();
    const second = new HybridSession({ client, ledger, conversationId, advanced: { compare: 'manual' } });
    await second.flush();
    expect(listedTexts(simulator, conversationId)).toEqual(['hi', answer]);
    await first.flush();
    expect(listedTexts(simulator, conversationId)).toEqual(['hi', answer]);
  });

  it('no retry is made without a comparison, even if the comparison fails', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    await session.getSessionId();
    simulator.fault(WRITE, { status: 500, times: 1, moment: 'after' });
    await session.addItems([user('one')]);
    const lift = simulator.fault('conversations.items.list', { status: 500 });
    const requests = await requestsOf(simulator, async () => {
      await expect(session.flush()).rejects.toMatchObject({ code: 'mirror_incomplete', pending: 1 });
      await session.addItems([user('two')]);
    });
    expect(requests).not.toContain(WRITE);
    lift();
    await session.flush();
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one', 'two']);
  });

  it('an unacknowledged write is searched twice, because the list may lag', async () => {
    const { client, simulator } = simulated({ lag: { reads: 1 } });
    const session = new HybridSession({ client });
    await session.getSessionId();
    simulator.fault(WRITE, { status: 500, times: 1, moment: 'after' });
    await session.addItems([user('one')]);
    await session.flush();
    await session.addItems([user('two')]);
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one', 'two']);
  });

  it('the late duplicate of a retried write is removed without a change of the history', async () => {
    const { client, simulator } = simulated();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, onEvent });
    const conversationId = await session.getSessionId();
    await session.addItems([user('zero')]);
    simulator.fault(WRITE, { status: 500, times: 1, moment: 'after' });
    await session.addItems([user('one'), user('two')]);
    const lift = simulator.fault('conversations.items.list', { name: 'lagging_items', count: 2 });
    await session.addItems([user('three')]);
    lift();
    expect(listedTexts(simulator, conversationId)).toEqual(['zero', 'one', 'two', 'one', 'two', 'three']);

    const { findings, length } = await session.verify();
    expect(length).toBe(4);
    expect(findings.map(({ type }) => type)).toEqual(['duplicated', 'duplicated']);
    await session.flush();
    expect(listedTexts(simulator, conversationId)).toEqual(['zero', 'one', 'two', 'three']);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], listed: 4 });
    expect(of('adopted')).toEqual([]);
  });

  it('the late write of a removed item is removed', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    const conversationId = await session.getSessionId();
    simulator.fault(WRITE, { status: 500, times: 1, moment: 'after' });
    await session.addItems([user('one')]);
    const lift = simulator.fault('conversations.items.list', { name: 'lagging_items', count: 1 });
    expect(texts([await session.popItem()])).toEqual(['one']);
    lift();
    expect(await session.verify()).toMatchObject({ length: 0 });
    await session.flush();
    expect(listedTexts(simulator, conversationId)).toEqual([]);
  });

  it.each(['before', 'after'] as const)(
    'a write of many batches fails in the middle, %s it took effect',
    async (moment) => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client });
      await session.getSessionId();
      simulator.fault(WRITE, { status: 502, times: 1, skip: 1, moment });
      const items = Array.from({ length: 65 }, (_, index) => user(`text ${index}`));
      await session.addItems(items);
      expect((await session.verify()).pending).toBe(moment === 'before' ? 45 : 25);
      await session.flush();
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(texts(items));
    },
  );

  it('a permanent failure leaves the items pending, reports their number, and serves them', async () => {
    const { client, simulator } = simulated();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, onEvent });
    const conversationId = await session.getSessionId();
    simulator.fault(WRITE, { status: 401, message: 'Incorrect API key provided: sk-secret' });
    const answers = await converse(simulatedRunner(client), session, TURNS);
    expect(answers.at(-1)).toContain('I see 7 items (4u 3a)');
    expect(of('mirror_failed').map(({ count }) => count)).toEqual([2, 4, 6, 8]);
    expect(of('mirror_failed')[0]?.reason).toBe('Error (401, invalid_api_key)');
    await expect(session.flush()).rejects.toMatchObject({
      name: 'MirrorIncompleteError',
      code: 'mirror_incomplete',
      conversationId,
      pending: 8,
      cause: new Error('Error (401, invalid_api_key)'),
    });
    expect(await session.verify()).toMatchObject({ verified: true, pending: 8, length: 8, listed: 0 });
  });

  it('a turn does not wait until a late date of a retry-after header', async () => {
    const { simulator } = simulated();
    const client = simulatedClient(simulator, 2);
    const session = new HybridSession({ client, bookmark: false });
    await session.getSessionId();
    simulator.fault(WRITE, { status: 429, headers: { 'retry-after': 'Fri, 01 Jan 9999 00:00:00 GMT' } });
    const requests = await requestsOf(simulator, () => session.addItems([user('one')]));
    expect(requests).toEqual([WRITE]);
  });

  it('a turn does not wait for a long retry-after header', async () => {
    const { simulator } = simulated();
    const client = simulatedClient(simulator, 2);
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, onEvent, bookmark: false });
    await session.getSessionId();
    simulator.fault(WRITE, { status: 429, headers: { 'retry-after': '60' } });
    const requests = await requestsOf(simulator, () => session.addItems([user('one')]));
    expect(requests).toEqual([WRITE]);
    expect(of('mirror_failed').length).toBe(1);
  });
});

describe('a ledger that goes away when the items are in it', () => {
  it('a ledger outage after the append fails no run, and the items are written later', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    let [isAway, isBack] = [false, false];
    const away = <T>(call: () => Promise<T>): Promise<T> =>
      isAway ? Promise.reject(new Error('away')) : call();
    const ledger: LedgerStore = {
      checkpoint: (id) => away(() => store.checkpoint(id)),
      read: (...args) => away(() => store.read(...args)),
      append: (...args) => {
        // Gone before the mirror has said what it wrote.
        isAway ||= !isBack && args[1].some(({ type }) => type === 'mirror');
        return away(() => store.append(...args));
      },
      rewrite: (...args) => away(() => store.rewrite(...args)),
      delete: (id) => away(() => store.delete(id)),
    };
    const session = new HybridSession({ client, ledger });
    await session.getSessionId();
    await session.addItems([user('one')]);
    expect(isAway).toBe(true);
    [isAway, isBack] = [false, true];
    expect(texts(await session.getItems())).toEqual(['one']);
    await session.flush();
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one']);
  });
});

describe('an item that the API refuses for good', () => {
  const POISON: readonly Fault[] = [
    { status: 400, message: 'Invalid item sk-secret', code: 'invalid_value' },
    { status: 413 },
    { status: 422 },
  ];

  it.each(POISON)('an item that the API refuses permanently does not stop the others: %j', async (fault) => {
    const { client, simulator } = simulated();
    const { onEvent, of, events } = recorder();
    const session = new HybridSession({ client, onEvent });
    const poisoned = Object.assign({}, fault, {
      when: ({ body }: { body: object }) => JSON.stringify(body).includes('poison'),
    });
    simulator.fault(WRITE, poisoned);
    const items = Array.from({ length: 25 }, (_, index) => user(index === 7 ? 'poison' : `text ${index}`));
    await session.addItems(items);
    const id = await session.getSessionId();
    expect(listedTexts(simulator, id)).toEqual(texts(items).filter((text) => text !== 'poison'));
    expect(texts(await session.getItems())).toEqual(texts(items));
    expect(of('mirror_skipped')).toEqual([expect.objectContaining({ itemKind: 'message:user' })]);
    expect(JSON.stringify(events)).not.toMatch(/poison|sk-secret/);
    await session.flush();
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  it('a skipped item is not sent again by any session', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, bookmark: false });
    simulator.fault(WRITE, { status: 400, times: 1 });
    await session.addItems([user('poison')]);
    const conversationId = await session.getSessionId();
    const next = new HybridSession({ client, ledger, conversationId, bookmark: false });
    const requests = await requestsOf(simulator, async () => {
      await session.addItems([user('two')]);
      await next.flush();
    });
    expect(requests).toEqual([WRITE]);
    expect(texts(await next.getItems())).toEqual(['poison', 'two']);
  });
});

describe('a removal that fails', () => {
  it.each(CASES)(
    'a removal with $name $moment it took effect fails no pop, and is made later',
    async ({ fault }) => {
      const { simulator } = simulated();
      const client = impatientClient(simulator, 0);
      const { onEvent, of } = recorder();
      const session = new HybridSession({ client, advanced: { compare: 'on-read' }, onEvent });
      await session.addItems([user('one'), user('two')]);
      simulator.fault(DELETE, fault);
      expect(texts([await session.popItem()])).toEqual(['two']);
      expect(of('mirror_failed')).toEqual([expect.objectContaining({ count: 1 })]);
      expect(texts(await session.getItems())).toEqual(['one']);
      await session.flush();
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one']);
      await session.addItems([user('three')]);
      expect(texts(await session.getItems())).toEqual(['one', 'three']);
      expect(of('adopted')).toEqual([]);
      expect(await session.verify()).toMatchObject({ pending: 0, findings: [] });
    },
  );

  it("a removal is retried as often as the client's option says", async () => {
    const { simulator } = simulated();
    const client = simulatedClient(simulator, 2);
    const session = new HybridSession({ client, bookmark: false });
    await session.addItems([user('one'), user('two')]);
    simulator.fault(DELETE, { status: 500 });
    expect(await requestsOf(simulator, () => session.popItem())).toEqual([DELETE, DELETE, DELETE]);
  });

  it('a removal of a missing item succeeds', async () => {
    const { client, simulator } = simulated();
    const { onEvent, problems } = recorder();
    const session = new HybridSession({ client, onEvent });
    await session.addItems([user('one'), user('two')]);
    const id = await session.getSessionId();
    const { data } = await client.conversations.items.list(id, { order: 'desc' });
    await client.conversations.items.delete(data[0]?.id ?? '', { conversation_id: id });
    expect(texts([await session.popItem()])).toEqual(['two']);
    expect(problems()).toEqual([]);
    expect(listedTexts(simulator, id)).toEqual(['one']);
  });
});

describe('a conversation that is deleted behind our back', () => {
  it.each(['rebuild', 'chain', 'off', 'shadow'] as const)(
    'a deleted conversation fails no run and loses no turn in mode %s',
    async (rollout) => {
      const { client } = simulated();
      const ledger = memoryLedger();
      const { onEvent, of } = recorder();
      const first = new HybridSession({ client, ledger });
      await converse(simulatedRunner(client), first, ['hi']);
      const conversationId = await first.getSessionId();
      await client.conversations.delete(conversationId);

      const session = new HybridSession({
        client,
        ledger,
        conversationId,
        rollout: 'rebuild',
        advanced: { compare: 'on-read' },
        onEvent,
      });
      const answers = await converse(simulatedRunner(client), session, ['two', 'three']);
      expect(answers[1]).toContain('I see 5 items (3u 2a)');
      expect(of('list_failed').length).toBe(2);
      expect(of('mirror_failed').map(({ count }) => count)).toEqual([2, 4]);
      await expect(session.flush()).rejects.toMatchObject({ code: 'mirror_incomplete', pending: 4 });

      const later = new HybridSession({ client, ledger, conversationId, rollout });
      expect((await later.getItems()).length).toBe(6);
    },
  );

  it('the items of a deleted conversation are reported as lost', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client });
    await converse(simulatedRunner(client), session, ['hi']);
    await client.conversations.delete(await session.getSessionId());
    const report = await session.verify();
    expect(report).toMatchObject({ verified: true, length: 2, listed: undefined, missing: [] });
    expect(report.findings.map(({ type }) => type)).toEqual(['lost', 'lost']);
  });

  it('the content of a deleted conversation is read from its responses', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger, keepContent: false });
    const answers = await converse(simulatedRunner(client), first, ['hi', 'thanks']);
    const conversationId = await first.getSessionId();
    await client.conversations.delete(conversationId);
    const session = new HybridSession({ client, ledger, conversationId, keepContent: false });
    expect(texts(await session.getItems())).toEqual(['hi', answers[0], 'thanks', answers[1]]);
  });
});
