import { expect, it } from 'vitest';
import type { LedgerStore } from '../../../src/index.ts';
import { checkpoint, record } from './records.ts';

/** A ledger on tables of its own, with two records in one session. */
interface FilledTables {
  readonly pool: { query(text: string): Promise<unknown> };
  /** The names of the tables, quoted. */
  readonly table: string;
  readonly recordTable: string;
  readonly store: LedgerStore;
}

/** Proves what holds on the tables of every database server. */
export function proveTables(name: string, filled: () => Promise<FilledTables>): void {
  it(`a ${name} ledger appends nothing when a record in the middle cannot be written`, async () => {
    const { pool, recordTable, store } = await filled();
    await pool.query(`ALTER TABLE ${recordTable} ADD CONSTRAINT fault CHECK (position <> 3)`);
    const append = (): Promise<void> =>
      store.append('session-1', [record('three'), record('four'), record('five')], checkpoint(5), 2);
    await expect(append()).rejects.toThrow(/fault/);
    expect(await store.read('session-1')).toEqual({ records: [record('one'), record('two')] });
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
    await pool.query(`ALTER TABLE ${recordTable} DROP CONSTRAINT fault`);
    await append();
    expect((await store.read('session-1')).records).toHaveLength(5);
  });

  it(`a ${name} ledger reports a damaged record by session and position, without what it says`, async () => {
    const { pool, recordTable, store } = await filled();
    await pool.query(`UPDATE ${recordTable} SET record = '{"v":1,"commit":"secret' WHERE position = 1`);
    await expect(store.read('session-1')).rejects.toMatchObject({
      code: 'ledger_unreadable',
      reason: 'damaged',
      sessionId: 'session-1',
      position: 1,
      message: "Cannot read record 1 of the ledger of 'session-1': it is not JSON",
    });
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
  });

  it(`a ${name} ledger leaves alone what a newer version of this package has written`, async () => {
    const { pool, table, store } = await filled();
    await pool.query(`UPDATE ${table} SET format = 2`);
    const newer = { code: 'ledger_unreadable', reason: 'newer_format', sessionId: 'session-1' };
    await expect(store.checkpoint('session-1')).rejects.toMatchObject(newer);
    await expect(store.read('session-1')).rejects.toMatchObject(newer);
    await expect(store.append('session-1', [record('three')], checkpoint(3), 2)).rejects.toMatchObject(newer);
  });
}
