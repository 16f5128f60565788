import Libsql from 'libsql';
import { expect, it } from 'vitest';
import { withStatementCache } from '../../src/stores/sqlite/database.ts';
import {
  createTables,
  selectCheckpoint,
  selectRecords,
  writeRecords,
} from '../../src/stores/sqlite/tables.ts';
import { checkpoint, record } from './support/records.ts';

it('a SQLite ledger prepares a statement once, however often a ledger appends and reads', () => {
  const real = new Libsql(':memory:');
  const prepared: string[] = [];
  const database = withStatementCache({
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
      checkpoint: JSON.stringify(checkpoint(version + 1)),
      expected: version,
      isRewrite: false,
    };
    writeRecords(database, 'session-1', append);
    expect(selectCheckpoint(database, 'session-1')).toEqual(checkpoint(version + 1));
    expect(selectRecords(database, 'session-1', 0)).toEqual({ records: records.slice(0, version + 1) });
  }
  expect(prepared.length).toBeGreaterThan(3);
  expect(new Set(prepared).size).toBe(prepared.length);
});
