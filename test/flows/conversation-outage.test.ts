import { describe, expect, it } from 'vitest';
import type { Operation } from '../../mocks/index.ts';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { clock } from '../../src/util/clock.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';
import { converse, listedTexts, recorder, requestsOf } from './support/story.ts';

useVirtualTime();

const MODEL_CALL = 'responses.create';
const WRITE: Operation = 'conversations.items.create';
const LIST: Operation = 'conversations.items.list';

/** Every conversation endpoint fails with this status from now on. @returns a function that ends the outage. */
function outage(simulator: ReturnType<typeof simulated>['simulator'], status = 503): () => void {
  const operations: Operation[] = [WRITE, LIST, 'conversations.items.delete', 'conversations.items.retrieve'];
  const lifts = operations.map((operation) => simulator.fault(operation, { status }));
  return () => {
    for (const lift of lifts) lift();
  };
}

/** A world with a client that retries, as it does by default. */
function world(maxRetries = 2) {
  const { simulator } = simulated();
  const client = simulatedClient(simulator, maxRetries);
  return { simulator, client, runner: simulatedRunner(client), ...recorder() };
}

describe('ten appends in an outage', () => {
  it('ten appends in an outage cost one write and two reads, and a flush two reads and one write', async () => {
    const { simulator, client, of, onEvent } = world();
    const session = new HybridSession({ bookmark: false, client, onEvent });
    await session.addItems([user('zero')]);
    const lift = outage(simulator);
    const asked = await requestsOf(simulator, async () => {
      for (let index = 0; index < 10; index += 1) await session.addItems([user(`text ${index}`)]);
    });
    // The write fails, and so do two looks before it would be made again: then nothing is asked any more.
    expect(asked).toEqual([WRITE, LIST, LIST]);
    expect(of('mirror_failed').at(-1)).toMatchObject({ count: 10, reason: 'Error (503)' });
    lift();
    const began = clock.now();
    expect(await requestsOf(simulator, () => session.flush())).toEqual([LIST, LIST, WRITE]);
    expect(clock.now() - began).toBe(500);
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(texts(await session.getItems()));
  });

  it('a flush after ten appends in an outage fails after one write and five reads', async () => {
    const { simulator, client } = world();
    const session = new HybridSession({ bookmark: false, client, mirror: 'background' });
    await session.getSessionId();
    outage(simulator);
    for (let index = 0; index < 10; index += 1) await session.addItems([user(`text ${index}`)]);
    const began = clock.now();
    const requests = await requestsOf(simulator, () =>
      expect(session.flush()).rejects.toMatchObject({ code: 'mirror_incomplete', pending: 10 }),
    );
    expect(requests).toEqual([WRITE, LIST, LIST, LIST, LIST, LIST]);
    expect(clock.now() - began).toBe(3000);
  });

  it('ten appends in an outage are written by a later flush in pieces of 20 items', async () => {
    const { simulator, client } = world();
    const session = new HybridSession({ bookmark: false, client, mirror: 'background' });
    await session.getSessionId();
    const lift = outage(simulator);
    for (let index = 0; index < 10; index += 1)
      await session.addItems([1, 2, 3, 4, 5].map((one) => user(`text ${index} ${one}`)));
    await expect(session.flush()).rejects.toMatchObject({ code: 'mirror_incomplete', pending: 50 });
    lift();
    expect(await requestsOf(simulator, () => session.flush())).toEqual([LIST, LIST, WRITE, WRITE, WRITE]);
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(texts(await session.getItems()));
  });
});

describe('consecutive appends', () => {
  it('consecutive appends share one push while another push runs', async () => {
    const { simulator, client } = world();
    const session = new HybridSession({ bookmark: false, client, mirror: 'background' });
    await session.getSessionId();
    const requests = await requestsOf(simulator, async () => {
      for (let index = 0; index < 10; index += 1) await session.addItems([user(`text ${index}`)]);
      await session.flush();
    });
    expect(requests.filter((operation) => operation !== WRITE)).toEqual([]);
    expect(requests.length).toBeLessThan(10);
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(texts(await session.getItems()));
  });
});

describe('an unavailable conversation API', () => {
  it('an unavailable conversation API gets one request for each object, not for each session', async () => {
    const { simulator, client, runner, onEvent, of } = world();
    const ledger = memoryLedger();
    const first = new HybridSession({ bookmark: false, client, ledger });
    await converse(runner, first, ['one']);
    const conversationId = await first.getSessionId();
    const lift = outage(simulator);
    const turn = (text: string): Promise<unknown> =>
      converse(runner, new HybridSession({ bookmark: false, client, ledger, conversationId, onEvent }), [
        text,
      ]);
    const began = clock.now();
    expect(await requestsOf(simulator, () => turn('two'))).toEqual([MODEL_CALL, WRITE, LIST, LIST]);
    expect(clock.now() - began).toBe(1500);
    const others = await requestsOf(simulator, async () => {
      for (const text of ['three', 'four', 'five']) await turn(text);
    });
    expect(others).toEqual([MODEL_CALL, MODEL_CALL, MODEL_CALL]);
    expect(clock.now() - began).toBe(1500);
    expect(of('mirror_failed').map(({ count }) => count)).toEqual([2, 4, 6, 8]);
    // One session tries again when the pause is over.
    passTime(1000);
    const tried = await requestsOf(simulator, async () => {
      for (const text of ['six', 'seven']) await turn(text);
    });
    expect(tried).toEqual([MODEL_CALL, LIST, MODEL_CALL]);
    lift();
    passTime(30_000);
    await turn('eight');
    const session = new HybridSession({ bookmark: false, client, ledger, conversationId });
    await session.flush();
    expect(listedTexts(simulator, conversationId)).toEqual(texts(await session.getItems()));
    expect(await session.verify()).toMatchObject({ verified: true, length: 16, pending: 0, findings: [] });
  });

  it('verify() and flush() ask an unavailable conversation API all the same', async () => {
    const { simulator, client } = world(0);
    const session = new HybridSession({ bookmark: false, client });
    await session.getSessionId();
    const lift = outage(simulator);
    for (const text of ['one', 'two', 'three']) await session.addItems([user(text)]);
    expect(await requestsOf(simulator, () => session.addItems([user('four')]))).toEqual([]);
    expect(await requestsOf(simulator, () => expect(session.flush()).rejects.toThrow('4'))).toEqual([LIST]);
    expect(await requestsOf(simulator, () => expect(session.verify()).rejects.toThrow('503'))).toEqual([
      LIST,
    ]);
    lift();
    expect(await session.flush()).toBe(0);
  });

  it("a read with compare: 'on-read' of a known session sends no request to an unavailable conversation API", async () => {
    const { simulator, client, onEvent, of } = world(0);
    const session = new HybridSession({ bookmark: false, client, advanced: { compare: 'on-read' }, onEvent });
    await session.addItems([user('one')]);
    outage(simulator);
    for (let read = 0; read < 3; read += 1) await session.getItems();
    const requests = await requestsOf(simulator, async () => {
      expect(texts(await session.getItems())).toEqual(['one']);
    });
    expect(requests).toEqual([]);
    expect(of('list_failed')).toHaveLength(4);
  });
});
