import { describe, expect, it } from 'vitest';
import { type HybridSession, type HybridSessionOptions, memoryLedger } from '../../src/index.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { assistant, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import {
  compactedByServer,
  compactionWorld,
  gpt41,
  LONG,
  type CompactionWorld,
} from './support/compaction-world.ts';
import { converse } from './support/story.ts';

useVirtualTime();

/** A store that counts the items and other records that are read from it. */
function countingStore(): { readonly ledger: LedgerStore; readonly count: { read: number } } {
  const store = memoryLedger();
  const count = { read: 0 };
  const ledger: LedgerStore = {
    ...store,
    async read(...range) {
      const page = await store.read(...range);
      for (const record of page.records) count.read += record.type === 'items' ? record.items.length : 1;
      return page;
    },
  };
  return { ledger, count };
}

interface LongSession {
  readonly options?: HybridSessionOptions;
  /** Begins the view behind 600 items. */
  readonly shorten: (session: HybridSession, world: CompactionWorld) => Promise<unknown>;
}

const ways: Record<string, LongSession> = {
  'responses.compact': {
    shorten: (session) => session.runCompaction({ force: true }),
  },
  'responses.compact with a question without its answer': {
    async shorten(session) {
      await session.addItems([user('Is anybody there?')]);
      await session.runCompaction({ force: true });
    },
  },
  'the server within an answer': {
    shorten: (session, { chained }) => converse(chained, session, [LONG], compactedByServer),
  },
  'a window': {
    options: { history: { window: { turns: 3, slack: 3 } } },
    shorten: (session, { chained }) => converse(chained, session, ['a', 'b', 'c', 'd'], gpt41),
  },
};

describe('a process that opens a long session', () => {
  it.each(
    Object.keys(ways).flatMap((way) =>
      (['await', 'background', 'off'] as const).map((mirror) => [way, mirror] as const),
    ),
  )(
    'a process that opens a session shortened by %s reads the view alone (mirror %s)',
    async (way, mirror) => {
      const { options = {}, shorten } = ways[way] ?? {};
      if (shorten === undefined) throw new Error(`There is no ${way}`);
      const { ledger, count } = countingStore();
      const world = compactionWorld({ ledger, mirror, ...options });
      const { open, chained } = world;
      const session = open();
      for (let part = 0; part < 30; part += 1)
        await session.addItems(
          Array.from({ length: 20 }, (_, index) =>
            index % 2 === 0 ? user(`u ${part} ${index}`) : assistant(`a ${part} ${index}`),
          ),
        );
      for (const text of ['1', '2', '3']) await converse(chained, session, [text], gpt41);
      await shorten(session, world);
      await session.flush();
      await converse(chained, session, ['last'], gpt41);
      await session.flush();
      const shown = await session.getItems();
      count.read = 0;
      const other = open();
      expect(await other.getItems()).toEqual(shown);
      await converse(chained, open(), ['and one more'], gpt41);
      await converse(chained, other, ['and two more'], gpt41);
      expect(count.read).toBeLessThan(250);
      const whole = await open().transcript({ limit: 1000 });
      expect(await open().verify()).toMatchObject({ verified: true, length: whole.length, findings: [] });
      const { length } = await open().getItems();
      await other.popItem();
      expect(await open().getItems()).toHaveLength(length - 1);
      expect((await open().transcript({ limit: 1000 })).length).toBe(whole.length - 1);
    },
  );
});
