import Libsql from 'libsql';
import { expect, it } from 'vitest';
import { preparingOnce } from '../../src/stores/preparing-once.ts';
import { createTables, insertRecords, selectHead, selectRecords } from '../../src/stores/sqlite-tables.ts';
import { head, record } from './support/records.ts';

it('prepares a statement once, however often a ledger appends and reads', () => {
  const real = new Libsql(':memory:');
  const prepared: string[] = [];
  const database = preparingOnce({
    exec: (sql) => real.exec(sql),
    prepare: (sql) => {
      prepared.push(sql);
      return real.prepare(sql);
    },
  });
  createTables(database);
  const records = Array.from({ length: 5 }, (_, index) => record(`record ${index}`));
  for (const [version, one] of records.entries()) {
    const append = {
      records: [JSON.stringify(one)],
      head: JSON.stringify(head(version + 1)),
      expected: version,
    };
    insertRecords(database, 'session-1', append);
    expect(selectHead(database, 'session-1')).toEqual(head(version + 1));
    expect(selectRecords(database, 'session-1', 0)).toEqual(records.slice(0, version + 1));
  }
  expect(prepared.length).toBeGreaterThan(3);
  expect(new Set(prepared).size).toBe(prepared.length);
});
