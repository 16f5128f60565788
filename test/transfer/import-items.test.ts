import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encryptedLedger,
  HybridSession,
  importItems,
  memoryLedger,
  toJsonLines,
  type LedgerStore,
} from '../../src/index.ts';
import { inspectLedger } from '../../src/doctor.ts';
import { LedgerConflictError } from '../../src/errors/ledger.ts';
import { anyHistory } from '../support/items.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const user = (content: string): AgentInputItem => ({ role: 'user', content });
const many = (count: number): AgentInputItem[] =>
  Array.from({ length: count }, (_, at) => user(`item ${at}`));

/** What an export of the ledger would hold. */
async function exported(ledger: LedgerStore, sessionId: string): Promise<string> {
  const inspection = await inspectLedger(ledger, sessionId, { content: true });
  const items = inspection?.turns.flatMap((turn) => turn.items.map(({ item }) => item)) ?? [];
  return [...toJsonLines(items.flatMap((item) => item ?? []))].join('');
}

describe('importItems', () => {
  it('writes any history so that it is exported with the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(anyHistory, async (items) => {
        const text = [...toJsonLines(items)].join('');
        for (const ledger of [
          memoryLedger(),
          encryptedLedger(memoryLedger(), { keys: [{ id: 'k', secret: new Uint8Array(32) }] }),
        ]) {
          const imported = await importItems({ ledger, sessionId: 's', items });
          expect(imported).toMatchObject({ imported: items.length, already: false, length: items.length });
          expect(await exported(ledger, 's')).toBe(text);
        }
      }),
      { seed: 20261129, numRuns: 60 },
    );
  });

  it('an imported history is served by a session at once', async () => {
    const ledger = memoryLedger();
    await importItems({ ledger, sessionId: 'user-42', items: many(3) });
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
    expect(await session.getItems()).toEqual(many(3));
    await session.addItems([user('more')]);
    expect(await session.getItems()).toHaveLength(4);
  });

  it('an import is one append, for any number of items', async () => {
    const store = memoryLedger();
    let appends = 0;
    const counting: LedgerStore = {
      ...store,
      append: (...args) => {
        appends += 1;
        return store.append(...args);
      },
    };
    await importItems({ ledger: counting, sessionId: 's', items: many(5000) });
    expect(appends).toBe(1);
    expect(await inspectLedger(store, 's')).toMatchObject({ length: 5000, records: 50, consistent: true });
  });

  it('importItems imports the same items once, however often it is asked', async () => {
    const ledger = memoryLedger();
    const first = await importItems({ ledger, sessionId: 's', items: many(3) });
    const again = await importItems({ ledger, sessionId: 's', items: many(3) });
    const appended = await importItems({ ledger, sessionId: 's', items: many(3), append: true });
    const nothing = { ...first, imported: 0, already: true };
    expect([again, appended]).toEqual([nothing, nothing]);
    await importItems({ ledger, sessionId: 's', items: many(2), append: true });
    expect((await inspectLedger(ledger, 's'))?.length).toBe(5);
  });

  it('importItems refuses a session that has items, unless it is to append', async () => {
    const ledger = memoryLedger();
    await importItems({ ledger, sessionId: 's', items: many(3) });
    await expect(importItems({ ledger, sessionId: 's', items: [user('other')] })).rejects.toMatchObject({
      code: 'import_refused',
      reason: 'not_empty',
      sessionId: 's',
    });
    expect((await inspectLedger(ledger, 's'))?.length).toBe(3);
  });

  it('importItems refuses a session that got items in the very moment', async () => {
    const store = memoryLedger();
    let raced = false;
    const racing: LedgerStore = {
      ...store,
      async append(sessionId, records, checkpoint, expected) {
        if (!raced) {
          raced = true;
          await importItems({ ledger: store, sessionId, items: [user('quicker')] });
          throw new LedgerConflictError(sessionId, expected);
        }
        return store.append(sessionId, records, checkpoint, expected);
      },
    };
    await expect(importItems({ ledger: racing, sessionId: 's', items: many(3) })).rejects.toThrow(
      'it has 1 item(s)',
    );
    expect((await inspectLedger(store, 's'))?.length).toBe(1);
  });

  it('importItems adds to a session by the ID of a conversation that it had', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    await session.addItems([user('a')]);
    const before = await session.getSessionId();
    const { conversationId } = await session.heal();
    const imported = await importItems({ ledger, sessionId: before, items: many(2), append: true });
    expect(imported).toMatchObject({ sessionId: before, imported: 2, length: 3 });
    const again = await importItems({ ledger, sessionId: conversationId, items: [user('b')], append: true });
    expect(again).toMatchObject({ sessionId: before, imported: 1, length: 4 });
    expect(await new HybridSession({ client, ledger, conversationId }).getItems()).toHaveLength(4);
  });

  it('importItems stores nothing when one value is not an item', async () => {
    const ledger = memoryLedger();
    const items = [user('a'), { role: 'nobody' } as unknown as AgentInputItem];
    await expect(importItems({ ledger, sessionId: 's', items })).rejects.toMatchObject({
      code: 'invalid_item',
    });
    expect(await inspectLedger(ledger, 's')).toBeUndefined();
  });
});
