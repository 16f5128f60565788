import { Agent } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, memoryLedger } from '../../src/index.ts';
import { diagnose } from '../../src/doctor.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { texts } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { changed, tamperedClient } from './support/tampered.ts';

useVirtualTime();

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

it('erase() erases the ledger alone, and adopts what the conversation still holds', async () => {
  const { client } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, bookmark: false });
  const { lastResponseId } = await runner.run(agent, 'hi', { session });
  const id = await session.getSessionId();
  expect(await session.erase()).toEqual({ sessionId: id, items: 2, responses: [], conversations: [] });
  expect(await ledger.checkpoint(id)).toBeUndefined();
  expect(await client.responses.retrieve(lastResponseId ?? '')).toMatchObject({ status: 'completed' });
  expect(await session.getItems()).toHaveLength(2);
  expect(await session.verify()).toMatchObject({ verified: false, unproven: 2 });
});

it('erase() erases the ledger alone, and a bookmark proves what comes back', async () => {
  const { client } = simulated();
  const session = new HybridSession({ client });
  await runner.run(agent, 'hi', { session });
  await session.erase();
  expect(await session.getItems()).toHaveLength(2);
  expect(await session.verify()).toMatchObject({ verified: true, unproven: 0 });
});

it('erase() erases the responses and the conversation too, and begins anew', async () => {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger });
  const ids: string[] = [];
  for (const text of ['hi', 'thanks'])
    ids.push((await runner.run(agent, text, { session })).lastResponseId ?? '');
  const id = await session.getSessionId();
  const erased = await session.erase({ remote: true });
  expect(erased).toEqual({ sessionId: id, items: 4, responses: ids, conversations: [id] });
  const left = simulator.snapshot();
  expect({ conversations: left.conversations, responses: left.responses }).toEqual({
    conversations: [],
    responses: [],
  });
  expect(await ledger.read(id)).toEqual({ records: [] });
  expect(await session.getItems()).toEqual([]);
  expect(await session.getSessionId()).not.toBe(id);
});

it('erase() finds every response of the chain, and the bookmark, where there is no ledger', async () => {
  const { client, simulator } = simulated();
  const { id: conversationId } = await client.conversations.create();
  for (const text of ['hi', 'what can you do?', 'thanks'])
    await runner.run(agent, text, { session: new HybridSession({ client, conversationId }) });
  expect(simulator.snapshot().conversations).toHaveLength(2);
  const session = new HybridSession({ client, conversationId });
  expect((await session.erase({ remote: true })).responses).toHaveLength(3);
  expect(simulator.snapshot()).toMatchObject({ conversations: [], responses: [] });
});

it.each([
  { bookmark: false, skip: 0 },
  // The bookmark goes first: as long as it is there, the conversation says where.
  { bookmark: true, skip: 0 },
  { bookmark: true, skip: 1 },
])('erase() goes on where it was interrupted: %o', async ({ bookmark, skip }) => {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, bookmark });
  for (const text of ['hi', 'thanks']) await runner.run(agent, text, { session });
  const id = await session.getSessionId();
  simulator.fault('conversations.delete', { status: 500, times: 1, skip });
  await expect(session.erase({ remote: true })).rejects.toMatchObject({ status: 500 });
  expect((await ledger.checkpoint(id))?.length).toBe(4);
  expect(await session.erase({ remote: true })).toMatchObject({ items: 4, conversations: [id] });
  expect(simulator.snapshot()).toMatchObject({ conversations: [], responses: [] });
});

it('erase() removes every conversation that the session has had, and every alias', async () => {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, sessionId: 'user-42' });
  await runner.run(agent, 'hi', { session });
  const conversations = [session.conversationId];
  await session.heal();
  conversations.push(session.conversationId);
  simulator.fault('conversations.delete', { status: 500, times: 2 });
  await session.clearSession();
  await runner.run(agent, 'thanks', { session });
  conversations.push(session.conversationId);
  const other = new HybridSession({ client, ledger, sessionId: 'user-43', bookmark: false });
  await other.addItems([{ role: 'user', content: 'stays' }]);
  const erased = await session.erase({ remote: true });
  expect(erased.sessionId).toBe('user-42');
  expect([...erased.conversations].toSorted()).not.toContain(other.conversationId);
  expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([other.conversationId]);
  for (const id of ['user-42', ...conversations]) expect(await ledger.checkpoint(id ?? '')).toBeUndefined();
  expect(await other.getItems()).toMatchObject([{ content: 'stays' }]);
});

it('erase() removes the conversation of a session that was cleared and has none', async () => {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, sessionId: 'user-42' });
  await session.addItems([{ role: 'user', content: 'one' }]);
  const { conversationId } = session;
  simulator.fault('conversations.delete', { status: 500, times: 1 });
  await session.clearSession();
  const erased = await session.erase({ remote: true });
  expect(erased.conversations).toEqual([conversationId]);
  expect(simulator.snapshot().conversations).toEqual([]);
  for (const id of ['user-42', conversationId ?? '']) expect(await ledger.checkpoint(id)).toBeUndefined();
});

it.each(['await', 'background', 'off'] as const)(
  'erase() leaves a name with which every process begins anew (mirror %s)',
  async (mirror) => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const [ours, theirs] = [elsewhere(ledger), elsewhere(ledger)].map(
      (store) => new HybridSession({ client, ledger: store, sessionId: 'user-42', mirror }),
    ) as [HybridSession, HybridSession];
    await runner.run(agent, 'one', { session: ours });
    await runner.run(agent, 'two', { session: theirs });
    await theirs.flush();
    await ours.erase({ remote: true });
    expect(await theirs.getItems()).toEqual([]);
    await runner.run(agent, 'new', { session: theirs });
    await runner.run(agent, 'newer', { session: ours });
    await ours.flush();
    const said = texts(await ours.getItems());
    expect(said.filter((_, index) => index % 2 === 0)).toEqual(['new', 'newer']);
    expect(texts(await theirs.getItems())).toEqual(said);
    const listed = simulator.snapshot().conversations.flatMap(({ items }) => items);
    expect(listed).toHaveLength(mirror === 'off' ? 0 : 4);
  },
);

it.each(['await', 'off'] as const)(
  'erase() is undone by no process that had the session open (mirror %s)',
  async (mirror) => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const open = (): HybridSession =>
      new HybridSession({ client, ledger: elsewhere(ledger), sessionId: 'user-42', mirror });
    const [ours, theirs] = [open(), open()];
    await runner.run(agent, 'hi', { session: ours });
    await runner.run(agent, 'a secret', { session: theirs });
    await ours.erase({ remote: true });
    for (const content of ['new', 'newer']) await ours.addItems([{ role: 'user', content }]);
    expect(texts(await theirs.getItems())).toEqual(['new', 'newer']);
    expect(JSON.stringify(await ledger.read('user-42'))).not.toContain('secret');
    expect(await theirs.verify()).toMatchObject({ verified: true, length: 2, unproven: 0 });
  },
);

it('erase() takes no conversation from the session that has adopted it since', async () => {
  const { client } = simulated();
  const ledger = memoryLedger();
  const first = new HybridSession({ client, ledger, sessionId: 'user-42', bookmark: false });
  await first.addItems([{ role: 'user', content: 'one' }]);
  const conversationId = first.conversationId ?? '';
  // Without `remote` the conversation stays, and belongs to no session then.
  await first.erase();
  const second = new HybridSession({ client, ledger, sessionId: 'user-43', conversationId });
  await second.addItems([{ role: 'user', content: 'two' }]);
  await expect(first.erase()).rejects.toMatchObject({ code: 'conversation_owned' });
  const found = new HybridSession({ client, ledger, conversationId });
  expect(await found.getItems()).toHaveLength(2);
  expect(await found.getSessionId()).toBe('user-43');
});

describe('an ID that nothing at the API can have', () => {
  const STRANGE = ['..', '.', 'a\uD800b', '\uDC00'];

  it('a malformed ID is skipped and reported, and the rest is erased', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    const { lastResponseId } = await runner.run(agent, 'hi', { session });
    const id = await session.getSessionId();
    for (const responseId of STRANGE) await session.runCompaction({ responseId });
    expect(await session.erase({ remote: true })).toEqual({
      sessionId: id,
      items: 2,
      responses: [lastResponseId],
      conversations: [id],
      skipped: STRANGE,
    });
    const { conversations, responses } = simulator.snapshot();
    expect({ conversations, responses, checkpoint: await ledger.checkpoint(id) }).toEqual({
      conversations: [],
      responses: [],
      checkpoint: undefined,
    });
  });

  it('an ID that the API refuses because another server gave it is skipped', async () => {
    const { simulator } = simulated();
    const client = tamperedClient(simulator, async ({ path }) =>
      path.endsWith('/chatcmpl-1')
        ? Response.json({ error: { message: "Invalid 'response_id'" } }, { status: 400 })
        : undefined,
    );
    const session = new HybridSession({ client });
    await runner.run(agent, 'hi', { session });
    await session.runCompaction({ responseId: 'chatcmpl-1' });
    expect(await session.erase({ remote: true })).toMatchObject({
      conversations: [expect.stringMatching(/^conv_/)],
      skipped: ['chatcmpl-1'],
    });
    expect(simulator.snapshot().responses).toEqual([]);
  });

  it("a malformed ID as a server's parent is skipped, too", async () => {
    const { simulator } = simulated();
    const client = tamperedClient(simulator, async ({ method, path }, answer) =>
      method === 'GET' && path.startsWith('/responses/')
        ? changed(answer(), (body) => ({ ...body, previous_response_id: '..' }))
        : undefined,
    );
    const session = new HybridSession({ client });
    await runner.run(agent, 'hi', { session });
    expect(await session.erase({ remote: true })).toMatchObject({
      conversations: [expect.stringMatching(/^conv_/)],
      skipped: ['..'],
    });
  });

  it('an ID that the API cannot have holds up neither reading back nor a diagnosis', async () => {
    const { client } = simulated({ unlink: 'every-turn' });
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, keepContent: false });
    for (const text of ['hi', 'thanks', 'bye']) {
      await runner.run(agent, text, { session });
      for (const responseId of STRANGE) await session.runCompaction({ responseId });
    }
    const again = new HybridSession({
      client,
      ledger,
      keepContent: false,
      conversationId: await session.getSessionId(),
    });
    expect(await again.getItems()).toHaveLength(6);
    const conversationId = await session.getSessionId();
    const diagnosis = await diagnose({ client, conversationId, ledger, responses: STRANGE });
    expect(diagnosis.responses.filter(({ status }) => status === 'missing').map(({ id }) => id)).toEqual(
      STRANGE,
    );
    expect(diagnosis.length).toBe(6);
  });

  it('a malformed ID is refused as a conversation, with a clear error', async () => {
    const { client } = simulated();
    for (const conversationId of STRANGE) {
      expect(() => new HybridSession({ client, conversationId })).toThrow(
        expect.objectContaining({ code: 'invalid_options' }),
      );
      await expect(diagnose({ client, conversationId })).rejects.toMatchObject({ code: 'invalid_options' });
    }
  });

  it('a malformed ID of an item does not keep others from being deleted', async () => {
    const { simulator } = simulated();
    let strange: string | undefined;
    const client = tamperedClient(simulator, async ({ method, path }, answer) =>
      method === 'POST' && path.endsWith('/items') && strange !== undefined
        ? changed(answer(), (body) => ({
            ...body,
            data: [{ ...Object(Object(body['data'])[0]), id: strange }],
          }))
        : undefined,
    );
    for (const id of STRANGE) {
      const session = new HybridSession({ client });
      await session.addItems([{ role: 'user', content: 'stays' }]);
      strange = id;
      await session.addItems([{ role: 'user', content: 'goes' }]);
      strange = undefined;
      await session.popItem();
      await session.flush();
      expect(await session.getItems()).toMatchObject([{ content: 'stays' }]);
    }
  });

  it('a malformed ID of a new conversation is refused', async () => {
    const { simulator } = simulated();
    const client = tamperedClient(simulator, async ({ method, path }, answer) =>
      method === 'POST' && path === '/conversations'
        ? changed(answer(), (body) => ({ ...body, id: '..' }))
        : undefined,
    );
    await expect(new HybridSession({ client }).getItems()).rejects.toMatchObject({
      code: 'invalid_response',
    });
  });

  it('a malformed ID as the cursor of a list is refused', async () => {
    const { simulator, client: plain } = simulated();
    const { id } = await plain.conversations.create({ items: [{ role: 'user', content: 'hi' }] });
    const client = tamperedClient(simulator, async ({ method, path }, answer) =>
      method === 'GET' && path.endsWith('/items')
        ? changed(answer(), (body) => ({
            ...body,
            has_more: true,
            data: [{ ...Object(Object(body['data'])[0]), id: 'a\uD800' }],
          }))
        : undefined,
    );
    await expect(new HybridSession({ client, conversationId: id }).getItems()).rejects.toMatchObject({
      code: 'invalid_response',
    });
  });
});
