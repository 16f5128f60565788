import { describe, expect, it } from 'vitest';
import { circuitBreakerOf } from '../../src/conversation/circuit-breaker.ts';
import { findBookmarkId } from '../../src/conversation/bookmark.ts';
import { memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { BookmarkWriter } from '../../src/mirror/bookmark-writer.ts';
import { clock } from '../../src/util/clock.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { passTime, turns, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

async function world(metadata: Record<string, string> = {}) {
  const made = simulated();
  const { client, simulator } = made;
  const { id: conversationId } = await client.conversations.create({ metadata });
  const ledger = new Ledger({ store: memoryLedger(), sessionId: conversationId });
  await ledger.append(() => [{ type: 'conversation', id: conversationId }]);
  const failures: string[] = [];
  const open = (bookmarkId?: string): BookmarkWriter =>
    new BookmarkWriter({
      client,
      conversationId,
      bookmarkId,
      ledger,
      warn: ({ reason = '' }) => failures.push(reason),
    });
  const say = (text: string) =>
    ledger.append(() => [{ type: 'items', items: [ledgerItem(user(text), true)] }]);
  const metadataOf = async (id: string): Promise<Record<string, string>> =>
    (await client.conversations.retrieve(id)).metadata as Record<string, string>;
  /** The requests of a task. */
  const requests = async (task: () => Promise<unknown>): Promise<string[]> => {
    const from = simulator.log.length;
    await task();
    return simulator.log
      .slice(from)
      .map(({ method, path }) => `${method} ${path.replace(conversationId, 'own')}`);
  };
  const lengthOf = async (id: string): Promise<unknown> =>
    JSON.parse((await metadataOf(id))['history'] ?? '{}').length;
  return { ...made, conversationId, ledger, failures, open, say, metadataOf, requests, lengthOf };
}

type World = Awaited<ReturnType<typeof world>>;

const placeOf = async (of: World): Promise<string> =>
  (await of.metadataOf(of.conversationId))['hybrid_session'] ?? '';

describe('the bookmark of a session', () => {
  it("a bookmark gets a conversation of its own, which the user's names beside its own pairs", async () => {
    const of = await world({ mine: 'yes' });
    await of.say('one');
    await of.open().write();
    const place = await placeOf(of);
    expect(await of.metadataOf(of.conversationId)).toEqual({ mine: 'yes', hybrid_session: place });
    expect(await of.lengthOf(place)).toBe(1);
    expect(of.failures).toEqual([]);
  });

  it('a bookmark that did not change is not written again, and a changed one is', async () => {
    const of = await world();
    const writer = of.open();
    await of.say('one');
    await writer.write();
    expect(await of.requests(() => writer.write())).toEqual([]);
    await of.say('two');
    const place = await placeOf(of);
    expect((await of.requests(() => writer.write())).toSorted()).toEqual([
      'GET /conversations/own',
      `POST /conversations/${place}`,
    ]);
    expect(await of.lengthOf(place)).toBe(2);
  });

  it('a known bookmark is not searched, and an unknown one is found', async () => {
    const of = await world();
    await of.say('one');
    await of.open().write();
    const place = await placeOf(of);
    await of.say('two');
    await of.open(place).write();
    await of.say('three');
    await of.open().write();
    expect(await placeOf(of)).toBe(place);
    expect(await of.lengthOf(place)).toBe(3);
  });

  it('the name of a bookmark that the user has overwritten is written again', async () => {
    const of = await world();
    const writer = of.open();
    await of.say('one');
    await writer.write();
    const place = await placeOf(of);
    await of.client.conversations.update(of.conversationId, { metadata: { mine: 'new' } });
    await of.say('two');
    await writer.write();
    expect(await of.metadataOf(of.conversationId)).toEqual({ mine: 'new', hybrid_session: place });
  });

  it('a bookmark that another client deleted is made anew by the next write', async () => {
    const of = await world();
    const writer = of.open();
    await of.say('one');
    await writer.write();
    const place = await placeOf(of);
    await of.client.conversations.delete(place);
    await of.say('two');
    await writer.write();
    expect(of.failures).toHaveLength(1);
    await writer.write();
    expect(await placeOf(of)).not.toBe(place);
    expect(await of.lengthOf(await placeOf(of))).toBe(2);
    expect(of.failures).toHaveLength(1);
  });

  it('a bookmark keeps its place where a write failed', async () => {
    const of = await world();
    const writer = of.open();
    await of.say('one');
    await writer.write();
    const place = await placeOf(of);
    await of.say('two');
    of.simulator.fault('conversations.update', { status: 500, times: 1 });
    await writer.write();
    expect(of.failures).toHaveLength(1);
    await writer.write();
    expect(await placeOf(of)).toBe(place);
    expect(await of.lengthOf(place)).toBe(2);
  });

  it('full metadata get no bookmark', async () => {
    const full = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`key ${at}`, 'value']));
    const of = await world(full);
    await of.say('one');
    await of.open().write();
    expect(of.failures).toEqual(['the metadata of the conversation are full']);
    expect(await of.metadataOf(of.conversationId)).toEqual(full);
    expect(of.simulator.snapshot().conversations).toHaveLength(1);
  });

  it('a session with another conversation writes no bookmark', async () => {
    const of = await world();
    await of.ledger.append(() => [{ type: 'conversation', id: 'conv_other' }]);
    expect(await of.requests(() => of.open().write())).toEqual([]);
    expect(of.failures).toEqual([]);
  });

  it('no bookmark is written while the server is down', async () => {
    const of = await world();
    await of.say('one');
    const breaker = circuitBreakerOf(of.client);
    for (let nth = 0; nth < 3; nth += 1) breaker.failed(new TypeError('fetch failed'));
    expect(await of.requests(() => of.open().write())).toEqual([]);
    expect(of.failures).toHaveLength(1);
  });
});

describe('the end of a bookmark', () => {
  it('a deleted bookmark leaves no conversation, and the next write makes another one', async () => {
    const of = await world();
    const writer = of.open();
    await of.say('one');
    await writer.write();
    const place = await placeOf(of);
    await writer.delete();
    expect(of.simulator.snapshot().conversations.map(({ id }) => id)).toEqual([of.conversationId]);
    await writer.write();
    expect(await placeOf(of)).not.toBe(place);
  });

  it('a bookmark that another process wrote is found and deleted, and one that is not there is none', async () => {
    const of = await world();
    await of.say('one');
    await of.open().write();
    await of.open().delete();
    expect(of.simulator.snapshot().conversations).toHaveLength(1);
    expect(await findBookmarkId(of.client, of.conversationId)).toBeUndefined();
    expect(await of.requests(() => of.open().delete())).not.toContain('DELETE');
  });
});

/** A writer whose requests are never answered. */
async function stuck() {
  const of = await world();
  await of.say('one');
  of.simulator.fault('conversations.retrieve', { name: 'no_answer' });
  const writer = of.open();
  const ends: string[] = [];
  const wait = (name: string, until: number): void =>
    void writer.writeWithTimeout(until).then(() => ends.push(name));
  return { writer, ends, wait };
}

describe('the wait for a bookmark', () => {
  it('a turn waits until its own deadline', async () => {
    const { ends, wait } = await stuck();
    wait('turn', clock.now() + 2000);
    await turns(20);
    passTime(1999);
    await turns(20);
    expect(ends).toEqual([]);
    passTime(1);
    await turns(20);
    expect(ends).toEqual(['turn']);
  });

  it('a turn waits at most ten seconds from the oldest unfinished write', async () => {
    const { ends, wait } = await stuck();
    wait('first', clock.now() + 60_000);
    await turns(20);
    passTime(4000);
    wait('second', clock.now() + 60_000);
    await turns(20);
    passTime(5999);
    await turns(20);
    expect(ends).toEqual([]);
    passTime(1);
    await turns(20);
    expect(ends.toSorted()).toEqual(['first', 'second']);
  });

  it('a write that ended does not shorten the wait for the next one', async () => {
    const of = await world();
    const writer = of.open();
    await of.say('one');
    await writer.write();
    await of.say('two');
    passTime(60_000);
    await writer.writeWithTimeout(clock.now() + 1000);
    expect(await of.lengthOf(await placeOf(of))).toBe(2);
  });

  it('a bookmark is idle when no write is in progress', async () => {
    const of = await world();
    const writer = of.open();
    await of.say('one');
    void writer.write();
    await writer.idle();
    expect(await of.lengthOf(await placeOf(of))).toBe(1);
  });
});
