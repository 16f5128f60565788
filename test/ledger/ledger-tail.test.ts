import { describe, expect, test } from 'vitest';
import { LedgerConflictError } from '../../src/errors/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { Ledger, type LedgerOptions } from '../../src/ledger/ledger.ts';
import type { LedgerStep } from '../../src/ledger/record.ts';
import { type LedgerState } from '../../src/ledger/state.ts';
import { checkpointOf } from '../../src/ledger/checkpoint.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { ConversationReplaced } from '../../src/ledger/attached-conversation.ts';
import { memoryLedger } from '../../src/stores/memory.ts';
import { texts, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const say = (text: string, mirrorId?: string): LedgerStep => ({
  type: 'items',
  items: [{ ...ledgerItem(user(text), true), ...(mirrorId === undefined ? {} : { mirrorId }) }],
});
const historyOf = (state: LedgerState): string[] => texts(state.entries.map(({ item }) => item));

/** A store that notes from where it is read. */
function noting(store: LedgerStore): { store: LedgerStore; reads: number[] } {
  const reads: number[] = [];
  const read: LedgerStore['read'] = (sessionId, from = 0, to) => {
    reads.push(from);
    return store.read(sessionId, from, to);
  };
  return { store: { ...store, read }, reads };
}

function ledgerOn(store: LedgerStore, options: Partial<LedgerOptions> = {}): Ledger {
  return new Ledger({ store, sessionId: 'conv_1', now: () => 1000, isMirrored: false, ...options });
}

/** A store with as many messages, one a record. */
async function filled(count: number, steps: readonly LedgerStep[] = []): Promise<LedgerStore> {
  const store = memoryLedger();
  const ledger = ledgerOn(store);
  for (let at = 0; at < count; at += 1) await ledger.append(() => [say(`old ${at}`, `msg_${at}`)]);
  if (steps.length > 0) await ledger.append(() => steps);
  return store;
}

describe('an append to the tail', () => {
  test('an append to the tail reads the newest record alone, once, and holds nothing afterwards', async () => {
    const { store, reads } = noting(await filled(5));
    const ledger = ledgerOn(store);
    for (const text of ['a', 'b', 'c']) await ledger.append(() => [say(text)], { scope: 'tail' });
    expect(reads).toEqual([4]);
    expect(ledger.bytes).toBe(0);
    expect(historyOf(await ledger.read({ scope: 'tail' }))).toEqual([]);
    const whole = await ledgerOn(store).read();
    expect(historyOf(whole).slice(4)).toEqual(['old 4', 'a', 'b', 'c']);
    expect(await store.checkpoint('conv_1')).toMatchObject(checkpointOf(whole));
  });

  test('an empty append to the tail reads nothing', async () => {
    const { store, reads } = noting(await filled(2));
    const state = await ledgerOn(store).append(() => [], { scope: 'tail' });
    expect(state).toMatchObject({ version: 2, entries: [] });
    expect(reads).toEqual([]);
  });

  test('an append to the tail is decided with its checkpoint, and returns the next one', async () => {
    const store = await filled(2, [{ type: 'response', id: 'resp_1', store: true }]);
    const ledger = ledgerOn(store);
    const seen: unknown[] = [];
    const state = await ledger.append(
      (tail) => {
        seen.push([tail.version, tail.nextSeq, tail.resumedFrom?.length, tail.recorded.has('resp_1')]);
        return [say('a')];
      },
      { scope: 'tail' },
    );
    expect(seen).toEqual([[3, 2, 2, true]]);
    expect(checkpointOf(state)).toEqual(checkpointOf(await ledgerOn(store).read()));
  });

  test('an append to the tail keeps in memory what is not in the conversation yet, until it is', async () => {
    const store = await filled(2);
    const ledger = ledgerOn(store, { isMirrored: true });
    await ledger.append(() => [say('a')], { scope: 'tail' });
    expect(historyOf(await ledger.read({ scope: 'tail' }))).toEqual(['a']);
    expect(ledger.bytes).toBeGreaterThan(400);
    await ledger.append(() => [{ type: 'mirror', added: [{ seq: 2, id: 'msg_a' }], removed: [] }], {
      scope: 'tail',
    });
    expect(ledger.bytes).toBe(0);
    expect((await ledgerOn(store).read()).entries[2]?.mirrorId).toBe('msg_a');
  });

  test('an append to the tail keeps in memory what the conversation will never hold and the ledger does not', async () => {
    const ledger = ledgerOn(await filled(1), { isMirrored: true });
    const bare = { digest: 'd', kind: 'message:user' };
    await ledger.append(() => [{ type: 'items', items: [bare] }], { scope: 'tail' });
    const skipped: LedgerStep = {
      type: 'mirror',
      added: [],
      removed: [],
      skipped: [{ seq: 1, reason: 'no form' }],
    };
    const state = await ledger.append(() => [skipped], { scope: 'tail' });
    expect(state.entries).toMatchObject([{ seq: 1, skipped: 'no form' }]);
    expect((await ledger.read({ scope: 'tail' })).entries).toHaveLength(1);
  });

  test('an append to the tail keeps everything as long as one thing is held by nothing else', async () => {
    const ledger = ledgerOn(await filled(1), { isMirrored: true });
    const bare = { digest: 'd', kind: 'message:user' };
    await ledger.append(() => [say('a', 'msg_a'), { type: 'items', items: [bare] }], { scope: 'tail' });
    await ledger.append(
      () => [{ type: 'mirror', added: [], removed: [], skipped: [{ seq: 2, reason: 'no form' }] }],
      { scope: 'tail' },
    );
    expect((await ledger.read({ scope: 'tail' })).entries).toHaveLength(2);
  });

  test('an append to the tail lets go of what the conversation holds, also where the ledger has no content', async () => {
    const ledger = ledgerOn(await filled(1), { isMirrored: true });
    await ledger.append(
      () => [{ type: 'items', items: [{ digest: 'd', kind: 'message:user', mirrorId: 'msg_a' }] }],
      { scope: 'tail' },
    );
    expect(ledger.bytes).toBe(0);
  });

  test('an append to the tail that removes an item has the whole read next time', async () => {
    const store = await filled(2);
    const ledger = ledgerOn(store);
    const state = await ledger.append(() => [{ type: 'pop' }], { scope: 'tail' });
    expect(state).toMatchObject({ version: 3 });
    expect(historyOf(await ledger.read())).toEqual(['old 0']);
    expect((await store.read('conv_1')).records).toHaveLength(3);
  });

  test('an append to the tail lets go of what the conversation will never hold and the ledger does', async () => {
    const ledger = ledgerOn(await filled(1), { isMirrored: true });
    await ledger.append(() => [say('a')], { scope: 'tail' });
    await ledger.append(
      () => [{ type: 'mirror', added: [], removed: [], skipped: [{ seq: 1, reason: 'no form' }] }],
      { scope: 'tail' },
    );
    expect(ledger.bytes).toBe(0);
  });

  test('an append to the tail reads the whole where the conversation may lack something', async () => {
    const store = await filled(2, [say('pending')]);
    const { store: noted, reads } = noting(store);
    const tail = await ledgerOn(noted, { isMirrored: true }).read({ scope: 'tail' });
    expect(historyOf(tail)).toEqual(['old 0', 'old 1', 'pending']);
    expect(reads).toEqual([0]);
    // Mirrored is what a ledger is unless it is said not to be.
    const { isMirrored: _no, ...rest } = { store, sessionId: 'conv_1', now: () => 0, isMirrored: false };
    expect(historyOf(await new Ledger(rest).read({ scope: 'tail' }))).toHaveLength(3);
    expect(historyOf(await ledgerOn(store).read({ scope: 'tail' }))).toEqual([]);
  });

  test.each<[string, LedgerStep]>([
    ['somebody is writing to the conversation', { type: 'lease', writer: 'w', until: 9 }],
    ['the session was cleared', { type: 'clear' }],
  ])('reads the whole where %s', async (_what, step) => {
    const { store, reads } = noting(await filled(2, [step]));
    for (const isMirrored of [true, false]) {
      reads.length = 0;
      expect((await ledgerOn(store, { isMirrored }).read({ scope: 'tail' })).resumedFrom).toBeUndefined();
      expect(reads).toEqual([0]);
    }
  });

  test('an append to the tail of a new session reads its checkpoint alone', async () => {
    const ledger = ledgerOn(memoryLedger());
    expect((await ledger.append(() => [say('a')], { scope: 'tail' })).version).toBe(1);
    expect(historyOf(await ledger.read())).toEqual(['a']);
  });
});

describe('the whole after the tail', () => {
  test('the whole state is read, and replaces the tail', async () => {
    const { store, reads } = noting(await filled(3));
    const ledger = ledgerOn(store);
    await ledger.append(() => [say('a')], { scope: 'tail' });
    expect(historyOf(await ledger.read())).toEqual(['old 0', 'old 1', 'old 2', 'a']);
    expect(reads).toEqual([2, 0]);
    await ledger.append(() => [say('b')], { scope: 'tail' });
    expect(historyOf(await ledger.read({ scope: 'tail' }))).toHaveLength(5);
    expect(reads).toEqual([2, 0]);
    expect(ledger.bytes).toBeGreaterThan(5 * 400);
  });

  test('the whole state is read if an append needs it', async () => {
    const ledger = ledgerOn(await filled(3));
    await ledger.read({ scope: 'tail' });
    const state = await ledger.append(({ entries }) => [say(`behind ${entries.length}`)]);
    expect(historyOf(state).at(-1)).toBe('behind 3');
  });

  test('the whole state is read again after its release, with the records of others', async () => {
    const store = await filled(1);
    const ledger = ledgerOn(store);
    const before = await ledger.read();
    await ledgerOn(store).append(() => [say('theirs')]);
    expect(await ledger.read()).toBe(before);
    await ledger.release();
    expect(ledger.bytes).toBe(0);
    expect(historyOf(await ledger.read())).toEqual(['old 0', 'theirs']);
  });

  test('the whole state is not read again by a refresh that finds it up to date', async () => {
    const { store, reads } = noting(await filled(4));
    const ledger = ledgerOn(store);
    const state = await ledger.read({ fresh: true });
    expect(await ledger.read({ fresh: true })).toBe(state);
    expect(await ledger.read({ scope: 'tail', fresh: true })).toBe(state);
    expect(reads).toEqual([0, 3, 3]);
  });
});

describe('another writer', () => {
  test('another writer is noticed by a read of the checkpoint', async () => {
    const { store, reads } = noting(await filled(2));
    const ledger = ledgerOn(store);
    const before = await ledger.read({ scope: 'tail', fresh: true });
    expect(await ledger.read({ scope: 'tail', fresh: true })).toBe(before);
    await ledgerOn(store).append(() => [say('theirs')]);
    reads.length = 0;
    expect(await ledger.read({ scope: 'tail', fresh: true })).toMatchObject({ version: 3, nextSeq: 3 });
    expect(reads).toEqual([]);
  });

  test('another writer is noticed in the whole state as well', async () => {
    const store = await filled(1);
    const ledger = ledgerOn(store);
    await ledger.read();
    await ledgerOn(store).append(() => [say('theirs')]);
    expect(historyOf(await ledger.read({ scope: 'tail', fresh: true }))).toEqual(['old 0', 'theirs']);
    await ledger.release();
    await ledger.read({ scope: 'tail' });
    expect(historyOf(await ledger.read({ fresh: true }))).toEqual(['old 0', 'theirs']);
  });

  test('another writer who came first is read before the tail is asked again', async () => {
    const store = await filled(2);
    const conflicts: number[] = [];
    const ledger = ledgerOn(store, { onConflict: (version) => conflicts.push(version) });
    await ledger.append(() => [say('mine')], { scope: 'tail' });
    await ledgerOn(store).append(() => [say('theirs'), { type: 'response', id: 'resp_1', store: true }], {
      scope: 'tail',
    });
    const asked: boolean[] = [];
    await ledger.append(
      ({ recorded }) => {
        asked.push(recorded.has('resp_1'));
        return [say('mine too')];
      },
      { scope: 'tail' },
    );
    expect(asked).toEqual([false, true]);
    expect(conflicts).toEqual([5]);
    expect(historyOf(await ledger.read()).slice(2)).toEqual(['mine', 'theirs', 'mine too']);
  });

  test.each<[string, LedgerStep]>([
    ['took away', { type: 'pop' }],
    ['cleared', { type: 'clear' }],
    ['replaced', { type: 'replace', keep: 1, items: [] }],
  ])(
    'another writer who %s the records before the tail makes the state be read anew',
    async (_what, step) => {
      const store = await filled(2);
      const ledger = ledgerOn(store);
      await ledger.append(() => [say('mine')], { scope: 'tail' });
      await ledgerOn(store).append(() => [step, say('theirs')]);
      const lengths: number[] = [];
      const state = await ledger.append(
        (tail) => {
          lengths.push(checkpointOf(tail).length);
          return [say('last')];
        },
        { scope: 'tail' },
      );
      const whole = await ledgerOn(store).read();
      expect(lengths).toEqual([3, whole.entries.length - 1]);
      // No conversation, no marks in the stored checkpoint of what is still to leave it.
      expect(checkpointOf(whole)).toMatchObject(checkpointOf(state));
      expect(historyOf(whole).slice(-2)).toEqual(['theirs', 'last']);
    },
  );

  test('another writer who replaced the session is noticed', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    await ledger.read({ scope: 'tail' });
    await store.delete('conv_1');
    const other = ledgerOn(store);
    for (const text of ['new 0', 'new 1', 'new 2']) await other.append(() => [say(text)]);
    await ledger.append(() => [say('mine')], { scope: 'tail' });
    const whole = await ledgerOn(store).read();
    expect(historyOf(whole)).toEqual(['new 0', 'new 1', 'new 2', 'mine']);
    expect(await store.checkpoint('conv_1')).toMatchObject(checkpointOf(whole));
  });

  test('an append begins a session anew after another writer deleted it', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    await ledger.read({ scope: 'tail' });
    await store.delete('conv_1');
    expect(await ledger.append(() => [say('mine')], { scope: 'tail' })).toMatchObject({
      version: 1,
      nextSeq: 1,
    });
    expect(historyOf(await ledgerOn(store).read())).toEqual(['mine']);
  });

  test.each([
    ['other words', 'new'],
    ['the same words', 'old'],
  ])('another writer who wrote as much in its place, in %s, is noticed', async (_what, word) => {
    const store = await filled(2);
    const ledger = ledgerOn(store);
    const before = await ledger.read({ scope: 'tail', fresh: true });
    await store.delete('conv_1');
    const other = ledgerOn(store);
    for (const at of [0, 1]) await other.append(() => [say(`${word} ${at}`, `msg_${at}`)]);
    const after = await ledger.read({ scope: 'tail', fresh: true });
    expect(after).not.toBe(before);
    expect(after).toMatchObject({ version: 2, newest: (await other.read()).newest });
  });

  test('another writer who deleted the session leaves no state', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    await ledger.read({ scope: 'tail', fresh: true });
    await store.delete('conv_1');
    expect(await ledger.read({ scope: 'tail', fresh: true })).toMatchObject({ version: 0, nextSeq: 0 });
  });
});

describe('an append to the tail whose answer got lost', () => {
  test('an append to the tail that lost its answer is found, and stays once', async () => {
    const memory = await filled(2);
    const append: LedgerStore['append'] = async (...all) => {
      await memory.append(...all);
      throw new Error('connection reset');
    };
    const ledger = ledgerOn({ ...memory, append });
    await ledger.append(() => [say('a')], { scope: 'tail' });
    await ledger.append(() => [say('b')], { scope: 'tail' });
    expect(historyOf(await ledgerOn(memory).read()).slice(2)).toEqual(['a', 'b']);
  });

  test('an append to the tail that lost its answer fails if the store cannot be read, and leaves no wrong state', async () => {
    const memory = await filled(2);
    let down = false;
    const store: LedgerStore = {
      ...memory,
      async append(...all) {
        await memory.append(...all);
        if (down) throw new RangeError('no answer');
      },
      async read(...all) {
        if (down) throw new TypeError('down');
        return memory.read(...all);
      },
    };
    const ledger = ledgerOn(store, { isMirrored: true });
    await ledger.append(() => [say('a')], { scope: 'tail' });
    down = true;
    await expect(ledger.append(() => [say('b')], { scope: 'tail' })).rejects.toThrow(RangeError);
    expect(ledger.bytes).toBe(0);
    down = false;
    expect(historyOf(await ledger.read()).slice(2)).toEqual(['a', 'b']);
  });

  test('an append to the tail with an unresolved conflict fails with it if the store cannot be read', async () => {
    const memory = await filled(2);
    const conflict = new LedgerConflictError('conv_1', 2);
    let down = false;
    const ledger = ledgerOn({
      ...memory,
      async append() {
        down = true;
        throw conflict;
      },
      async read(...all) {
        if (down) throw new TypeError('down');
        return memory.read(...all);
      },
    });
    await expect(ledger.append(() => [say('a')])).rejects.toBe(conflict);
  });

  test('an append to the tail whose answer got lost fails with its own error when another writer came and went', async () => {
    const memory = await filled(2);
    const ledger = ledgerOn({
      ...memory,
      append: async () => {
        await ledgerOn(memory).append(() => [say('theirs')]);
        throw new RangeError('no answer');
      },
    });
    await expect(ledger.append(() => [say('mine')], { scope: 'tail' })).rejects.toThrow(RangeError);
    expect(historyOf(await ledger.read()).slice(2)).toEqual(['theirs']);
  });
});

const attachedTo = (store: LedgerStore, conversationId: string): Ledger =>
  ledgerOn(store, { conversationId });

describe('a session that has left the conversation', () => {
  const goneOn: LedgerStep[] = [
    { type: 'conversation', id: 'conv_a' },
    { type: 'conversation', id: 'conv_b' },
  ];

  test.each<[string, LedgerStep[]]>([
    ['for another one', goneOn],
    ['with its items', [{ type: 'conversation', id: 'conv_a' }, { type: 'clear' }]],
  ])('%s takes nothing in from a user of it, and says so', async (_how, steps) => {
    const store = await filled(1, steps);
    const before = await store.checkpoint('conv_1');
    for (const use of [
      (ledger: Ledger) => ledger.append(() => [say('late')]),
      (ledger: Ledger) => ledger.append(() => [say('late')], { scope: 'tail' }),
      (ledger: Ledger) => ledger.read({ fresh: true }),
    ]) {
      const failure = use(attachedTo(store, 'conv_a'));
      await expect(failure).rejects.toBeInstanceOf(ConversationReplaced);
      await expect(failure).rejects.toMatchObject({ name: 'ConversationReplaced' });
      await expect(failure).rejects.toThrow("Session 'conv_1'");
    }
    expect(await store.checkpoint('conv_1')).toEqual(before);
  });

  test('a session that left the conversation is noticed by the end of the ledger', async () => {
    const store = await filled(1, goneOn);
    await expect(attachedTo(store, 'conv_a').read({ scope: 'tail', fresh: true })).rejects.toBeInstanceOf(
      ConversationReplaced,
    );
  });

  test('a session that left the conversation is noticed by a user with an older state', async () => {
    for (const scope of ['all', 'tail'] as const) {
      const store = await filled(1, goneOn.slice(0, 1));
      const ledger = attachedTo(store, 'conv_a');
      await ledger.read({ scope });
      await ledgerOn(store).append(() => goneOn.slice(1));
      await expect(ledger.append(() => [say('late')], { scope: 'tail' })).rejects.toBeInstanceOf(
        ConversationReplaced,
      );
    }
  });

  test('a session that left the conversation can still be read in its known state', async () => {
    const ledger = attachedTo(await filled(2, goneOn), 'conv_a');
    expect(historyOf(await ledger.read())).toEqual(['old 0', 'old 1']);
    expect(historyOf(await ledger.readAt())).toEqual(['old 0', 'old 1']);
    expect((await ledger.read({ scope: 'tail' })).conversation).toBe('conv_b');
  });

  test('a session that left its conversation goes on with a user of the conversation that it has, and with one of none', async () => {
    const store = await filled(1, goneOn);
    await attachedTo(store, 'conv_b').append(() => [say('a')], { scope: 'tail' });
    await ledgerOn(store).append(() => [say('b')], { scope: 'tail' });
    expect(historyOf(await attachedTo(store, 'conv_b').read({ fresh: true }))).toEqual(['old 0', 'a', 'b']);
  });
});

describe('a session without a conversation', () => {
  test('names the one of its user in front of the next append, once', async () => {
    const store = await filled(1);
    const ledger = ledgerOn(store, { conversationId: 'conv_a' });
    await ledger.append(() => []);
    expect((await store.checkpoint('conv_1'))?.version).toBe(1);
    await ledger.append(() => [say('a')], { scope: 'tail' });
    await ledger.append(() => [say('b')]);
    const { records } = await store.read('conv_1', 1);
    expect(records).toMatchObject([
      { type: 'conversation', id: 'conv_a' },
      { type: 'items' },
      { type: 'items' },
    ]);
    expect(records[0]?.commit).toBe(records[1]?.commit);
    expect(await store.checkpoint('conv_1')).toMatchObject({ conversation: 'conv_a', length: 3 });
  });

  test('a session without a conversation gets one of two that come at the same time', async () => {
    const store = await filled(1);
    const [mine, yours] = ['conv_a', 'conv_b'].map((conversationId) => ledgerOn(store, { conversationId }));
    await Promise.all([mine?.read(), yours?.read()]);
    await mine?.append(() => [say('mine')]);
    await expect(yours?.append(() => [say('yours')])).rejects.toBeInstanceOf(ConversationReplaced);
    expect(await store.checkpoint('conv_1')).toMatchObject({ conversation: 'conv_a', length: 2 });
  });
});

describe('the state as it was', () => {
  test('a former state has its own version, and later ones do not change it', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    const then = await ledger.readAt(2);
    await ledger.append(() => [say('other')]);
    expect(historyOf(then)).toEqual(['old 0', 'old 1']);
    expect(historyOf(await ledger.readAt(3))).toEqual(['old 0', 'old 1', 'old 2']);
    expect((await ledger.readAt(0)).entries).toEqual([]);
    expect(historyOf(await ledger.read())).toEqual(['old 0', 'old 1', 'old 2', 'other']);
  });

  test('a former state is gone if an item was removed since', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    await ledger.append(() => [{ type: 'pop' }, say('other')]);
    expect((await ledger.readAt(3)).entries).toEqual([]);
    expect(historyOf(await ledger.readAt())).toEqual(['old 0', 'old 1', 'other']);
  });
});
