import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { EMPTY_DIGEST, markOf } from '../../src/ledger/digest.ts';
import type { LedgerHead } from '../../src/ledger/ledger-record.ts';
import { METADATA_KEY } from '../../src/ledger/metadata-key.ts';
import { HybridSession } from '../../src/index.ts';
import { conversationLedger } from '../../src/stores/conversation-ledger.ts';
import { changed, tamperedClient } from '../session/support/tampered.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

function head(version: number): LedgerHead {
  const context = { length: version, digest: EMPTY_DIGEST };
  return {
    format: 1,
    version,
    length: version,
    digest: EMPTY_DIGEST,
    response: { id: `resp_${'0'.repeat(50)}`, time: 1_767_225_600_000, store: true, context },
  };
}

async function conversation(client: OpenAI, metadata = {}): Promise<string> {
  return (await client.conversations.create({ metadata })).id;
}

describe('A ledger in the metadata of the conversation', () => {
  it('gives back the head it was given, and no records', async () => {
    const { client } = simulated();
    const id = await conversation(client);
    const store = conversationLedger({ client });
    expect(await store.head(id)).toBeUndefined();
    expect(await store.read(id)).toEqual({ records: [] });
    await store.append(id, [], head(1), 0);
    expect(await store.head(id)).toEqual(head(1));
    expect(await store.read(id)).toEqual({ base: head(1), records: [] });
    await store.append(id, [], head(3), 1);
    expect(await conversationLedger({ client }).head(id)).toEqual(head(3));
  });

  it('refuses an append to another version than the one that is there', async () => {
    const { client } = simulated();
    const id = await conversation(client);
    const store = conversationLedger({ client });
    await store.append(id, [], head(2), 0);
    await expect(store.append(id, [], head(1), 0)).rejects.toMatchObject({
      code: 'ledger_conflict',
      actual: 2,
    });
    const both = await Promise.allSettled([
      store.append(id, [], head(3), 2),
      store.append(id, [], head(3), 2),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('takes an append as done when only the answer got lost', async () => {
    const { client, simulator } = simulated();
    const id = await conversation(client);
    const store = conversationLedger({ client });
    simulator.fault('conversations.update', { status: 500, times: 1, moment: 'after' });
    await store.append(id, [], head(1), 0);
    expect(await store.head(id)).toEqual(head(1));
    simulator.fault('conversations.update', { status: 500, times: 1 });
    await expect(store.append(id, [], head(2), 1)).rejects.toMatchObject({ status: 500 });
    expect(await store.head(id)).toEqual(head(1));
  });

  it('says so when the user has taken all the room', async () => {
    const { client } = simulated();
    const id = await conversation(
      client,
      Object.fromEntries(Array.from({ length: 16 }, (_, key) => [`k${key}`, 'v'])),
    );
    const store = conversationLedger({ client });
    await expect(store.append(id, [], head(1), 0)).rejects.toMatchObject({
      code: 'ledger_unavailable',
      reason: 'full',
    });
  });

  it('keeps where a session came from and where it goes, in one value', async () => {
    const { client } = simulated();
    const long = `conv_${'f'.repeat(48)}`;
    const response = {
      id: `resp_${'a'.repeat(50)}`,
      time: 1_790_341_108_123,
      store: true,
      context: { length: 99_999, digest: 'd'.repeat(43), since: 1_790_341_108_123 },
    };
    for (const move of [{ to: long }, { from: long, whole: true, to: long, done: true }, { from: long }]) {
      const id = await conversation(client, {});
      const stored = {
        ...head(123_456),
        format: 2 as const,
        digest: 'd'.repeat(43),
        length: 99_999,
        response,
        move,
      };
      const store = conversationLedger({ client });
      await store.append(id, [], stored, 0);
      expect(await conversationLedger({ client }).head(id)).toEqual(stored);
    }
  });

  it('names what is to leave the conversation as far as there is room, the last of it first', async () => {
    const { client } = simulated();
    const leaving = Array.from({ length: 40 }, (_, index) => markOf(`msg_${index}`));
    const long = `conv_${'f'.repeat(48)}`;
    const move = { from: long, whole: true, to: long, done: true };
    for (const more of [{}, { format: 2 as const, move }]) {
      const id = await conversation(client, {});
      const stored = { ...head(3), digest: 'd'.repeat(43), leaving, ...more };
      const store = conversationLedger({ client });
      await store.append(id, [], stored, 0);
      const kept = (await store.head(id))?.leaving ?? [];
      expect(kept).toEqual(leaving.slice(-kept.length));
      expect(kept.length).toBeGreaterThanOrEqual('move' in more ? 20 : 40);
      await store.append(id, [], head(4), 3);
      expect(await store.head(id)).toEqual(head(4));
    }
  });

  it('names the session when the value is damaged or from a newer version', async () => {
    const { client } = simulated();
    for (const [value, reason] of [
      ['no JSON', 'damaged'],
      ['{}', 'damaged'],
      ['[1,"x"]', 'damaged'],
      ['[3,1,1,"d"]', 'newer-format'],
    ] as const) {
      const id = await conversation(client, { [METADATA_KEY]: value });
      await expect(conversationLedger({ client }).head(id)).rejects.toMatchObject({
        code: 'ledger_record',
        sessionId: id,
        reason,
      });
    }
  });

  it('forgets the session and nothing else', async () => {
    const { client } = simulated();
    const id = await conversation(client, { mine: 'yes' });
    const store = conversationLedger({ client });
    await store.append(id, [], head(1), 0);
    await store.delete(id);
    expect((await client.conversations.retrieve(id)).metadata).toEqual({ mine: 'yes' });
    expect(await store.head(id)).toBeUndefined();
    await client.conversations.delete(id);
    await store.delete(id);
    expect(await store.head(id)).toBeUndefined();
  });
});

describe('An answer that is not the conversation', () => {
  const WRONG: readonly (readonly [string, (body: Record<string, unknown>) => unknown])[] = [
    ['an error with status 200', () => ({ error: { message: 'no', type: 'server_error' } })],
    ['an error beside the conversation', (body) => ({ ...body, error: { message: 'no' } })],
    ['another conversation', (body) => ({ ...body, id: 'conv_another' })],
    ['nothing', () => null],
    ['an empty object', () => ({})],
    ['a list', () => []],
    ['metadata that are none', (body) => ({ ...body, metadata: 'none' })],
  ];

  it.each(WRONG)('%s: is never taken for empty metadata', async (_, change) => {
    const { client, simulator } = simulated();
    const id = await conversation(client, { customer: 'c-17' });
    const store = conversationLedger({ client });
    await store.append(id, [], head(1), 0);
    const wrong = conversationLedger({
      client: tamperedClient(simulator, ({ method, path }, answer) =>
        method === 'GET' && path === `/conversations/${id}` ? changed(answer(), change) : undefined,
      ),
    });
    const refused = { code: 'invalid_response', operation: 'conversations.retrieve' };
    await expect(wrong.read(id)).rejects.toMatchObject(refused);
    await expect(wrong.append(id, [], head(2), 0)).rejects.toMatchObject(refused);
    await expect(wrong.delete(id)).rejects.toMatchObject(refused);
    expect((await client.conversations.retrieve(id)).metadata).toMatchObject({ customer: 'c-17' });
    expect(await store.head(id)).toEqual(head(1));
  });

  it.each(WRONG.slice(0, 6))('%s: does not prove an update', async (_, change) => {
    const { client, simulator } = simulated();
    const id = await conversation(client);
    const store = conversationLedger({ client });
    await store.append(id, [], head(1), 0);
    let isApplied = true;
    const unsure = conversationLedger({
      client: tamperedClient(simulator, async ({ method, path }, answer) => {
        if (method !== 'POST' || path !== `/conversations/${id}`) return undefined;
        const body = isApplied ? answer() : Promise.resolve(Response.json({ id, metadata: {} }));
        return changed(body, change);
      }),
    });
    await unsure.append(id, [], head(2), 1);
    isApplied = false;
    await expect(unsure.append(id, [], head(3), 2)).rejects.toMatchObject({ code: 'invalid_response' });
    await expect(unsure.delete(id)).rejects.toMatchObject({ code: 'invalid_response' });
    expect(await store.head(id)).toEqual(head(2));
  });

  it('that does not hold what was written is a failure', async () => {
    const { client, simulator } = simulated();
    const id = await conversation(client, { customer: 'c-17' });
    const deaf = tamperedClient(simulator, ({ method, path }) =>
      method === 'POST' && path === `/conversations/${id}`
        ? Response.json({ id, object: 'conversation', metadata: { customer: 'c-17' } })
        : undefined,
    );
    await expect(conversationLedger({ client: deaf }).append(id, [], head(1), 0)).rejects.toMatchObject({
      code: 'invalid_response',
      operation: 'conversations.update',
    });
  });

  it('that still holds what was deleted is a failure', async () => {
    const { client, simulator } = simulated();
    const id = await conversation(client);
    await conversationLedger({ client }).append(id, [], head(1), 0);
    const deaf = tamperedClient(simulator, async ({ method, path }) =>
      method === 'POST' && path === `/conversations/${id}`
        ? Response.json(await client.conversations.retrieve(id))
        : undefined,
    );
    await expect(conversationLedger({ client: deaf }).delete(id)).rejects.toMatchObject({
      code: 'invalid_response',
      operation: 'conversations.update',
    });
  });
});

it('finishes a clear that was cut short, and serves nothing of what was cleared', async () => {
  const { client, simulator } = simulated();
  const ledger = conversationLedger({ client });
  const session = new HybridSession({ client, ledger });
  await session.addItems([user('hi')]);
  const conversationId = await session.getSessionId();
  simulator.fault('conversations.delete', { status: 500, times: 1 });
  await expect(session.clearSession()).rejects.toMatchObject({ status: 500 });

  const later = new HybridSession({ client, ledger: conversationLedger({ client }), conversationId });
  expect(await later.getItems()).toEqual([]);
  expect(await later.getSessionId()).not.toBe(conversationId);
  await expect(client.conversations.retrieve(conversationId)).rejects.toMatchObject({ status: 404 });
});
