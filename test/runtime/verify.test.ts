import { describe, expect, it } from 'vitest';
import { memoryLedger, type HybridSessionOptions, type LedgerStore } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { openContext, type MirroredConversation } from '../../src/runtime/open.ts';
import { resolveOptions } from '../../src/runtime/options.ts';
import { takeList, verifyHistory } from '../../src/runtime/verify.ts';
import { Telemetry } from '../../src/telemetry/span.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { assistant, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const itemsOf = (keepContent: boolean, ...said: readonly string[]): LedgerStep => ({
  type: 'items',
  items: said.map((text) => ledgerItem(user(text), keepContent)),
});

/** A session with its conversation, or without one, and its ledger as another process has it. */
async function opened(given: HybridSessionOptions = {}) {
  const { client, simulator } = simulated();
  const store: LedgerStore = memoryLedger();
  const options = resolveOptions({ client, ledger: store, bookmark: false, ...given });
  const { sessionId, conversationId } = options;
  const context = await openContext(
    { options, telemetry: new Telemetry([]) },
    { sessionId, conversationId },
    false,
  );
  const other = new Ledger({ store: elsewhere(store), sessionId: context.sessionId });
  const append = async (...steps: LedgerStep[]): Promise<unknown> => {
    await other.read({ fresh: true });
    return other.append(() => steps);
  };
  return { client, simulator, store, context, append };
}

/** A session whose items are in its conversation. */
async function mirrored(...said: readonly string[]) {
  const made = await opened();
  const { ledger, conversation } = made.context;
  if (conversation === undefined) throw new Error('There is no conversation');
  await ledger.append(() => [itemsOf(true, ...said)]);
  await conversation.mirror.push();
  const { conversationId } = conversation;
  const remove = (): Promise<unknown> => made.client.conversations.delete(conversationId);
  return { ...made, conversation, conversationId, remove };
}

describe('a report of a session without a conversation', () => {
  it('the report has no list, and nothing is pending', async () => {
    const { context, append } = await opened({ sessionId: 'user-42' });
    await context.ledger.read();
    await append(itemsOf(true, 'one', 'two'), { type: 'response', id: 'resp_1', store: true });
    expect(await verifyHistory(context, 'rebuild')).toEqual({
      sessionId: 'user-42',
      conversationId: undefined,
      mode: 'rebuild',
      verified: true,
      unproven: 0,
      length: 2,
      seen: 2,
      listed: undefined,
      findings: [],
      sources: { ledger: 2 },
      missing: [],
      pending: 0,
      responseId: 'resp_1',
    });
  });

  it('the report counts what a model sees behind a compaction', async () => {
    const { context, append } = await opened({ sessionId: 'user-42', mirror: 'off' });
    const compaction = { type: 'compaction', id: 'cmp_1', encrypted_content: 'x' } as const;
    await append(itemsOf(true, 'one', 'two'));
    await append({ type: 'view', from: 2, items: [ledgerItem(compaction, true)] });
    expect(await verifyHistory(context, 'chain')).toMatchObject({ length: 2, seen: 1, verified: true });
  });

  it('items that nothing proves, and a store that has lost records, are not verified', async () => {
    const adopted = await opened({ sessionId: 'user-42', mirror: 'off' });
    await adopted.append({ ...itemsOf(true, 'one'), unproven: true } as LedgerStep, itemsOf(true, 'two'));
    expect(await verifyHistory(adopted.context, 'chain')).toMatchObject({ verified: false, unproven: 1 });
    const rewound = await opened({ sessionId: 'user-42', mirror: 'off' });
    await rewound.append(itemsOf(true, 'one', 'two'));
    await rewound.append({ type: 'rewound' });
    const report = await verifyHistory(rewound.context, 'chain');
    expect(report).toMatchObject({ verified: false, unproven: 2 });
  });

  it('missing content is named, and the report is not verified', async () => {
    const { context, append } = await opened({ sessionId: 'user-42', mirror: 'off' });
    await append(itemsOf(true, 'one'), { type: 'items', items: [ledgerItem(assistant('1'), false)] });
    expect(await verifyHistory(context, 'chain')).toMatchObject({
      verified: false,
      sources: { ledger: 1 },
      missing: [{ index: 1, kind: 'message:assistant' }],
    });
  });
});

describe('a report of a session with a conversation', () => {
  it('the report has the number of listed items, and those of other clients as findings', async () => {
    const { context, client, conversationId } = await mirrored('one', 'two');
    expect(await verifyHistory(context, 'chain')).toMatchObject({
      conversationId,
      verified: true,
      listed: 2,
      findings: [],
      pending: 0,
    });
    await client.conversations.items.create(conversationId, {
      items: [{ role: 'user', content: 'foreign' }],
    });
    await context.ledger.append(() => [itemsOf(true, 'three')]);
    expect(await verifyHistory(context, 'chain')).toMatchObject({
      listed: 3,
      length: 4,
      findings: [{ type: 'foreign' }],
      pending: 1,
    });
  });

  it('a deleted conversation has no list, and all of its items are lost', async () => {
    const { context, remove } = await mirrored('one', 'two');
    await remove();
    expect(await verifyHistory(context, 'chain')).toMatchObject({
      verified: true,
      length: 2,
      listed: undefined,
      findings: [{ type: 'lost' }, { type: 'lost' }],
    });
  });

  it('a deleted conversation that the ledger does not know is an error', async () => {
    const { context, client } = await opened();
    const { conversation, ledger } = context;
    const conversationId = conversation?.conversationId ?? '';
    await client.conversations.delete(conversationId);
    const missing = { code: 'conversation_not_found', conversationId };
    await expect(verifyHistory(context, 'chain')).rejects.toMatchObject(missing);
    await expect(takeList(ledger, conversation as MirroredConversation)).rejects.toMatchObject(missing);
  });

  it('a list that cannot be read is an error', async () => {
    const { context, conversation, simulator } = await mirrored('one');
    simulator.fault('conversations.items.list', { status: 500 });
    await expect(verifyHistory(context, 'chain')).rejects.toMatchObject({ status: 500 });
    await expect(takeList(context.ledger, conversation)).rejects.toMatchObject({ status: 500 });
  });

  it('the list of a deleted conversation is taken as empty', async () => {
    const { context, conversation, client, conversationId, remove } = await mirrored('one');
    const present = await takeList(context.ledger, conversation);
    expect(present).toMatchObject({ findings: [] });
    expect(present.gone).toBeUndefined();
    await client.conversations.items.create(conversationId, {
      items: [{ role: 'user', content: 'foreign' }],
    });
    expect(await takeList(context.ledger, conversation)).toMatchObject({ findings: [{ type: 'foreign' }] });
    await remove();
    expect(await takeList(context.ledger, conversation)).toMatchObject({
      gone: true,
      list: [],
      findings: [{ type: 'lost' }, { type: 'lost' }],
    });
  });
});

/** A report whose lists have the content from a number of them on. */
async function listed(complete: number) {
  const { context } = await opened({ sessionId: 'user-42' });
  const { ledger, reader } = context;
  await ledger.append(() => [
    itemsOf(false, 'one'),
    { type: 'mirror', added: [{ seq: 0, id: 'msg_1' }], removed: [] },
  ]);
  const done: string[] = [];
  const preview = async (): Promise<object> => {
    done.push('list');
    const count = done.filter((one) => one === 'list').length;
    const list = count < complete ? [] : [{ id: 'msg_1', item: { ...user('one'), id: 'msg_1' } }];
    return { list, findings: [], state: await ledger.read() };
  };
  const conversation = {
    conversationId: 'conv_1',
    mirror: { idle: async () => void done.push('idle') },
    check: { preview },
  } as unknown as MirroredConversation;
  const restored: boolean[] = [];
  const watched = Object.assign(Object.create(reader), {
    restore: async (...args: Parameters<typeof reader.restore>) => {
      restored.push(args[2] !== undefined);
      const [, entries = [], list = []] = args;
      return entries.map((entry) => ({ entry, item: list[0]?.item, source: list[0] && 'list' }));
    },
  });
  const report = await verifyHistory({ ...context, conversation, reader: watched }, 'chain');
  return { report, done, restored };
}

describe('the list of a report', () => {
  it('the list is read when no write is under way, and serves the content', async () => {
    const { report, done, restored } = await listed(1);
    expect(report).toMatchObject({ listed: 1, sources: { list: 1 }, missing: [] });
    expect(done).toEqual(['idle', 'list']);
    expect(restored).toEqual([true]);
  });

  it('a list that lacks content is compared once more, when no write is under way', async () => {
    const { report, done, restored } = await listed(2);
    expect(report).toMatchObject({ listed: 0, missing: [{ index: 0 }] });
    expect(done).toEqual(['idle', 'list', 'idle', 'idle', 'list', 'idle', 'list']);
    expect(restored).toEqual([true, false]);
  });
});
