import { describe, expect, it } from 'vitest';
import { memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { interruptionAt } from '../../src/history/interrupted.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';

const item = (text: string): ReturnType<typeof ledgerItem> =>
  ledgerItem({ role: 'user', content: text }, true);

const draft = (
  texts: readonly string[],
  more: Partial<Extract<LedgerStep, { type: 'draft' }>> = {},
): LedgerStep => ({
  type: 'draft',
  run: 'run-1',
  keep: 0,
  items: texts.map((text) => item(text)),
  responses: [],
  ...more,
});

function opened(): { readonly ledger: () => Ledger; readonly stored: () => Promise<string> } {
  const store = memoryLedger();
  const ledger = (): Ledger => new Ledger({ store, sessionId: 'drafts', isMirrored: false });
  return { ledger, stored: async () => JSON.stringify(await store.read('drafts')) };
}

describe('drafts', () => {
  it('a draft goes on from its first items, is no part of the history, and is known in another process', async () => {
    const { ledger } = opened();
    await ledger().append(() => [{ type: 'items', items: [item('before')] }]);
    await ledger().append(() => [draft(['one', 'two'])], { scope: 'tail' });
    await ledger().append(() => [draft(['three'], { keep: 1 })], { scope: 'tail' });
    for (const scope of ['tail', 'seen', 'all'] as const) {
      const { drafts, entries, nextSeq } = await ledger().read({ scope });
      expect(drafts.open.map(({ items }) => items)).toEqual([[item('one'), item('three')]]);
      expect([entries.length, nextSeq]).toEqual([1, 1]);
    }
  });

  it('a tail that begins at a checkpoint with a draft is not used, because it does not know the draft', async () => {
    const { ledger } = opened();
    await ledger().append(() => [{ type: 'items', items: [item('before')] }]);
    expect((await ledger().read({ scope: 'tail' })).resumedFrom).toBeDefined();
    await ledger().append(() => [draft(['one'])]);
    expect((await ledger().read({ scope: 'tail' })).resumedFrom).toBeUndefined();
    await ledger().append(() => [draft([], { ended: true })]);
    expect((await ledger().read({ scope: 'tail' })).resumedFrom).toBeDefined();
  });

  it('an interrupted turn is the newest entries, until the same run ends again', async () => {
    const { ledger } = opened();
    await ledger().append(() => [{ type: 'items', items: [item('before')] }]);
    const interrupted = { reason: 'tool', items: 2, made: 1 };
    await ledger().append(() => [
      { type: 'items', items: [item('one'), item('two')] },
      draft([], { ended: true, interrupted }),
    ]);
    const state = await ledger().read();
    expect([0, 1, 2, 3].map((seq) => interruptionAt(state, seq)?.reason)).toEqual([
      undefined,
      'tool',
      'tool',
      undefined,
    ]);
    await ledger().append(() => [draft([], { ended: true })]);
    expect((await ledger().read()).drafts).toEqual({ open: [], interrupted: [] });
  });

  it.each<[string, LedgerStep]>([
    ['is forgotten', draft([], { ended: true, forgotten: true })],
    ['was ended before an item is removed', { type: 'pop' }],
    ['is cleared', { type: 'clear' }],
  ])('a draft that %s leaves no content in the store', async (_title, step) => {
    const { ledger, stored } = opened();
    await ledger().append(() => [{ type: 'items', items: [item('before'), item('last')] }]);
    await ledger().append(() => [draft(['a-secret-draft'])]);
    if (step.type === 'pop') await ledger().append(() => [draft([], { ended: true })]);
    expect(await stored()).toContain('a-secret-draft');
    await ledger().append(() => [step]);
    expect(await stored()).not.toContain('a-secret-draft');
    expect((await ledger().read()).drafts.open).toEqual([]);
  });

  it('a rewritten log keeps drafts that go on and interrupted turns', async () => {
    const { ledger } = opened();
    await ledger().append(() => [{ type: 'items', items: [item('before'), item('last')] }]);
    await ledger().append(() => [
      draft([], { run: 'run-0', ended: true, interrupted: { reason: 'tool', items: 2, made: 0 } }),
      draft(['one']),
    ]);
    const { drafts } = await ledger().read();
    await ledger().append(() => [{ type: 'pop' }]);
    const rewritten = await ledger().read();
    expect(rewritten.start).toBeGreaterThan(0);
    expect(rewritten.drafts).toEqual(drafts);
    expect(drafts.open).toHaveLength(1);
  });
});
