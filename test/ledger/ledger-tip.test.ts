import { describe, expect, test } from 'vitest';
import { LedgerConflictError } from '../../src/errors/ledger-conflict-error.ts';
import { ledgerItem } from '../../src/ledger/agent-item.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerOptions } from '../../src/ledger/ledger-options.ts';
import type { LedgerStep } from '../../src/ledger/ledger-record.ts';
import { headOf, type LedgerState } from '../../src/ledger/ledger-state.ts';
import type { LedgerStore } from '../../src/ledger/ledger-store.ts';
import { SessionMoved } from '../../src/ledger/session-moved.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { texts, user } from '../support/conversation.ts';

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
  for (let at = 0; at < count; at += 1) await ledger.commit(() => [say(`old ${at}`, `msg_${at}`)]);
  if (steps.length > 0) await ledger.commit(() => steps);
  return store;
}

describe('an append to the tip', () => {
  test('reads the newest record alone, once, and holds nothing afterwards', async () => {
    const { store, reads } = noting(await filled(5));
    const ledger = ledgerOn(store);
    for (const text of ['a', 'b', 'c']) await ledger.commitTip(() => [say(text)]);
    expect(reads).toEqual([4]);
    expect(ledger.bytes).toBe(0);
    expect(historyOf(await ledger.tip())).toEqual([]);
    const whole = await ledgerOn(store).state();
    expect(historyOf(whole).slice(4)).toEqual(['old 4', 'a', 'b', 'c']);
    expect(await store.head('conv_1')).toMatchObject(headOf(whole));
  });

  test('of nothing reads nothing', async () => {
    const { store, reads } = noting(await filled(2));
    const state = await ledgerOn(store).commitTip(() => []);
    expect(state).toMatchObject({ version: 2, entries: [] });
    expect(reads).toEqual([]);
  });

  test('is decided about with the head that it goes on from, and gives the one it leads to', async () => {
    const store = await filled(2, [{ type: 'response', id: 'resp_1', store: true }]);
    const ledger = ledgerOn(store);
    const seen: unknown[] = [];
    const state = await ledger.commitTip((tip) => {
      seen.push([tip.version, tip.nextSeq, tip.base?.length, tip.recorded.has('resp_1')]);
      return [say('a')];
    });
    expect(seen).toEqual([[3, 2, 2, true]]);
    expect(headOf(state)).toEqual(headOf(await ledgerOn(store).state()));
  });

  test('keeps in memory what is not in the conversation yet, until it is', async () => {
    const store = await filled(2);
    const ledger = ledgerOn(store, { isMirrored: true });
    await ledger.commitTip(() => [say('a')]);
    expect(historyOf(await ledger.tip())).toEqual(['a']);
    expect(ledger.bytes).toBeGreaterThan(400);
    await ledger.commitTip(() => [{ type: 'mirror', added: [{ seq: 2, id: 'msg_a' }], removed: [] }]);
    expect(ledger.bytes).toBe(0);
    expect((await ledgerOn(store).state()).entries[2]?.mirrorId).toBe('msg_a');
  });

  test('keeps in memory what the conversation will never hold and the ledger does not', async () => {
    const ledger = ledgerOn(await filled(1), { isMirrored: true });
    const bare = { digest: 'd', kind: 'message:user' };
    await ledger.commitTip(() => [{ type: 'items', items: [bare] }]);
    const skipped: LedgerStep = {
      type: 'mirror',
      added: [],
      removed: [],
      skipped: [{ seq: 1, reason: 'no form' }],
    };
    const state = await ledger.commitTip(() => [skipped]);
    expect(state.entries).toMatchObject([{ seq: 1, skipped: 'no form' }]);
    expect((await ledger.tip()).entries).toHaveLength(1);
  });

  test('keeps everything as long as one thing is held by nothing else', async () => {
    const ledger = ledgerOn(await filled(1), { isMirrored: true });
    const bare = { digest: 'd', kind: 'message:user' };
    await ledger.commitTip(() => [say('a', 'msg_a'), { type: 'items', items: [bare] }]);
    await ledger.commitTip(() => [
      { type: 'mirror', added: [], removed: [], skipped: [{ seq: 2, reason: 'no form' }] },
    ]);
    expect((await ledger.tip()).entries).toHaveLength(2);
  });

  test('lets go of what the conversation holds, also where the ledger has no content', async () => {
    const ledger = ledgerOn(await filled(1), { isMirrored: true });
    await ledger.commitTip(() => [
      { type: 'items', items: [{ digest: 'd', kind: 'message:user', mirrorId: 'msg_a' }] },
    ]);
    expect(ledger.bytes).toBe(0);
  });

  test('that takes something away has the whole read next time', async () => {
    const store = await filled(2);
    const ledger = ledgerOn(store);
    const state = await ledger.commitTip(() => [{ type: 'pop' }]);
    expect(state).toMatchObject({ version: 3 });
    expect(historyOf(await ledger.state())).toEqual(['old 0']);
    expect((await store.read('conv_1')).records).toHaveLength(3);
  });

  test('lets go of what the conversation will never hold and the ledger does', async () => {
    const ledger = ledgerOn(await filled(1), { isMirrored: true });
    await ledger.commitTip(() => [say('a')]);
    await ledger.commitTip(() => [
      { type: 'mirror', added: [], removed: [], skipped: [{ seq: 1, reason: 'no form' }] },
    ]);
    expect(ledger.bytes).toBe(0);
  });

  test('reads the whole where the conversation may lack something', async () => {
    const store = await filled(2, [say('pending')]);
    const { store: noted, reads } = noting(store);
    const tip = await ledgerOn(noted, { isMirrored: true }).tip();
    expect(historyOf(tip)).toEqual(['old 0', 'old 1', 'pending']);
    expect(reads).toEqual([0]);
    // Mirrored is what a ledger is unless it is said not to be.
    const { isMirrored: _no, ...rest } = { store, sessionId: 'conv_1', now: () => 0, isMirrored: false };
    expect(historyOf(await new Ledger(rest).tip())).toHaveLength(3);
    expect(historyOf(await ledgerOn(store).tip())).toEqual([]);
  });

  test.each<[string, LedgerStep]>([
    ['somebody is writing to the conversation', { type: 'lease', writer: 'w', until: 9 }],
    ['the session was cleared', { type: 'clear' }],
  ])('reads the whole where %s', async (_what, step) => {
    const { store, reads } = noting(await filled(2, [step]));
    for (const isMirrored of [true, false]) {
      reads.length = 0;
      expect((await ledgerOn(store, { isMirrored }).tip()).base).toBeUndefined();
      expect(reads).toEqual([0]);
    }
  });

  test('of a session that was never written reads nothing but that', async () => {
    const ledger = ledgerOn(memoryLedger());
    expect((await ledger.commitTip(() => [say('a')])).version).toBe(1);
    expect(historyOf(await ledger.state())).toEqual(['a']);
  });
});

describe('the whole after the tip', () => {
  test('is read, and takes the place of the tip', async () => {
    const { store, reads } = noting(await filled(3));
    const ledger = ledgerOn(store);
    await ledger.commitTip(() => [say('a')]);
    expect(historyOf(await ledger.state())).toEqual(['old 0', 'old 1', 'old 2', 'a']);
    expect(reads).toEqual([2, 0]);
    await ledger.commitTip(() => [say('b')]);
    expect(historyOf(await ledger.tip())).toHaveLength(5);
    expect(reads).toEqual([2, 0]);
    expect(ledger.bytes).toBeGreaterThan(5 * 400);
  });

  test('is read where an append has to know it', async () => {
    const ledger = ledgerOn(await filled(3));
    await ledger.tip();
    const state = await ledger.commit(({ entries }) => [say(`behind ${entries.length}`)]);
    expect(historyOf(state).at(-1)).toBe('behind 3');
  });

  test('is read again after it was let go, with what others have written', async () => {
    const store = await filled(1);
    const ledger = ledgerOn(store);
    const before = await ledger.state();
    await ledgerOn(store).commit(() => [say('theirs')]);
    expect(await ledger.state()).toBe(before);
    await ledger.release();
    expect(ledger.bytes).toBe(0);
    expect(historyOf(await ledger.state())).toEqual(['old 0', 'theirs']);
  });

  test('is not asked of the store by a refresh that finds it up to date', async () => {
    const { store, reads } = noting(await filled(4));
    const ledger = ledgerOn(store);
    const state = await ledger.refresh();
    expect(await ledger.refresh()).toBe(state);
    expect(await ledger.refreshTip()).toBe(state);
    expect(reads).toEqual([0, 3, 3]);
  });
});

describe('another writer', () => {
  test('is noticed by a look at the head', async () => {
    const { store, reads } = noting(await filled(2));
    const ledger = ledgerOn(store);
    const before = await ledger.refreshTip();
    expect(await ledger.refreshTip()).toBe(before);
    await ledgerOn(store).commit(() => [say('theirs')]);
    reads.length = 0;
    expect(await ledger.refreshTip()).toMatchObject({ version: 3, nextSeq: 3 });
    expect(reads).toEqual([]);
  });

  test('is noticed in the whole as well', async () => {
    const store = await filled(1);
    const ledger = ledgerOn(store);
    await ledger.state();
    await ledgerOn(store).commit(() => [say('theirs')]);
    expect(historyOf(await ledger.refreshTip())).toEqual(['old 0', 'theirs']);
    await ledger.release();
    await ledger.tip();
    expect(historyOf(await ledger.refresh())).toEqual(['old 0', 'theirs']);
  });

  test('who came first is read before the tip is asked again', async () => {
    const store = await filled(2);
    const conflicts: number[] = [];
    const ledger = ledgerOn(store, { onConflict: (version) => conflicts.push(version) });
    await ledger.commitTip(() => [say('mine')]);
    await ledgerOn(store).commitTip(() => [say('theirs'), { type: 'response', id: 'resp_1', store: true }]);
    const asked: boolean[] = [];
    await ledger.commitTip(({ recorded }) => {
      asked.push(recorded.has('resp_1'));
      return [say('mine too')];
    });
    expect(asked).toEqual([false, true]);
    expect(conflicts).toEqual([5]);
    expect(historyOf(await ledger.state()).slice(2)).toEqual(['mine', 'theirs', 'mine too']);
  });

  test.each<[string, LedgerStep]>([
    ['took away', { type: 'pop' }],
    ['cleared', { type: 'clear' }],
    ['replaced', { type: 'replace', keep: 1, items: [] }],
  ])('who %s what lies before the tip makes it be read anew', async (_what, step) => {
    const store = await filled(2);
    const ledger = ledgerOn(store);
    await ledger.commitTip(() => [say('mine')]);
    await ledgerOn(store).commit(() => [step, say('theirs')]);
    const lengths: number[] = [];
    const state = await ledger.commitTip((tip) => {
      lengths.push(headOf(tip).length);
      return [say('last')];
    });
    const whole = await ledgerOn(store).state();
    expect(lengths).toEqual([3, whole.entries.length - 1]);
    // No conversation, no marks in the stored head of what is still to leave it.
    expect(headOf(whole)).toMatchObject(headOf(state));
    expect(historyOf(whole).slice(-2)).toEqual(['theirs', 'last']);
  });

  test('who deleted the session and began another in its place is not gone on from', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    await ledger.tip();
    await store.delete('conv_1');
    const other = ledgerOn(store);
    for (const text of ['new 0', 'new 1', 'new 2']) await other.commit(() => [say(text)]);
    await ledger.commitTip(() => [say('mine')]);
    const whole = await ledgerOn(store).state();
    expect(historyOf(whole)).toEqual(['new 0', 'new 1', 'new 2', 'mine']);
    expect(await store.head('conv_1')).toMatchObject(headOf(whole));
  });

  test('who deleted the session leaves an append to begin it anew', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    await ledger.tip();
    await store.delete('conv_1');
    expect(await ledger.commitTip(() => [say('mine')])).toMatchObject({ version: 1, nextSeq: 1 });
    expect(historyOf(await ledgerOn(store).state())).toEqual(['mine']);
  });

  test.each([
    ['other words', 'new'],
    ['the same words', 'old'],
  ])('who wrote as much in its place, in %s, is noticed', async (_what, word) => {
    const store = await filled(2);
    const ledger = ledgerOn(store);
    const before = await ledger.refreshTip();
    await store.delete('conv_1');
    const other = ledgerOn(store);
    for (const at of [0, 1]) await other.commit(() => [say(`${word} ${at}`, `msg_${at}`)]);
    const after = await ledger.refreshTip();
    expect(after).not.toBe(before);
    expect(after).toMatchObject({ version: 2, newest: (await other.state()).newest });
  });

  test('who deleted the session leaves nothing to go on from', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    await ledger.refreshTip();
    await store.delete('conv_1');
    expect(await ledger.refreshTip()).toMatchObject({ version: 0, nextSeq: 0 });
  });
});

describe('an append to the tip whose answer got lost', () => {
  test('is found, and stays once', async () => {
    const memory = await filled(2);
    const append: LedgerStore['append'] = async (...all) => {
      await memory.append(...all);
      throw new Error('connection reset');
    };
    const ledger = ledgerOn({ ...memory, append });
    await ledger.commitTip(() => [say('a')]);
    await ledger.commitTip(() => [say('b')]);
    expect(historyOf(await ledgerOn(memory).state()).slice(2)).toEqual(['a', 'b']);
  });

  test('and that cannot be looked for fails, and leaves nothing in memory to go wrong', async () => {
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
    await ledger.commitTip(() => [say('a')]);
    down = true;
    await expect(ledger.commitTip(() => [say('b')])).rejects.toThrow(RangeError);
    expect(ledger.bytes).toBe(0);
    down = false;
    expect(historyOf(await ledger.state()).slice(2)).toEqual(['a', 'b']);
  });

  test('and that a conflict stood for fails with it where the store cannot be read', async () => {
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
    await expect(ledger.commit(() => [say('a')])).rejects.toBe(conflict);
  });

  test('fails with its own error when another writer came and went', async () => {
    const memory = await filled(2);
    const ledger = ledgerOn({
      ...memory,
      append: async () => {
        await ledgerOn(memory).commit(() => [say('theirs')]);
        throw new RangeError('no answer');
      },
    });
    await expect(ledger.commitTip(() => [say('mine')])).rejects.toThrow(RangeError);
    expect(historyOf(await ledger.state()).slice(2)).toEqual(['theirs']);
  });
});

const asked = async (): Promise<never> => Promise.reject(new Error('asked'));

describe('a session that goes on elsewhere', () => {
  const moved: LedgerStep = { type: 'moved', to: 'conv_2' };

  test('takes nothing in any more, and says where it is', async () => {
    const store = await filled(1, [moved]);
    const before = await store.head('conv_1');
    for (const use of [
      (ledger: Ledger) => ledger.commit(() => [say('late')]),
      (ledger: Ledger) => ledger.commitTip(() => [say('late')]),
      (ledger: Ledger) => ledger.refresh(),
      (ledger: Ledger) => ledger.refreshTip(),
    ]) {
      const failure = use(ledgerOn(store));
      await expect(failure).rejects.toBeInstanceOf(SessionMoved);
      await expect(failure).rejects.toMatchObject({
        name: 'SessionMoved',
        to: 'conv_2',
        message: "Cannot go on with session 'conv_1': its history was moved to 'conv_2'",
      });
    }
    expect(await store.head('conv_1')).toEqual(before);
  });

  test('can still be read', async () => {
    const ledger = ledgerOn(await filled(2, [moved]));
    expect(historyOf(await ledger.state())).toEqual(['old 0', 'old 1']);
    expect((await ledger.tip()).move).toEqual({ to: 'conv_2', done: true });
  });

  test('is not left before it has arrived', async () => {
    const store = await filled(1, [{ type: 'heal', to: 'conv_2' }]);
    await ledgerOn(store).commitTip(() => [say('a')]);
    expect(historyOf(await ledgerOn(store).refresh())).toEqual(['old 0', 'a']);
  });

  test('is not read back where the store keeps no beginning', async () => {
    const memory = await filled(1, [moved]);
    const base = await memory.head('conv_1');
    if (base === undefined) throw new Error('no head');
    const store: LedgerStore = { ...memory, read: async () => ({ base, records: [] }) };
    expect((await ledgerOn(store, { readBase: asked }).state()).move).toMatchObject({ to: 'conv_2' });
  });
});

describe('the state as it was', () => {
  test('has what was there at that version, and later ones do not change it', async () => {
    const store = await filled(3);
    const ledger = ledgerOn(store);
    const then = await ledger.at(2);
    await ledger.commit(() => [{ type: 'pop' }, say('other')]);
    expect(historyOf(then)).toEqual(['old 0', 'old 1']);
    expect(historyOf(await ledger.at(3))).toEqual(['old 0', 'old 1', 'old 2']);
    expect((await ledger.at(0)).entries).toEqual([]);
    expect(historyOf(await ledger.state())).toEqual(['old 0', 'old 1', 'other']);
  });

  test('begins at the head where the store keeps nothing before it', async () => {
    const memory = await filled(4);
    const base = await memory.head('conv_1');
    if (base === undefined) throw new Error('no head');
    const store: LedgerStore = {
      ...memory,
      read: async (sessionId) => ({ base, records: (await memory.read(sessionId, 4)).records }),
    };
    await ledgerOn(memory).commit(() => [say('a')]);
    await ledgerOn(memory).commit(() => [say('b')]);
    const then = await ledgerOn(store).at(5);
    expect(historyOf(then)).toEqual(['a']);
    expect(headOf(then)).toMatchObject({ version: 5, length: 5 });
    expect((await ledgerOn(store).at(2)).version).toBe(4);
  });
});
