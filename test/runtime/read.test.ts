import { describe, expect, it } from 'vitest';
import {
  HybridSession,
  memoryLedger,
  type HybridSessionOptions,
  type Mode,
  type ObservedOperation,
} from '../../src/index.ts';
import { historyReferenceItem } from '../../src/chaining/history-reference.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { digestOf } from '../../src/ledger/state.ts';
import { LazyHistory, refuseHistoryReferences } from '../../src/runtime/lazy-history.ts';
import { TurnTracker, type TurnBeginning } from '../../src/runtime/turn.ts';
import { Telemetry } from '../../src/telemetry/span.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedIds, recorder, requestsOf } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { passTime, turns, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const LIST = 'conversations.items.list';
const HOUR = 3_600_000;

/** A session of three messages, and other sessions on the same ledger. */
async function told(options: HybridSessionOptions = {}) {
  const world = simulated();
  const ledger = memoryLedger();
  const first = new HybridSession({ client: world.client, ledger, bookmark: false });
  await first.addItems([user('one'), user('two'), user('three')]);
  const conversationId = await first.getSessionId();
  const { onEvent, of, problems } = recorder();
  const session = new HybridSession({
    client: world.client,
    ledger: elsewhere(ledger),
    conversationId,
    bookmark: false,
    onEvent,
    ...options,
  });
  const lose = async (position: number): Promise<void> => {
    const id = listedIds(world.simulator, conversationId)[position] ?? '';
    await world.client.conversations.items.delete(id, { conversation_id: conversationId });
  };
  return { ...world, ledger, first, session, conversationId, of, problems, lose };
}

const readAll = async (session: HybridSession): Promise<string[]> => texts(await session.getItems());

describe('a read of the history', () => {
  it.each(['off', 'shadow', 'rebuild', 'chain'] as const)(
    'a limit in mode %s gives the newest items',
    async (rollout) => {
      const { session } = await told({ rollout });
      expect(texts(await session.getItems(2))).toEqual(['two', 'three']);
      expect(texts(await session.getItems(9))).toEqual(['one', 'two', 'three']);
      expect(await readAll(session)).toEqual(['one', 'two', 'three']);
    },
  );

  it('a read gives copies of the items', async () => {
    const { session } = await told();
    const [item] = await session.getItems();
    Object.assign(item ?? {}, { content: 'changed' });
    expect(await readAll(session)).toEqual(['one', 'two', 'three']);
  });

  it('a known session is served without its list, unless it is compared on each read', async () => {
    const quiet = await told();
    expect(await requestsOf(quiet.simulator, () => quiet.session.getItems())).toEqual([]);
    const asking = await told({ advanced: { compare: 'on-read' } });
    expect(await requestsOf(asking.simulator, () => asking.session.getItems())).toContain(LIST);
  });

  it('a list that cannot be read is told, and the ledger is served', async () => {
    const { session, simulator, of } = await told({ advanced: { compare: 'on-read' } });
    simulator.fault(LIST, { status: 500 });
    expect(await readAll(session)).toEqual(['one', 'two', 'three']);
    expect(of('list_failed')).toEqual([expect.objectContaining({ reason: expect.stringContaining('500') })]);
  });

  it('a missing list of the stock session is told as a missing conversation', async () => {
    for (const rollout of ['off', 'shadow'] as const) {
      const { client } = simulated();
      const session = new HybridSession({ client, conversationId: 'conv_missing', rollout, bookmark: false });
      await expect(session.getItems()).rejects.toMatchObject({ code: 'conversation_not_found' });
    }
  });
});

describe('the sources of a read', () => {
  it('a read tells whether the list was compared, and where its content came from', async () => {
    for (const [compare, reason] of [
      ['on-read', 'checked'],
      ['auto', 'ledger'],
    ] as const) {
      const parts: object[] = [];
      const { session } = await told({
        advanced: { compare },
        observers: [
          {
            begin: () => ({
              begin: (name) => {
                const part: ObservedOperation = {
                  begin: () => part,
                  end: (facts) => void parts.push({ name, ...facts }),
                };
                return part;
              },
              end: () => undefined,
            }),
          },
        ],
      });
      await session.getItems();
      const sessionId = await session.getSessionId();
      expect(parts).toEqual([{ name: 'restore', sessionId, reason, missing: 0, ledger: 3 }]);
    }
  });

  it('content that cannot be read is an error of its source, and not missing', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger, bookmark: false, keepContent: false });
    await first.addItems([user('one')]);
    const session = new HybridSession({
      client,
      ledger: elsewhere(ledger),
      conversationId: await first.getSessionId(),
      bookmark: false,
      keepContent: false,
    });
    const lift = simulator.fault(LIST, { status: 500 });
    await expect(session.transcript()).rejects.toMatchObject({ status: 500 });
    lift();
    expect((await session.transcript()).length).toBe(1);
  });
});

describe('the losses of a list', () => {
  it.each([
    ['off', 0, 0, ['one', 'three']],
    ['shadow', 1, 0, ['one', 'three']],
    ['rebuild', 1, 1, ['one', 'two', 'three']],
    ['chain', 1, 1, ['one', 'two', 'three']],
  ] as const)('a loss in mode %s is told %i times', async (rollout, lostEvents, restoredEvents, served) => {
    const { session, lose, of } = await told({ rollout, advanced: { compare: 'on-read' } });
    await lose(1);
    expect(await readAll(session)).toEqual(served);
    await session.getItems();
    const findings = [expect.objectContaining({ type: 'lost', index: 1 })];
    const loss = expect.objectContaining({ total: 1, findings });
    expect(of('lost')).toEqual(Array.from({ length: lostEvents }, () => loss));
    const again = expect.objectContaining({ count: 1, sources: { ledger: 1 } });
    expect(of('restored').slice(0, 1)).toEqual(Array.from({ length: restoredEvents }, () => again));
  });

  it('a further loss is told alone, with the number of all', async () => {
    const { session, lose, of } = await told({ advanced: { compare: 'on-read' } });
    await lose(0);
    await session.getItems();
    await lose(0);
    await session.getItems();
    expect(of('lost').map((event) => ('total' in event ? [event.total, event.findings.length] : []))).toEqual(
      [
        [1, 1],
        [2, 1],
      ],
    );
  });

  it('a list without a loss tells nothing', async () => {
    const { session, problems, of } = await told({ advanced: { compare: 'on-read' } });
    await session.getItems();
    expect(problems()).toEqual([]);
    expect(of('restored')).toEqual([]);
  });
});

async function ended(mode: Mode, options: HybridSessionOptions = {}) {
  const of = await told({ rollout: mode, ...options });
  const end = async (id: string): Promise<(string | undefined)[]> =>
    requestsOf(of.simulator, async () => {
      await of.session.addItems([
        user(id),
        {
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'yes' }],
        },
      ]);
      await of.session.runCompaction({ responseId: id });
      await turns(50);
    });
  const compares = async (id: string): Promise<boolean> => (await end(id)).includes(LIST);
  return { ...of, compares };
}

describe('the comparison in the background', () => {
  it('a turn is followed by a comparison, at most once an hour', async () => {
    const { compares } = await ended('chain');
    expect(await compares('resp_1')).toBe(true);
    passTime(HOUR - 10_000);
    expect(await compares('resp_2')).toBe(false);
    passTime(10_000);
    expect(await compares('resp_3')).toBe(true);
  });

  it('a failed comparison is told, and made again after a minute', async () => {
    const { compares, simulator, of } = await ended('chain');
    const lift = simulator.fault(LIST, { status: 500 });
    expect(await compares('resp_1')).toBe(true);
    expect(of('list_failed')).toHaveLength(1);
    lift();
    passTime(50_000);
    expect(await compares('resp_2')).toBe(false);
    passTime(10_000);
    expect(await compares('resp_3')).toBe(true);
  });

  it('a comparison in the background tells losses, and where they were found', async () => {
    const { compares, lose, of } = await ended('chain');
    await lose(1);
    expect(await compares('resp_1')).toBe(true);
    expect(of('lost')).toHaveLength(1);
    expect(of('restored')).toEqual([expect.objectContaining({ count: 1, sources: { ledger: 1 } })]);
  });

  it('no comparison is made in the background where the app makes it, or the list is served', async () => {
    const { compares } = await ended('chain', { advanced: { compare: 'manual' } });
    expect(await compares('resp_1')).toBe(false);
  });
});

/** A lazy history on a ledger, without a session. */
async function lazy({
  compare = 'auto',
  mode = 'chain',
}: { compare?: 'auto' | 'on-read'; mode?: Mode } = {}) {
  const ledger = new Ledger({ store: memoryLedger(), sessionId: 'session' });
  await ledger.append(() => [
    { type: 'items', items: ['one', 'two'].map((text) => ledgerItem(user(text), true)) },
  ]);
  const turn = new TurnTracker();
  const began: TurnBeginning[] = [];
  turn.began = (beginning) => void began.push(beginning);
  const events: object[] = [];
  const history = new LazyHistory(
    {
      sessionId: 'session',
      telemetry: new Telemetry([{ event: (event) => void events.push(event) }]),
      turn,
      run: (operation) => operation({ sessionId: 'session', ledger } as never, mode),
      prepareHistory: async () => false,
      forNextModel: (item) => item,
    },
    { compare, responseTtl: 1000 },
  );
  const respond = async (more: { open?: string[]; digest?: string; store?: boolean } = {}): Promise<void> => {
    const { open, store = true, digest } = more;
    await ledger.append((state) => [
      {
        type: 'response',
        id: 'resp_1',
        store,
        context: {
          length: state.entries.length,
          digest: digest ?? digestOf(state),
          ...(open === undefined ? {} : { open }),
        },
      },
    ]);
  };
  return { ledger, history, began, events, respond };
}

describe('the reference to a history', () => {
  it('a history that the newest response has read is named by its length and its digest', async () => {
    const { ledger, history, began, respond } = await lazy();
    await respond();
    const state = await ledger.read();
    expect(await history.reference()).toEqual({
      sessionId: 'session',
      version: state.version,
      length: 2,
      digest: digestOf(state),
    });
    expect(began).toEqual([
      {
        mode: 'chain',
        isRead: true,
        isPart: false,
        isRun: true,
        lost: undefined,
        forecast: { reason: 'extends', covered: 2, bytes: undefined },
        served: 2,
        length: 2,
        bytes: 0,
      },
    ]);
  });

  it('a history is served whole for its reason, and begins no turn here', async () => {
    const reasonOf = async (of: Awaited<ReturnType<typeof lazy>>): Promise<unknown> => {
      const reason = await of.history.reference();
      expect(of.began).toEqual([]);
      return reason;
    };
    const onRead = await lazy({ compare: 'on-read' });
    await onRead.respond();
    expect(await reasonOf(onRead)).toBe('compare_on_read');
    const rebuild = await lazy({ mode: 'rebuild' });
    await rebuild.respond();
    expect(await reasonOf(rebuild)).toBe('mode');
    expect(await reasonOf(await lazy())).toBe('no_parent');
    const unstored = await lazy();
    await unstored.respond({ store: false });
    expect(await reasonOf(unstored)).toBe('not_stored');
    const other = await lazy();
    await other.respond({ digest: 'other' });
    expect(await reasonOf(other)).toBe('diverged');
    const open = await lazy();
    await open.respond({ open: ['call_1'] });
    expect(await reasonOf(open)).toBe('unanswered_tool_call');
    const answered = await lazy();
    await answered.respond({ open: [] });
    expect(await answered.history.reference()).toMatchObject({ length: 2 });
    const longer = await lazy();
    await longer.respond();
    await longer.ledger.append(() => [{ type: 'items', items: [ledgerItem(user('three'), true)] }]);
    expect(await reasonOf(longer)).toBe('diverged');
    const bare = await lazy();
    await bare.ledger.append(() => [{ type: 'response', id: 'resp_1', store: true }]);
    expect(await reasonOf(bare)).toBe('no_parent');
  });

  it('a history that is served whole is told with its reason', async () => {
    const { history, events } = await lazy();
    history.reportFullHistory('mode');
    expect(events).toEqual([{ type: 'warning', sessionId: 'session', code: 'full_history', reason: 'mode' }]);
  });

  it('a reference is no item to store', () => {
    const reference = historyReferenceItem({ sessionId: 'session', version: 1, length: 1, digest: 'x' });
    expect(() => refuseHistoryReferences([user('one'), reference])).toThrow(
      expect.objectContaining({
        code: 'invalid_item',
        index: 1,
        message: expect.stringContaining('it is a history reference, which cannot be stored'),
      }),
    );
    expect(() => refuseHistoryReferences([user('one')])).not.toThrow();
  });
});
