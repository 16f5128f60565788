import { OpenAIProvider, Runner } from '@openai/agents';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { createSimulator } from '../../mocks/index.ts';
import { closeAll, HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { holdingProxy, type HoldingProxy } from '../support/holding-proxy.ts';
import { passTime, turns, useVirtualTime } from '../support/virtual-time.ts';
import { elsewhere } from './support/elsewhere.ts';
import { converse, listedTexts, recorder } from './support/story.ts';

useVirtualTime();

const MODEL_CALL = 'POST /responses';
const WRITE = 'POST /conversations/ID/items';
const LIST = 'GET /conversations/ID/items';

const CONVERSATIONS = /\/conversations/;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A session with one turn on a server whose conversation endpoints can hang. */
async function begun(options: HybridSessionOptions = {}) {
  const simulator = createSimulator({ unlink: 'none' });
  const server = await simulator.listen();
  const proxy = await holdingProxy(server.url);
  closing.push(
    () => proxy.close(),
    () => server.close(),
  );
  const client = new OpenAI({ apiKey: 'test', baseURL: proxy.url });
  const runner = new Runner({
    modelProvider: new OpenAIProvider({ openAIClient: client }),
    tracingDisabled: true,
  });
  const { onEvent, of } = recorder();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, bookmark: false, onEvent, ...options });
  await converse(runner, session, ['one']);
  await session.flush();
  const conversationId = await session.getSessionId();
  const open = (given: HybridSessionOptions = {}): HybridSession =>
    new HybridSession({ client, ledger, conversationId, bookmark: false, onEvent, ...options, ...given });
  const listed = (): string[] => listedTexts(simulator, conversationId);
  return { proxy, client, runner, session, of, ledger, conversationId, open, listed, since: since(proxy) };
}

/** The requests since the last time it was asked. */
function since({ log }: HoldingProxy): () => string[] {
  return () => log.splice(0);
}

/** Whether a run has returned by now. */
function watched<T>(run: Promise<T>): { readonly done: () => Promise<boolean>; readonly run: Promise<T> } {
  let isDone = false;
  const noted = run.finally(() => {
    isDone = true;
  });
  noted.catch(() => undefined);
  return {
    run: noted,
    done: async () => {
      await turns(20);
      return isDone;
    },
  };
}

/** A turn during which the conversation API hangs. */
async function takesTenSeconds(turn: Promise<unknown>, proxy: HoldingProxy): Promise<void> {
  const { run, done } = watched(turn);
  await proxy.held(1);
  // The write has failed, and the list is read before it is written again.
  passTime(8000);
  await proxy.held(2);
  passTime(1499);
  expect(await done()).toBe(false);
  passTime(1);
  await run;
}

describe('a hanging conversation API', () => {
  it('a clock that is set back during a hanging write delays neither an append, nor flush(), nor closeAll() for longer', async () => {
    const { proxy, session, open } = await begun({ mirror: 'await' });
    proxy.hold(CONVERSATIONS);
    const first = open().addItems([user('two')]);
    await proxy.held(1);
    passTime(-3_600_000);
    const next = watched(session.addItems([user('three')]));
    const flushed = watched(session.flush({ timeout: 5000 }));
    const closed = watched(closeAll({ timeout: 5000 }));
    await turns(50);
    passTime(5000);
    expect([await flushed.done(), await closed.done()]).toEqual([true, true]);
    passTime(5000);
    expect(await next.done()).toBe(true);
    passTime(3_600_000);
    await first;
  });

  it("a hanging conversation API delays a run with mirror: 'await' by 10 seconds, and no later run", async () => {
    const { proxy, runner, session, of, listed, since: requests } = await begun();
    requests();
    proxy.hold(CONVERSATIONS);
    await takesTenSeconds(converse(runner, session, ['two']), proxy);
    expect(of('mirror_failed')).toEqual([expect.objectContaining({ count: 2, reason: 'TimeoutError' })]);
    expect(requests()).toEqual([MODEL_CALL, WRITE, LIST]);

    const answers = await converse(runner, session, ['three', 'four']);
    expect(answers[1]).toContain('I see 7 items (4u 3a)');
    expect(requests()).toEqual([MODEL_CALL, MODEL_CALL]);

    proxy.release();
    // A hanging request fails at its deadline.
    passTime(20_000);
    await session.flush();
    expect(listed()).toEqual(texts(await session.getItems()));
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], length: 8 });
  });

  it('a hanging conversation API delays a run with a bookmark no longer', async () => {
    const { proxy, runner, session, listed } = await begun({ bookmark: true });
    proxy.hold(CONVERSATIONS);
    await takesTenSeconds(converse(runner, session, ['two']), proxy);
    expect((await converse(runner, session, ['three']))[0]).toContain('I see 5 items (3u 2a)');
    proxy.release();
    passTime(60_000);
    await session.flush();
    expect(listed()).toEqual(texts(await session.getItems()));
  });

  it("a hanging conversation API delays no run with mirror: 'background'", async () => {
    const { proxy, runner, session, listed } = await begun({ mirror: 'background' });
    proxy.hold(CONVERSATIONS);
    const answers = await converse(runner, session, ['two', 'three']);
    expect(answers[1]).toContain('I see 5 items (3u 2a)');
    await proxy.held(1);
    proxy.release();
    passTime(20_000);
    await session.flush();
    expect(listed()).toEqual(texts(await session.getItems()));
  });

  it('a hanging conversation API delays neither getItems() nor a run of a session that the ledger knows', async () => {
    const { proxy, runner, ledger, open, since: requests } = await begun();
    proxy.hold(CONVERSATIONS);
    requests();
    const session = open({ ledger: elsewhere(ledger), mirror: 'background' });
    expect(await session.getItems()).toHaveLength(2);
    expect(await session.getItems(1)).toHaveLength(1);
    expect(requests()).toEqual([]);
    const [answer] = await converse(runner, session, ['two']);
    expect(answer).toContain('I see 3 items (2u 1a)');
    const popped = await session.popItem();
    expect(texts(popped === undefined ? [] : [popped])).toEqual([answer]);
  });

  it("a hanging conversation API delays a read with compare: 'on-read' no longer than a write", async () => {
    const {
      proxy,
      session,
      of,
      since: requests,
    } = await begun({ mirror: 'background', advanced: { compare: 'on-read' } });
    proxy.hold(CONVERSATIONS);
    requests();
    await session.addItems([user('two')]);
    await proxy.held(1);
    const { run, done } = watched(session.getItems());
    expect(await done()).toBe(false);
    // The write has failed, and the list is read before it is written again.
    passTime(8000);
    await proxy.held(2);
    passTime(1500);
    expect(await run).toHaveLength(3);
    expect(of('list_failed')).toEqual([expect.objectContaining({ reason: 'TimeoutError' })]);
    expect(requests()).toEqual([WRITE, LIST]);
  });

  it('the first read of a session that the ledger does not know fails at the deadline', async () => {
    const { proxy, open } = await begun();
    proxy.hold(CONVERSATIONS);
    const { run, done } = watched(open({ ledger: memoryLedger() }).getItems());
    await proxy.held(1);
    passTime(19_999);
    expect(await done()).toBe(false);
    passTime(1);
    await expect(run).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('a flush with a timeout leaves the unwritten items, and reports their number', async () => {
    const { proxy, session, listed } = await begun({ mirror: 'background' });
    expect(await session.flush({ timeout: 0 })).toBe(0);
    proxy.hold(CONVERSATIONS);
    await session.addItems([user('two'), user('three')]);
    const { run, done } = watched(session.flush({ timeout: 3000 }));
    await proxy.held(1);
    passTime(2999);
    expect(await done()).toBe(false);
    passTime(1);
    expect(await run).toBe(2);
    proxy.release();
    passTime(20_000);
    expect(await session.flush({ timeout: 3000 })).toBe(0);
    expect(listed()).toEqual(texts(await session.getItems()));
  });
});
