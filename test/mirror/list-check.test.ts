import { describe, expect, it } from 'vitest';
import type { ListedItem } from '../../src/conversation/items.ts';
import { MAX_DELAY_MS } from '../../src/history/duplicate-writes.ts';
import type { HistoryReader } from '../../src/history/reader.ts';
import { memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { ListCheck, ListCheckSchedule } from '../../src/mirror/list-check.ts';
import { SharedSyncState } from '../../src/mirror/shared-sync-state.ts';
import { clock } from '../../src/util/clock.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { user } from '../support/conversation.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** A message as `text@id`; without an ID it is pending. */
const listed = (told: readonly string[]): ListedItem[] =>
  told.map((one) => {
    const [text = '', id = ''] = one.split('@');
    return { id, item: user(text) };
  });

/** Items that were written by the session, or are pending. */
function written(...told: string[]): LedgerStep[] {
  const items = listed(told);
  return [
    { type: 'items', items: items.map(({ item }) => ledgerItem(item, true)) },
    {
      type: 'mirror',
      added: items.flatMap(({ id }, seq) => (id === '' ? [] : [{ seq, id }])),
      removed: [],
    },
  ];
}

interface World {
  readonly ledger: Ledger;
  readonly check: ListCheck;
  readonly sync: SharedSyncState;
  readonly mislinked: string[];
  readonly adopted: number[];
  /** The number of reads of the list. */
  readonly reads: () => number;
}

/** @param lists the list at each read; the last one stays. */
async function world(
  steps: readonly LedgerStep[],
  lists: readonly (readonly string[])[],
  { store = memoryLedger(), keepContent = true, during = () => Promise.resolve() } = {},
): Promise<World> {
  const ledger = new Ledger({ store, sessionId: 'conv_1' });
  await ledger.append(() => [...steps]);
  const sync = new SharedSyncState();
  const mislinked: string[] = [];
  const adopted: number[] = [];
  let reads = 0;
  const reader: Pick<HistoryReader, 'list'> = {
    list: async () => {
      const told = lists[Math.min(reads, lists.length - 1)] ?? [];
      reads += 1;
      await during();
      return listed(told);
    },
  };
  const check = new ListCheck({
    ledger,
    reader: reader as HistoryReader,
    keepContent,
    sync,
    warn: ({ ids, count }) => {
      if (ids !== undefined) mislinked.push(...ids);
      if (count !== undefined) adopted.push(count);
    },
  });
  return { ledger, check, sync, mislinked, adopted, reads: () => reads };
}

const idsOf = async ({ ledger }: World): Promise<(string | undefined)[]> =>
  (await ledger.read()).entries.map(({ mirrorId }) => mirrorId);

describe('the list compared with the ledger', () => {
  it('a list that is as recorded changes nothing, and the time of the comparison is known', async () => {
    const of = await world(written('one@1', 'two@2'), [['one@1', 'two@2']]);
    const { version } = await of.ledger.read();
    expect(await of.check.read()).toMatchObject({ findings: [], adopted: 0, isStale: false });
    expect((await of.ledger.read()).version).toBe(version);
    expect(of).toMatchObject({ adopted: [], mislinked: [] });
    expect(of.sync.listComparedAt).toBe(clock.now());
  });

  it('items of another writer are adopted in their place, with or without content', async () => {
    for (const keepContent of [true, false]) {
      const of = await world(written('one@1', 'two@2'), [['one@1', 'new@9', 'two@2']], { keepContent });
      expect(await of.check.read()).toMatchObject({ findings: [{ type: 'foreign', index: 1 }], adopted: 1 });
      expect(await idsOf(of)).toEqual(['1', '9', '2']);
      expect(of.adopted).toEqual([1]);
      expect((await of.ledger.read()).entries[1]?.item === undefined).toBe(!keepContent);
    }
  });

  it('an applied write without an answer is linked', async () => {
    const of = await world(written('one@1', 'two'), [['one@1', 'two@2']]);
    of.sync.unacknowledged.add(1);
    await of.check.read();
    expect(await idsOf(of)).toEqual(['1', '2']);
    expect((await of.ledger.read()).unmirrored.size).toBe(0);
  });

  it('a list that lacks only the newest items is read once more', async () => {
    const steps = written('one@1', 'two@2', 'three@3');
    const lagging = await world(steps, [['one@1'], ['one@1', 'two@2', 'three@3']]);
    expect((await lagging.check.read()).findings).toEqual([]);
    expect(lagging.reads()).toBe(2);
    const lost = await world(steps, [['one@1', 'two@2']]);
    expect((await lost.check.read()).findings).toMatchObject([{ type: 'lost', id: '3' }]);
    expect(lost.reads()).toBe(2);
    const inside = await world(steps, [['one@1', 'three@3']]);
    expect((await inside.check.read()).findings).toMatchObject([{ type: 'lost', id: '2' }]);
    expect(inside.reads()).toBe(1);
    const both = await world(steps, [['two@2']]);
    expect((await both.check.read()).findings).toHaveLength(2);
    expect(both.reads()).toBe(1);
    const foreign = await world(steps, [['one@1', 'two@2', 'three@3', 'new@9']]);
    await foreign.check.read();
    expect(foreign.reads()).toBe(1);
  });

  it('a pending item behind the lost ones does not hide that the list lags', async () => {
    const of = await world(written('one@1', 'two@2', 'three'), [['one@1']]);
    await of.check.read();
    expect(of.reads()).toBe(2);
  });

  it('an item that was written during the read is not lost', async () => {
    const store = memoryLedger();
    const other = new Ledger({ store, sessionId: 'conv_1' });
    let isDue = true;
    const during = async (): Promise<void> => {
      if (!isDue) return;
      isDue = false;
      await other.append(() => [
        { type: 'items', items: [ledgerItem(user('three'), true)] },
        {
          type: 'mirror',
          added: [
            { seq: 1, id: '2' },
            { seq: 2, id: '3' },
          ],
          removed: [],
        },
      ]);
    };
    const of = await world(written('one@1', 'two'), [['one@1']], { store, during });
    expect((await of.check.read()).findings).toEqual([]);
  });

  it('a ledger that another session deleted during the read adopts nothing of the old list', async () => {
    const store = memoryLedger();
    let isDue = true;
    const during = async (): Promise<void> => {
      if (!isDue) return;
      isDue = false;
      await store.delete('conv_1');
    };
    const of = await world(written('one@1'), [['old@1'], []], { store, during });
    expect(await of.check.read()).toMatchObject({ findings: [], adopted: 0, list: [] });
    expect(of.reads()).toBe(2);
    expect(of.adopted).toEqual([]);
  });

  it('a preview shows the state after the comparison, and writes nothing', async () => {
    const of = await world(written('one@1'), [['one@1', 'new@9']]);
    const { version } = await of.ledger.read();
    const { state, adopted } = await of.check.preview();
    expect(state.entries.map(({ mirrorId }) => mirrorId)).toEqual(['1', '9']);
    expect(adopted).toBe(1);
    expect((await of.ledger.read()).version).toBe(version);
    expect(await idsOf(of)).toEqual(['1']);
    expect(of.adopted).toEqual([]);
  });

  it('a list can be applied that was read before any write', async () => {
    const of = await world(written('one@1', 'two@2'), [[]]);
    const { findings } = await of.check.applyList(listed(['one@1']), undefined);
    expect(findings).toMatchObject([{ type: 'lost', id: '2' }]);
  });

  it('a preview and the ledger before a list see what another process has appended', async () => {
    const store = memoryLedger();
    const of = await world(written('one@1'), [[]], { store });
    const other = new Ledger({ store: elsewhere(store), sessionId: 'conv_1' });
    await other.append(() => [{ type: 'items', items: [ledgerItem(user('two'), true)] }]);
    const { state } = await of.check.previewList(listed(['one@1']), undefined);
    expect(state.entries).toHaveLength(2);
    await other.append(() => [{ type: 'items', items: [ledgerItem(user('three'), true)] }]);
    expect((await of.check.ledgerBeforeList()).nextSeq).toBe(3);
  });

  it('the ledger before a list has its pending entries', async () => {
    const of = await world(written('one@1', 'two', 'three'), [[]]);
    const { version } = await of.ledger.read();
    expect(await of.check.ledgerBeforeList()).toEqual({ version, nextSeq: 3, unwritten: new Set([1, 2]) });
  });
});

const linked = (text: string): LedgerStep => ({
  type: 'items',
  items: [{ ...ledgerItem(user(text), true), link: 'msg_1' }],
});

describe('the writes that may have been applied', () => {
  it('another item under the ID of a sent one is to be removed, and the entry written anew', async () => {
    const of = await world([linked('one')], [['other@msg_1']]);
    of.sync.unacknowledged.add(0);
    await of.check.read();
    expect(of.mislinked).toEqual(['msg_1']);
    const { entries, removed } = await of.ledger.read();
    expect(entries.map(({ mirrorId, unlinked, link }) => [mirrorId, unlinked, link])).toEqual([
      [undefined, true, undefined],
    ]);
    expect([...removed]).toEqual([['msg_1', true]]);
  });

  it("an item under an ID that was never sent is another writer's", async () => {
    const of = await world([linked('one')], [['other@msg_1']]);
    await of.check.read();
    expect(of.mislinked).toEqual([]);
    expect(of.adopted).toEqual([1]);
  });

  it('an entry may have been sent where a process elsewhere holds the lease, or the store lost records', async () => {
    const store = memoryLedger();
    const theirs = new Ledger({ store: elsewhere(store), sessionId: 'conv_1' });
    const of = await world([linked('one')], [['other@msg_1']], { store });
    await theirs.append(() => [{ type: 'lease', writer: 'theirs', until: clock.now() + 1000 }]);
    await of.check.read();
    expect(of.mislinked).toEqual(['msg_1']);
    const rewound = await world([linked('one')], [['other@msg_1']]);
    rewound.sync.rewinds = 1;
    await rewound.check.read();
    expect(rewound.mislinked).toEqual(['msg_1']);
    const checked = await world([linked('one')], [['other@msg_1']]);
    Object.assign(checked.sync, { rewinds: 1, rewindsChecked: 1 });
    await checked.check.read();
    expect(checked.mislinked).toEqual([]);
  });

  it('a write that can no longer take effect is resolved with the next comparison', async () => {
    const unsure: LedgerStep = { type: 'mirror', added: [], removed: [], again: [0] };
    const of = await world([...written('one'), unsure], [[]]);
    passTime(MAX_DELAY_MS);
    await of.check.read();
    expect((await of.ledger.read()).possibleDuplicates.size).toBe(1);
    passTime(1);
    await of.check.read();
    expect((await of.ledger.read()).possibleDuplicates.size).toBe(0);
  });
});

describe('the schedule of comparisons', () => {
  it('an empty ledger is unknown where the conversation existed, until the list was compared', () => {
    const schedule = new ListCheckSchedule(true, () => 0);
    expect(schedule.isUnknown(0)).toBe(true);
    schedule.markChecked();
    expect(schedule.isUnknown(0)).toBe(false);
    expect(schedule.isUnknown(3)).toBe(false);
  });

  it('an empty ledger of a new conversation is known, until it was deleted', () => {
    const schedule = new ListCheckSchedule(false, () => 0);
    expect(schedule.isUnknown(0)).toBe(false);
    schedule.markChecked();
    expect(schedule.isUnknown(2)).toBe(false);
    expect(schedule.isUnknown(0)).toBe(true);
    schedule.markChecked();
    expect(schedule.isUnknown(0)).toBe(false);
  });

  it('a store that lost records is rewound until the next comparison', () => {
    let rewinds = 1;
    const schedule = new ListCheckSchedule(true, () => rewinds);
    expect(schedule.isRewound).toBe(false);
    rewinds = 2;
    expect(schedule.isRewound).toBe(true);
    schedule.markChecked();
    expect(schedule.isRewound).toBe(false);
  });
});
