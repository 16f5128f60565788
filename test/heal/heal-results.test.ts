import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/index.ts';
import { countHealed, DANGLING_REASON } from '../../src/heal/healed.ts';
import { HybridSession, memoryLedger, type HealError, type LedgerStore } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ConversationReplaced } from '../../src/ledger/attached-conversation.ts';
import { ledgerItem, recordOf, type LedgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { clock } from '../../src/util/clock.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { assistantAgent, converse, listedIds, listedTexts } from '../flows/support/story.ts';
import { assistant, texts, user } from '../support/conversation.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const lines = (count: number): AgentInputItem[] =>
  Array.from({ length: count }, (_, index) => user(`line ${index}`));

/** A session with some lines, in a world of its own. */
async function told(count: number, ledger: LedgerStore = memoryLedger()) {
  const world = simulated();
  const session = new HybridSession({ client: world.client, ledger, bookmark: false });
  await session.addItems(lines(count));
  const conversationId = await session.getSessionId();
  const lose = async (position: number): Promise<void> => {
    const id = listedIds(world.simulator, conversationId)[position] ?? '';
    await world.client.conversations.items.delete(id, { conversation_id: conversationId });
  };
  return { ...world, session, ledger, conversationId, lose };
}

const failureOf = async (healing: Promise<unknown>): Promise<HealError> => {
  const error: unknown = await healing.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return error as HealError;
};

function ledgerOf(items: readonly LedgerItem[], ...steps: readonly LedgerStep[]): LedgerState {
  const state = emptyState();
  const all: LedgerStep[] = [{ type: 'items', items: [...items] }, ...steps];
  applyRecords(
    state,
    all.map((step) => recordOf(step, { commit: 'commit', time: 0 })),
  );
  return state;
}

describe('the numbers of a heal', () => {
  it('the items of a history are linked, written, skipped or dangling', () => {
    const item = ledgerItem(user('hi'), true);
    const state = ledgerOf([{ ...item, link: 'a' }, { ...item, link: 'b' }, item, item, item, item], {
      type: 'mirror',
      added: [
        { seq: 0, id: 'a' },
        { seq: 1, id: 'other' },
        { seq: 2, id: 'c' },
      ],
      removed: [],
      skipped: [
        { seq: 3, reason: DANGLING_REASON },
        { seq: 4, reason: 'no form' },
        { seq: 5, reason: 'no form' },
      ],
    });
    expect(countHealed(state)).toEqual({ items: 6, linked: 1, written: 2, skipped: 2, dangling: 1 });
    expect(countHealed(emptyState())).toEqual({ items: 0, linked: 0, written: 0, skipped: 0, dangling: 0 });
  });
});

const odd = { type: 'shell_call', callId: 's1', action: { commands: [], mystery: 1 } } as never;
const thought = (id: string): AgentInputItem => ({ type: 'reasoning', id, content: [] });

describe('the plan of a heal', () => {
  it('a plan says for each item how it comes to the new conversation', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client, bookmark: false });
    await session.addItems([user('one'), thought('rs_1'), assistant('two'), odd, thought('rs_2')]);
    const conversationId = await session.getSessionId();
    const plan = await session.heal({ dryRun: true });
    expect(plan.steps.map(({ index, kind, how }) => `${index} ${kind} ${how}`)).toEqual([
      '0 message:user linked',
      '1 reasoning written',
      '2 message:assistant linked',
      expect.stringMatching(/^3 shell_call /),
      '4 reasoning dangling',
    ]);
    expect(plan).toMatchObject({ from: conversationId, conversationId: undefined, items: 5, dangling: 1 });
    expect(plan.linked + plan.written + plan.skipped + plan.dangling).toBe(5);
    expect(plan.steps.map(({ id }) => id !== undefined)).toEqual([true, true, true, true, true]);
    const healed = await session.heal();
    expect(healed).toMatchObject({ items: 5, dangling: 1, linked: plan.linked });
  });

  it('a plan for items that the conversation never held writes them', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, bookmark: false });
    await session.getSessionId();
    const lift = simulator.fault('conversations.items.create', 'overloaded');
    await session.addItems([user('one'), user('two')]);
    lift();
    expect(await session.heal({ dryRun: true })).toMatchObject({
      linked: 0,
      written: 2,
      skipped: 0,
      dangling: 0,
    });
  });

  it('a plan after a finished heal is empty, and one after an unfinished heal goes on', async () => {
    const { session, conversationId } = await told(45);
    const stop = new AbortController();
    const stopped = await failureOf(
      session.heal({ signal: stop.signal, onProgress: ({ done }) => void (done === 20 && stop.abort()) }),
    );
    expect(stopped).toMatchObject({ reason: 'stopped', pending: 25 });
    const begun = await session.heal({ dryRun: true });
    expect(begun).toMatchObject({ from: conversationId, conversationId: stopped.conversationId, items: 45 });
    expect(begun.steps).toHaveLength(45);
    const healed = await session.heal();
    expect(healed.conversationId).toBe(stopped.conversationId);
    const after = await session.heal({ dryRun: true });
    expect(after).toMatchObject({
      from: conversationId,
      conversationId: healed.conversationId,
      steps: [],
      verified: true,
      linked: 45,
    });
  });

  it('a plan after a heal whose conversation lost items begins another one', async () => {
    const { client, session } = await told(5);
    const { conversationId } = await session.heal();
    const ids: string[] = [];
    for await (const item of client.conversations.items.list(conversationId, { order: 'asc' }))
      ids.push('id' in item ? (item.id ?? '') : '');
    await client.conversations.items.create(conversationId, { items: [{ role: 'user', content: 'new' }] });
    expect(await session.heal({ dryRun: true })).toMatchObject({ conversationId, steps: [] });
    await client.conversations.items.delete(ids[1] ?? '', { conversation_id: conversationId });
    const plan = await session.heal({ dryRun: true });
    expect(plan).toMatchObject({ from: conversationId, conversationId: undefined });
    expect(plan.steps).toHaveLength(6);
    await client.conversations.delete(conversationId);
    expect(await session.heal({ dryRun: true })).toMatchObject({
      from: conversationId,
      conversationId: undefined,
    });
  });

  it('a plan reads the session again that another process healed meanwhile', async () => {
    const store = memoryLedger();
    const { client, session, conversationId } = await told(3, store);
    let replaced = 0;
    const racing: LedgerStore = {
      ...elsewhere(store),
      read: async (...args) => {
        if (replaced === 0) {
          replaced += 1;
          throw new ConversationReplaced(conversationId);
        }
        return store.read(...args);
      },
    };
    const other = new HybridSession({ client, ledger: racing, conversationId, bookmark: false });
    expect(await other.heal({ dryRun: true })).toMatchObject({ items: 3 });
    expect(replaced).toBe(1);
    expect(await session.getItems()).toHaveLength(3);
  });

  it('a plan for a session that cannot be healed names it', async () => {
    const off = new HybridSession({ mirror: 'off', sessionId: 'user-42' });
    const fresh = new HybridSession({ client: simulated().client });
    for (const dryRun of [true, false]) {
      expect(await failureOf(off.heal({ dryRun }))).toMatchObject({ sessionId: 'user-42' });
      expect(await failureOf(fresh.heal({ dryRun }))).toMatchObject({
        sessionId: '',
        reason: 'nothing_to_heal',
      });
    }
  });
});

const fail = async (
  operation: 'conversations.items.create' | 'conversations.retrieve',
  fault: Fault,
): Promise<HealError> => {
  const { simulator, session, lose } = await told(3);
  await lose(1);
  simulator.fault(operation, fault);
  return failureOf(session.heal());
};

describe('a heal that fails', () => {
  it('a heal that cannot read the metadata is worth another try only where the failure passes', async () => {
    expect(await fail('conversations.retrieve', { name: 'server_error' })).toMatchObject({
      reason: 'unread',
      isTemporary: true,
      failure: expect.stringContaining('500'),
    });
    expect(await fail('conversations.retrieve', { status: 403 })).toMatchObject({
      reason: 'unread',
      isTemporary: false,
      failure: expect.stringContaining('403'),
    });
  });

  it('a heal that cannot write says how much is left, and whether another try may work', async () => {
    expect(await fail('conversations.items.create', { name: 'server_error' })).toMatchObject({
      reason: 'unwritten',
      pending: 3,
      isTemporary: true,
      failure: expect.stringContaining('500'),
      conversationId: expect.stringMatching(/^conv_/),
    });
    expect(await fail('conversations.items.create', { status: 403 })).toMatchObject({
      reason: 'unwritten',
      isTemporary: false,
    });
    const busy = await fail('conversations.items.create', {
      status: 429,
      headers: { 'retry-after': '7' },
    });
    expect(busy).toMatchObject({ isTemporary: true, retryAfter: 7000 });
  });

  it('a heal is asked to stop before it creates a conversation', async () => {
    const { simulator, session } = await told(3);
    const error = await failureOf(session.heal({ signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ reason: 'stopped', conversationId: undefined });
    expect(simulator.snapshot().conversations).toHaveLength(1);
  });

  it('an error of the progress callback does not fail a heal', async () => {
    const { simulator, session } = await told(3);
    const healed = await session.heal({
      onProgress: () => {
        throw new Error('the callback fails');
      },
    });
    expect(listedTexts(simulator, healed.conversationId)).toEqual(['line 0', 'line 1', 'line 2']);
  });
});

describe('the check of a healed conversation', () => {
  it('a list that lags is read up to four times, a quarter of a second longer each time', async () => {
    const { simulator, session } = await told(3);
    const times: number[] = [];
    const { conversationId } = await session.heal({
      onProgress: ({ done }) => {
        if (done < 3) return;
        times.push(clock.now());
        simulator.fault('conversations.items.list', { name: 'lagging_items', count: 1, times: 3 });
      },
    });
    expect(listedTexts(simulator, conversationId)).toHaveLength(3);
  });

  it('a list that never shows the items leaves a heal unverified', async () => {
    const { simulator, session, conversationId } = await told(3);
    const error = await failureOf(
      session.heal({
        onProgress: ({ done }) => {
          if (done === 3) simulator.fault('conversations.items.list', { name: 'lagging_items', count: 1 });
        },
      }),
    );
    expect(error).toMatchObject({ reason: 'unverified', conversationId: expect.stringMatching(/^conv_/) });
    expect(error.conversationId).not.toBe(conversationId);
  });

  it('a conversation that is deleted during a heal leaves it unverified at once', async () => {
    const { client, session } = await told(3);
    let deleted: Promise<unknown> = Promise.resolve();
    const error = await failureOf(
      session.heal({
        onProgress: ({ conversationId, done }) => {
          if (done === 3) deleted = client.conversations.delete(conversationId);
        },
      }),
    );
    await deleted;
    expect(error).toMatchObject({ reason: 'unverified' });
    const healed = await session.heal();
    expect(healed.conversationId).not.toBe(error.conversationId);
    expect(texts(await session.getItems())).toEqual(['line 0', 'line 1', 'line 2']);
  });

  it('an old conversation that cannot be deleted stays, and the heal is done', async () => {
    const { simulator, session, conversationId } = await told(3);
    simulator.fault('conversations.delete', { status: 500 });
    const healed = await session.heal({ previous: 'delete' });
    expect(healed).toMatchObject({ from: conversationId, verified: true, dryRun: false });
    expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([
      conversationId,
      healed.conversationId,
    ]);
  });

  it('an old conversation is kept unless its deletion is asked for', async () => {
    const kept = await told(2);
    await kept.session.heal({ previous: 'keep' });
    expect(kept.simulator.snapshot().conversations).toHaveLength(2);
    const deleted = await told(2);
    const { conversationId } = await deleted.session.heal({ previous: 'delete' });
    expect(deleted.simulator.snapshot().conversations.map(({ id }) => id)).toEqual([conversationId]);
  });

  it('reasoning whose content is gone stays in the ledger alone', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const options = { client, ledger, keepContent: false, bookmark: false } as const;
    const session = new HybridSession(options);
    const [answer] = await converse(simulatedRunner(client), session, ['hi'], {
      agent: assistantAgent('gpt-5'),
    });
    const conversationId = await session.getSessionId();
    const { data } = await client.conversations.items.list(conversationId);
    const id = data.find(({ type }) => type === 'reasoning')?.id ?? '';
    await client.conversations.items.delete(id, { conversation_id: conversationId });
    for (const response of simulator.snapshot().responses) await client.responses.delete(response.id);
    const again = simulatedClient(simulator);
    const other = new HybridSession({ ...options, client: again, ledger: elsewhere(ledger), conversationId });
    const healed = await other.heal();
    expect(healed).toMatchObject({ items: 3, skipped: 1, dangling: 0 });
    expect(listedTexts(simulator, healed.conversationId)).toEqual(['hi', answer]);
  });
});

const fates = async (isDown: boolean): Promise<string[]> => {
  const { simulator, session, ledger, conversationId } = await told(2);
  if (isDown) simulator.fault('conversations.delete', { status: 500 });
  await session.heal({ previous: 'delete' });
  const { former } = await new Ledger({ store: ledger, sessionId: conversationId }).read();
  return [...former.values()];
};

describe('the conversations of a healed session', () => {
  it('a deleted conversation is recorded as such, and one that could not be deleted is deleted by erase', async () => {
    const deleted = await told(2);
    const first = await deleted.session.heal({ previous: 'delete' });
    expect((await deleted.session.erase({ remote: true })).conversations).toEqual([first.conversationId]);
    const kept = await told(2);
    const lift = kept.simulator.fault('conversations.delete', { status: 500 });
    const second = await kept.session.heal({ previous: 'delete' });
    lift();
    expect((await kept.session.erase({ remote: true })).conversations).toEqual([
      kept.conversationId,
      second.conversationId,
    ]);
    expect(kept.simulator.snapshot().conversations).toEqual([]);
  });

  it('the record of a deleted conversation is made only where it was deleted', async () => {
    expect(await fates(false)).toEqual(['deleted']);
    expect(await fates(true)).toEqual(['kept']);
  });

  it('items of another writer leave a healed conversation as it is', async () => {
    const { client, simulator, session } = await told(3);
    const { conversationId } = await session.heal();
    await client.conversations.items.create(conversationId, { items: [{ role: 'user', content: 'new' }] });
    expect(await session.heal()).toMatchObject({ conversationId, items: 4 });
    expect(simulator.snapshot().conversations).toHaveLength(2);
  });

  it('the reason of dangling reasoning stays the same, since ledgers hold it', () => {
    expect(DANGLING_REASON).toBe('nothing follows it');
  });

  it('a failed read of metadata is the cause of the error', async () => {
    const error = await fail('conversations.retrieve', { status: 403 });
    expect(error.cause).toMatchObject({ status: 403 });
  });

  it('a plan counts the items that the API has no form for', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client, bookmark: false });
    const foreign = {
      type: 'reasoning',
      content: [{ type: 'input_text', text: 'x' }],
      providerData: { model: 'other:model' },
    };
    await session.addItems([user('one'), foreign as AgentInputItem, assistant('two')]);
    const { steps, skipped } = await session.heal({ dryRun: true });
    expect(skipped).toBe(steps.filter(({ how }) => how === 'skipped').length);
    expect(steps.map(({ how }) => how)).toEqual(['linked', 'skipped', 'linked']);
  });
});
