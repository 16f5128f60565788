import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  conversationLedger,
  encryptedLedger,
  HybridSession,
  importItems,
  inspectLedger,
  memoryLedger,
  toJsonLines,
  type LedgerStore,
} from '../../src/index.ts';
import { LedgerConflictError } from '../../src/errors/ledger-conflict-error.ts';
import { anyHistory } from '../support/items.ts';
import { simulated } from '../support/simulated.ts';

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
      { numRuns: 60 },
    );
  });

  it('is served by a session at once', async () => {
    const ledger = memoryLedger();
    await importItems({ ledger, sessionId: 'user-42', items: many(3) });
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
    expect(await session.getItems()).toEqual(many(3));
    await session.addItems([user('more')]);
    expect(await session.getItems()).toHaveLength(4);
  });

  it('is one append, whatever the number of items', async () => {
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

  it('imports the same items once, however often it is asked', async () => {
    const ledger = memoryLedger();
    const first = await importItems({ ledger, sessionId: 's', items: many(3) });
    const again = await importItems({ ledger, sessionId: 's', items: many(3) });
    const appended = await importItems({ ledger, sessionId: 's', items: many(3), append: true });
    const nothing = { ...first, imported: 0, already: true };
    expect([again, appended]).toEqual([nothing, nothing]);
    await importItems({ ledger, sessionId: 's', items: many(2), append: true });
    expect((await inspectLedger(ledger, 's'))?.length).toBe(5);
  });

  it('refuses a session that has items, unless it is to append', async () => {
    const ledger = memoryLedger();
    await importItems({ ledger, sessionId: 's', items: many(3) });
    await expect(importItems({ ledger, sessionId: 's', items: [user('other')] })).rejects.toMatchObject({
      code: 'import_refused',
      reason: 'not-empty',
      sessionId: 's',
    });
    expect((await inspectLedger(ledger, 's'))?.length).toBe(3);
  });

  it('refuses a session that got items in the very moment', async () => {
    const store = memoryLedger();
    let raced = false;
    const racing: LedgerStore = {
      ...store,
      async append(sessionId, records, head, expected) {
        if (!raced) {
          raced = true;
          await importItems({ ledger: store, sessionId, items: [user('quicker')] });
          throw new LedgerConflictError(sessionId, expected);
        }
        return store.append(sessionId, records, head, expected);
      },
    };
    await expect(importItems({ ledger: racing, sessionId: 's', items: many(3) })).rejects.toThrow(
      'it has 1 item(s)',
    );
    expect((await inspectLedger(store, 's'))?.length).toBe(1);
  });

  it('stores nothing when one value is not an item', async () => {
    const ledger = memoryLedger();
    const items = [user('a'), { role: 'nobody' } as unknown as AgentInputItem];
    await expect(importItems({ ledger, sessionId: 's', items })).rejects.toMatchObject({
      code: 'invalid_item',
    });
    expect(await inspectLedger(ledger, 's')).toBeUndefined();
  });

  it('refuses a store that keeps no content, and leaves it as it was', async () => {
    const { client } = simulated();
    const { id } = await client.conversations.create({ metadata: { own: 'yes' } });
    const ledger = conversationLedger({ client });
    const refused = { code: 'import_refused', reason: 'keeps-no-content' };
    await expect(importItems({ ledger, sessionId: id, items: many(2) })).rejects.toMatchObject(refused);
    expect((await client.conversations.retrieve(id)).metadata).toEqual({ own: 'yes' });
    const session = new HybridSession({ client, conversationId: id, ledger });
    await session.addItems([user('a')]);
    const before = await ledger.head(id);
    await expect(importItems({ ledger, sessionId: id, items: many(2), append: true })).rejects.toMatchObject(
      refused,
    );
    expect(await ledger.head(id)).toEqual(before);
  });
});
