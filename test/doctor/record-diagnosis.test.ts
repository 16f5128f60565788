import { OpenAIConversationsSession, type AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import {
  diagnose,
  recordDiagnosis,
  type DiagnosedResponse,
  type Diagnosis,
  type TimelineItem,
} from '../../src/doctor.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { kindOf } from '../../src/items/read-item.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import type { LedgerState } from '../../src/ledger/state.ts';
import { converse, listOf, TURNS } from '../flows/support/story.ts';
import { assistant, texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';

interface Diagnosed extends Simulated {
  readonly diagnosis: Diagnosis;
  readonly said: readonly string[];
}

/** A conversation that the stock session left damaged, and its diagnosis with responses. */
async function diagnosed(): Promise<Diagnosed> {
  const world = simulated({ unlink: 'every-turn' });
  const { client, simulator } = world;
  const stock = new OpenAIConversationsSession({ client });
  const answers = await converse(simulatedRunner(client), stock, TURNS);
  const conversationId = await stock.getSessionId();
  const responses = simulator.snapshot().responses.map(({ id }) => id);
  const diagnosis = await diagnose({ client, conversationId, responses, content: true });
  return { ...world, diagnosis, said: TURNS.flatMap((text, index) => [text, answers[index] ?? '']) };
}

describe('a diagnosis that is written down', () => {
  it('a recorded diagnosis is served by a session, and healed to a new conversation', async () => {
    const { client, simulator, diagnosis, said } = await diagnosed();
    const { conversationId } = diagnosis;
    expect(listOf(simulator, conversationId)).toBe('u,u,u,u,a');
    const ledger = memoryLedger();
    expect(await recordDiagnosis(ledger, diagnosis)).toBe(8);
    const session = new HybridSession({ client, ledger, conversationId });
    expect(texts(await session.getItems())).toEqual(said);
    expect(await session.verify()).toMatchObject({ unproven: 8, missing: [] });
    const { conversationId: to, ...healed } = await session.heal();
    expect(healed).toMatchObject({ from: conversationId, items: 8, linked: 8, verified: true });
    expect(listOf(simulator, to)).toBe('u,a,u,a,u,a,u,a');
    expect(texts(await session.getItems())).toEqual(said);
  });

  it('a recorded diagnosis continues in a conversation begun earlier', async () => {
    const { client, diagnosis, said } = await diagnosed();
    const { conversationId } = diagnosis;
    const { id: to } = await client.conversations.create();
    const ledger = memoryLedger();
    await recordDiagnosis(ledger, diagnosis, { to });
    const session = new HybridSession({ client, ledger, conversationId });
    expect(await session.heal()).toMatchObject({ conversationId: to, items: 8 });
    expect(texts(await session.getItems())).toEqual(said);
  });

  it('recordDiagnosis adds the lost items to a ledger that began with a damaged list', async () => {
    const { client, diagnosis, simulator, said } = await diagnosed();
    const { conversationId } = diagnosis;
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, conversationId });
    expect(await session.getItems()).toHaveLength(5);
    const responses = simulator.snapshot().responses.map(({ id }) => id);
    const again = await diagnose({ client, conversationId, ledger, responses, content: true });
    expect(await recordDiagnosis(ledger, again)).toBe(3);
    expect(texts(await session.getItems())).toEqual(said);
    expect(await recordDiagnosis(ledger, again)).toBe(0);
    const { conversationId: to } = await session.heal();
    expect(listOf(simulator, to)).toBe('u,a,u,a,u,a,u,a');
  });

  it('recordDiagnosis leaves a contradicting ledger unchanged', async () => {
    const { client, diagnosis } = await diagnosed();
    const { conversationId } = diagnosis;
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, conversationId });
    await session.addItems([user('something else')]);
    const before = await ledger.read(conversationId);
    expect(await recordDiagnosis(ledger, diagnosis)).toBe(0);
    expect(await ledger.read(conversationId)).toEqual(before);
  });
});

/** An item of a timeline with its content, in the list of no conversation. */
function timelineItem(index: number, item: AgentInputItem, more: Partial<TimelineItem> = {}): TimelineItem {
  const { index: at, positions, findings, sources } = { index, positions: [], findings: [], sources: [] };
  const id = `msg_${index}`;
  return {
    index: at,
    positions,
    findings,
    sources,
    id,
    turn: 1,
    responseId: null,
    kind: kindOf(item),
    status: 'listed',
    item,
    ...more,
  };
}

const usedResponse = (id: string, more: Partial<DiagnosedResponse> = {}): DiagnosedResponse => ({
  id,
  status: 'used',
  from: 'given',
  parent: null,
  time: null,
  ...more,
});

/** A diagnosis made by hand. */
const found = (timeline: readonly TimelineItem[], more: Partial<Diagnosis> = {}): Diagnosis => ({
  conversationId: 'conv_1',
  askedFor: 'conv_1',
  verdict: 'repairable',
  evidence: 'responses',
  length: timeline.length,
  listed: 0,
  lost: 0,
  digest: '',
  timeline,
  findings: [],
  responses: [],
  caveats: [],
  ...more,
});

/** The records of a session without the fields that every record has. */
async function records(ledger: LedgerStore): Promise<object[]> {
  const { records: all } = await ledger.read('conv_1');
  return all.map(({ v: _v, commit: _commit, time: _time, ...rest }: Record<string, unknown>) => rest);
}

const stateOf = (ledger: LedgerStore): Promise<LedgerState> =>
  new Ledger({ store: ledger, sessionId: 'conv_1' }).read();

const itemRecord = (told: AgentInputItem, id: string) => ({
  digest: itemDigest(told),
  kind: kindOf(told),
  id,
  item: told,
  mirrorId: id,
});

describe('the records of a diagnosis', () => {
  const [one, two, three] = [user('one'), assistant('two'), user('three')];

  it('the first records name the conversation, the items of each response, and the response behind them', async () => {
    const ledger = memoryLedger();
    const timeline = [
      timelineItem(0, one, { responseId: 'resp_1' }),
      timelineItem(9, user('gone'), { index: null, responseId: 'resp_1' }),
      timelineItem(1, two, { responseId: 'resp_1' }),
      timelineItem(2, three, { responseId: 'resp_unread' }),
    ];
    const responses = [usedResponse('resp_1', { parent: 'resp_0' }), usedResponse('resp_other')];
    expect(await recordDiagnosis(ledger, found(timeline, { responses }), { to: 'conv_2' })).toBe(3);
    expect(await records(ledger)).toMatchObject([
      { type: 'conversation', id: 'conv_1' },
      { type: 'items', unproven: true, items: [itemRecord(one, 'msg_0'), itemRecord(two, 'msg_1')] },
      { type: 'response', id: 'resp_1', store: true, parent: 'resp_0' },
      { type: 'items', unproven: true, items: [itemRecord(three, 'msg_2')] },
      { type: 'conversation', id: 'conv_2' },
    ]);
    expect(await stateOf(ledger)).toMatchObject({ conversation: 'conv_2', recorded: new Set(['resp_1']) });
  });

  it('the items of a ledger count as proven, and others as unproven', async () => {
    for (const evidence of ['ledger', 'ledger_and_responses', 'responses', 'list'] as const) {
      const ledger = memoryLedger();
      await recordDiagnosis(ledger, found([timelineItem(0, one, { id: null })], { evidence }));
      expect((await stateOf(ledger)).entries[0]?.adopted).toBe(evidence !== 'ledger');
    }
  });

  it('a response keeps its time and its parent, where they are known', async () => {
    const ledger = memoryLedger();
    const timeline = [timelineItem(0, one, { responseId: 'a' }), timelineItem(1, two, { responseId: 'b' })];
    const responses = [usedResponse('a', { time: 1000 }), usedResponse('b', { parent: 'a' })];
    await recordDiagnosis(ledger, found(timeline, { responses }));
    const kept = (await stateOf(ledger)).responses;
    expect(kept).toMatchObject([
      { id: 'a', time: 1000, parent: undefined, store: true },
      { id: 'b', parent: 'a', store: true },
    ]);
    expect(kept[1]?.time).not.toBe(1000);
  });

  it('an ID stands for one item, and an item can be without ID or content', async () => {
    const ledger = memoryLedger();
    const timeline = [
      timelineItem(0, one, { id: 'same' }),
      timelineItem(1, one, { id: 'same' }),
      timelineItem(2, two, { id: null }),
      timelineItem(3, three, { item: undefined as never }),
    ];
    expect(await recordDiagnosis(ledger, found(timeline))).toBe(4);
    const { entries } = await stateOf(ledger);
    expect(entries.map(({ id, mirrorId, digest }) => [id, mirrorId, digest === null])).toEqual([
      ['same', 'same', false],
      ['same', undefined, false],
      [undefined, undefined, false],
      ['msg_3', 'msg_3', true],
    ]);
    expect(entries[3]?.item).toBeUndefined();
  });

  it('a diagnosis without an item records only the conversation', async () => {
    const ledger = memoryLedger();
    expect(await recordDiagnosis(ledger, found([]))).toBe(0);
    expect(await records(ledger)).toEqual([{ type: 'conversation', id: 'conv_1' }]);
  });
});

const idsOf = async (ledger: LedgerStore) => (await stateOf(ledger)).entries.map(({ mirrorId }) => mirrorId);

describe('the items that a ledger lacks', () => {
  const [one, two, three] = [user('one'), assistant('two'), user('three')];

  /** A ledger with the first and the last of three items. */
  async function damaged(): Promise<LedgerStore> {
    const ledger = memoryLedger();
    const timeline = [timelineItem(0, one, { responseId: 'resp_1' }), timelineItem(2, three)];
    await recordDiagnosis(ledger, found(timeline, { responses: [usedResponse('resp_1')] }));
    return ledger;
  }

  const all = [timelineItem(0, one), timelineItem(1, two), timelineItem(2, three)];
  it('lost items take their place, and the used responses that the ledger lacks are recorded', async () => {
    const ledger = await damaged();
    const before = (await stateOf(ledger)).entries.map(({ seq }) => seq);
    const responses = [
      usedResponse('resp_1'),
      usedResponse('resp_2'),
      usedResponse('resp_3', { status: 'superseded' }),
    ];
    const removed = timelineItem(7, user('gone'), { index: null });
    expect(
      await recordDiagnosis(ledger, found([...all.slice(0, 2), removed, ...all.slice(2)], { responses })),
    ).toBe(1);
    const { entries, recorded } = await stateOf(ledger);
    expect(entries.map(({ mirrorId }) => mirrorId)).toEqual(['msg_0', 'msg_1', 'msg_2']);
    expect([entries[0]?.seq, entries[2]?.seq]).toEqual(before);
    expect([...recorded]).toEqual(['resp_1', 'resp_2']);
    expect((await records(ledger)).slice(-2)).toMatchObject([
      { type: 'replace', keep: 1 },
      { type: 'response', id: 'resp_2' },
    ]);
  });

  it('a diagnosis that does not hold the items of the ledger in order adds nothing', async () => {
    for (const timeline of [
      all.toReversed(),
      all.slice(0, 2),
      [timelineItem(0, one, { id: 'other' }), ...all.slice(1)],
      [timelineItem(0, one, { kind: 'message:system' }), ...all.slice(1)],
    ]) {
      const ledger = await damaged();
      expect(await recordDiagnosis(ledger, found(timeline))).toBe(0);
      expect(await idsOf(ledger)).toEqual(['msg_0', 'msg_2']);
    }
  });

  it('a diagnosis without a lost item writes nothing', async () => {
    const ledger = await damaged();
    const { version } = await stateOf(ledger);
    expect(await recordDiagnosis(ledger, found([all[0], all[2]].flatMap((item) => item ?? [])))).toBe(0);
    expect((await stateOf(ledger)).version).toBe(version);
  });

  it('an item that is not in the conversation is known by its own ID, or as one without', async () => {
    const ledger = memoryLedger();
    const items = [
      { ...ledgerItem(one, true), id: 'own' },
      { ...ledgerItem(three, true), mirrorId: 'msg_2' },
      ledgerItem(user('four'), true),
    ];
    await new Ledger({ store: ledger, sessionId: 'conv_1' }).append(() => [{ type: 'items', items }]);
    const timeline = [
      timelineItem(0, one, { id: 'own' }),
      timelineItem(1, two),
      timelineItem(2, three),
      timelineItem(3, user('four'), { id: null }),
    ];
    expect(await recordDiagnosis(ledger, found(timeline))).toBe(1);
    expect(await idsOf(ledger)).toEqual([undefined, 'msg_1', 'msg_2', undefined]);
  });

  it('an item whose ID the ledger has for another one is added without it, and written with all that follow', async () => {
    const ledger = await damaged();
    const twice = [all[0], timelineItem(1, three, { id: 'msg_2', kind: 'message:other' }), all[2]];
    expect(await recordDiagnosis(ledger, found(twice.flatMap((item) => item ?? [])))).toBe(1);
    expect(await idsOf(ledger)).toEqual(['msg_0', undefined, undefined]);
  });
});
