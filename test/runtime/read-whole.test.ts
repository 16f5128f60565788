import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import type { LedgerEntry, LedgerState } from '../../src/ledger/state.ts';
import { readWhole, readWholeHistory, type WholeRead } from '../../src/runtime/read-whole.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { assistant, texts, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

type Content = ReadonlyMap<number, AgentInputItem>;

const ITEMS = [user('one'), assistant('1'), user('two')];
const THOUGHT: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };

/** How a test reads. */
interface Given {
  readonly items?: readonly AgentInputItem[];
  /** Whether another process has appended the items and writes them now. */
  readonly isForeign?: boolean;
  /** The content that each restore finds, by sequence number; the last one goes on. */
  readonly found: readonly Content[];
  /** Whether the first restore gives an entry that is no longer in the history. */
  readonly isOutdated?: boolean;
  /** What happens while the content is read for the first time. */
  readonly meanwhile?: (append: (...steps: LedgerStep[]) => Promise<unknown>) => Promise<unknown>;
}

const all = (items: readonly AgentInputItem[], ...without: readonly number[]): Content =>
  new Map([...items.entries()].filter(([seq]) => !without.includes(seq)));

/** A ledger that keeps no content, and a reader that finds what the test says. */
async function reading({ items = ITEMS, isForeign, isOutdated, found, meanwhile }: Given) {
  const store = memoryLedger();
  const own = new Ledger({ store, sessionId: 'session' });
  const other = new Ledger({ store: elsewhere(store), sessionId: 'session' });
  const append = async (...steps: LedgerStep[]): Promise<unknown> => {
    await other.read({ fresh: true });
    return other.append(() => steps);
  };
  const stored = items.map((item) => ledgerItem(item, false));
  await (isForeign === true ? other : own).append(() => [{ type: 'items', items: stored }]);
  /** The lists that content was looked for in, and how much of the time had passed. */
  const restores: { list: boolean; after: number; mayLack: boolean }[] = [];
  let idles = 0;
  const began = Date.now();
  const reader = {
    restore: async (
      _state: LedgerState,
      entries: readonly LedgerEntry[],
      list: unknown,
      onLack: (() => undefined) | undefined,
    ) => {
      const content = found[Math.min(restores.length, found.length - 1)] ?? new Map();
      restores.push({
        list: list !== undefined,
        after: Date.now() - began,
        mayLack: onLack !== undefined && onLack() === undefined,
      });
      const chosen = [...entries];
      if (restores.length === 1) await meanwhile?.(append);
      return chosen.map((entry) => {
        const item = content.get(entry.seq);
        const seq = isOutdated === true && restores.length === 1 ? entry.seq + 1 : entry.seq;
        return { entry: { ...entry, seq }, item, source: item && 'list' };
      });
    },
  };
  const idle = async (): Promise<void> => void (idles += 1);
  const reads: unknown[] = [];
  const states = {
    read: (how?: { fresh?: boolean }) => {
      reads.push(how?.fresh === true ? 'fresh' : 'known');
      return own.read(how);
    },
  };
  const read = (list?: boolean, mayLack?: boolean): Promise<WholeRead> =>
    readWhole(
      { ledger: own, reader: reader as never, idle, ...(mayLack === undefined ? {} : { mayLack }) },
      ({ entries }) => entries,
      list === true ? [] : undefined,
      states,
    );
  const readHistory = () => readWholeHistory({ ledger: own, reader, sessionId: 'session' } as never);
  return { own, append, restores, reads, read, readHistory, idles: () => idles };
}

const said = ({ restored }: Pick<WholeRead, 'restored'>): string[] => texts(restored.map(({ item }) => item));
const lists = (restores: readonly { list: boolean }[]): boolean[] => restores.map(({ list }) => list);

describe('content that is read back', () => {
  it.each([true, false])('whole content is read once (list: %s)', async (list) => {
    const { read, restores, reads, idles } = await reading({ found: [all(ITEMS)] });
    expect(said(await read(list))).toEqual(['one', '1', 'two']);
    expect(restores).toEqual([{ list, after: 0, mayLack: false }]);
    expect(reads).toEqual(['known']);
    expect(idles()).toBe(0);
  });

  it.each([[[1]], [[0, 1, 2]]])(
    'a list without the items %j is older than the ledger, and is read again',
    async (without) => {
      const { read, restores, reads, idles } = await reading({ found: [all(ITEMS, ...without), all(ITEMS)] });
      expect(said(await read(true))).toEqual(['one', '1', 'two']);
      expect(lists(restores)).toEqual([true, false]);
      expect(reads).toEqual(['known', 'fresh']);
      expect(idles()).toBe(1);
    },
  );

  it('content that no source has is looked for once, without a wait', async () => {
    const { read, restores, reads } = await reading({ found: [all(ITEMS, 1)] });
    const { restored } = await read();
    expect(restored.map(({ item }) => item === undefined)).toEqual([false, true, false]);
    expect(restores).toHaveLength(1);
    expect(reads).toEqual(['known', 'fresh']);
  });

  it('a missing item that another session has removed is not missing', async () => {
    const { read, restores, reads } = await reading({
      found: [all(ITEMS, 2), all(ITEMS)],
      meanwhile: (append) => append({ type: 'pop' }),
    });
    expect(said(await read())).toEqual(['one', '1']);
    expect(restores).toHaveLength(2);
    expect(reads).toEqual(['known', 'fresh', 'fresh']);
  });

  it('reasoning that no source has needs no other look', async () => {
    const items = [user('one'), THOUGHT, assistant('1')];
    const { read, reads } = await reading({ items, found: [all(items, 1)] });
    expect((await read()).restored.map(({ item }) => item?.type)).toEqual(['message', undefined, 'message']);
    expect(reads).toEqual(['known']);
  });

  it('whole content of a history that grows meanwhile is that of its beginning', async () => {
    const { read, reads } = await reading({
      found: [all(ITEMS)],
      meanwhile: (append) => append({ type: 'items', items: [ledgerItem(user('three'), false)] }),
    });
    expect(said(await read())).toEqual(['one', '1', 'two']);
    expect(reads).toEqual(['known']);
  });

  it('a reader is told whether content may be missing', async () => {
    for (const mayLack of [true, false]) {
      const { read, restores } = await reading({ found: [all(ITEMS)] });
      await read(false, mayLack);
      expect(restores).toMatchObject([{ mayLack }]);
    }
  });
});

describe('content that another session is writing', () => {
  it('the content is waited for with growing pauses', async () => {
    const { read, restores, idles } = await reading({
      isForeign: true,
      found: [all(ITEMS, 0, 1, 2), all(ITEMS, 2), all(ITEMS, 2), all(ITEMS)],
    });
    expect(said(await read())).toEqual(['one', '1', 'two']);
    expect(restores.map(({ after }) => after)).toEqual([0, 50, 150, 350]);
    expect(idles()).toBe(0);
  });

  it('the wait ends after six pauses', async () => {
    const { read, restores } = await reading({ isForeign: true, found: [all(ITEMS, 2)] });
    expect((await read()).restored.at(-1)?.item).toBeUndefined();
    expect(restores.map(({ after }) => after)).toEqual([0, 50, 150, 350, 750, 1550, 3150]);
  });

  it('an item that is in the conversation is not waited for', async () => {
    const { read, restores, append } = await reading({ isForeign: true, found: [all(ITEMS, 2)] });
    await append({ type: 'mirror', added: [{ seq: 2, id: 'msg_2' }], removed: [] });
    await read();
    expect(restores).toHaveLength(1);
  });

  it('a list without the content is read again after the pause', async () => {
    const { read, restores, idles } = await reading({
      isForeign: true,
      found: [all(ITEMS, 2), all(ITEMS)],
    });
    expect(said(await read(true))).toEqual(['one', '1', 'two']);
    expect(restores).toEqual([
      { list: true, after: 0, mayLack: false },
      { list: false, after: 50, mayLack: false },
    ]);
    expect(idles()).toBe(1);
  });
});

describe('a copy of the whole history', () => {
  it('the copy has what other processes have appended, and does not change with the ledger', async () => {
    const items = [...ITEMS, user('three')];
    const { readHistory, own, append } = await reading({ items: ITEMS, found: [all(items)] });
    await own.read();
    await append({ type: 'items', items: [ledgerItem(user('three'), false)] });
    const { state, restored } = await readHistory();
    expect(said({ restored })).toEqual(['one', '1', 'two', 'three']);
    expect(state.entries.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    await own.append(() => [
      { type: 'mirror', added: [{ seq: 0, id: 'msg_1' }], removed: [] },
      { type: 'pop' },
    ]);
    expect(state.entries).toHaveLength(4);
    expect(state.entries[0]?.mirrorId).toBeUndefined();
    expect(restored[0]?.entry).toBe(state.entries[0]);
  });

  it('missing content is an error that names the session and the items', async () => {
    const { readHistory } = await reading({ found: [all(ITEMS, 1)] });
    await expect(readHistory()).rejects.toMatchObject({
      code: 'history_incomplete',
      sessionId: 'session',
      missing: [{ index: 1, kind: 'message:assistant' }],
    });
  });

  it('a copy may lack reasoning', async () => {
    const items = [user('one'), THOUGHT, assistant('1')];
    const { readHistory } = await reading({ items, found: [all(items, 1)] });
    expect((await readHistory()).restored.map(({ item }) => item?.type)).toEqual([
      'message',
      undefined,
      'message',
    ]);
  });

  it('a history that changes before it is copied is read again', async () => {
    const { readHistory, restores } = await reading({ found: [all(ITEMS)], isOutdated: true });
    const { state, restored } = await readHistory();
    expect(restored.map(({ entry }) => entry.seq)).toEqual([0, 1, 2]);
    expect(state.entries).toHaveLength(3);
    expect(restores).toHaveLength(2);
  });

  it('a history that grows while it is read is copied as it is then', async () => {
    const { readHistory, restores, own } = await reading({
      found: [all([...ITEMS, user('three')])],
      meanwhile: async (append) => {
        await append({ type: 'items', items: [ledgerItem(user('three'), false)] });
        await own.read({ fresh: true });
      },
    });
    const { state, restored } = await readHistory();
    expect([state.entries.length, restored.length, restores.length]).toEqual([4, 4, 2]);
  });
});
