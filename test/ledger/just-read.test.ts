import { describe, expect, test } from 'vitest';
import { Ledger, type LedgerOptions } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import type { LedgerState } from '../../src/ledger/state.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { memoryLedger } from '../../src/stores/memory.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { texts, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const say = (text: string): LedgerStep[] => [{ type: 'items', items: [ledgerItem(user(text), true)] }];
const historyOf = (state: LedgerState): string[] => texts(state.entries.map(({ item }) => item));

/** A session of one item, a ledger that was told its checkpoint, and what that reads. */
async function told(options: Partial<LedgerOptions> = {}) {
  const inner = memoryLedger();
  const write = (text: string): Promise<unknown> =>
    new Ledger({ store: elsewhere(inner), sessionId: 'user-42', isMirrored: false }).append(() => say(text));
  await write('one');
  const reads: string[] = [];
  const store: LedgerStore = {
    ...inner,
    checkpoint(sessionId) {
      reads.push('checkpoint');
      return inner.checkpoint(sessionId);
    },
    read(...range) {
      reads.push('read');
      return inner.read(...range);
    },
  };
  const ledger = new Ledger({ store, sessionId: 'user-42', isMirrored: false, ...options });
  ledger.justRead = await inner.checkpoint('user-42');
  return { inner, store, ledger, write, reads };
}

describe('a checkpoint that was just read', () => {
  test('a checkpoint that was just read is not read again by the first fresh read, but by the next one', async () => {
    const { ledger, write, reads } = await told();
    expect((await ledger.read({ scope: 'tail' })).version).toBe(1);
    expect((await ledger.read({ scope: 'tail', fresh: true })).version).toBe(1);
    expect(reads).toEqual([]);
    await write('two');
    expect((await ledger.read({ scope: 'tail', fresh: true })).version).toBe(2);
    expect(reads[0]).toBe('checkpoint');
  });

  test('a checkpoint that was just read does not hide records that came later', async () => {
    const { ledger, write } = await told();
    await write('two');
    expect(historyOf(await ledger.read({ scope: 'seen', fresh: true }))).toEqual(['one', 'two']);
  });

  test('a checkpoint that was just read, and was replaced before an append, leads to no lost item', async () => {
    const { inner, ledger, write } = await told();
    await write('two');
    await ledger.append(() => say('three'), { scope: 'tail' });
    const whole = await new Ledger({ store: elsewhere(inner), sessionId: 'user-42' }).read();
    expect(historyOf(whole)).toEqual(['one', 'two', 'three']);
  });

  test('a checkpoint that was just read is forgotten where it is older than what the process has seen', async () => {
    const rewinds: number[] = [];
    const { store, ledger, reads } = await told({ onRewound: (version) => void rewinds.push(version) });
    const other = new Ledger({ store, sessionId: 'user-42', isMirrored: false, onRewound: () => undefined });
    await other.append(() => say('two'));
    reads.length = 0;
    expect((await ledger.read({ scope: 'tail', fresh: true })).version).toBe(2);
    expect([rewinds, reads]).toEqual([[], ['checkpoint']]);
  });

  test('a checkpoint that was just read counts until it is set to undefined', async () => {
    const { ledger, write } = await told();
    ledger.justRead = undefined;
    await write('two');
    expect((await ledger.read({ scope: 'tail' })).version).toBe(2);
  });
});
