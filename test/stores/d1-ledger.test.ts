import Libsql from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';
import { d1Ledger, D1_LEDGER_SCHEMA, type D1LedgerDatabase } from '../../src/d1.ts';
import { piecesOf } from '../../src/stores/shared/parts.ts';
import { d1Database, d1Module, type D1Binding } from './support/d1-engine.ts';
import { checkpoint, record } from './support/records.ts';

const BIG = 700_000;

/** A database of its own, through the binding itself. */
async function opened(): Promise<D1Binding> {
  const { binding, remove } = await d1Database();
  onTestFinished(remove);
  return binding;
}

async function rows(database: D1LedgerDatabase, sql: string): Promise<readonly unknown[]> {
  const [{ results } = { results: [] }] = await database.batch([database.prepare(sql)]);
  return results;
}

const missing = d1Module === undefined ? ' (TEST_D1_MODULE is not set)' : '';

describe.skipIf(d1Module === undefined)(`d1Ledger in workerd${missing}`, () => {
  it('a D1 ledger creates its tables at first use, and tells a refused append by the version that it found', async () => {
    const database = await opened();
    const store = d1Ledger({ database });
    expect(await store.checkpoint('session-1')).toBeUndefined();
    await store.append('session-1', [record('one'), record('two')], checkpoint(2), 0);
    const conflict = { code: 'ledger_conflict', sessionId: 'session-1', expected: 1, actual: 2 };
    await expect(store.append('session-1', [record('other')], checkpoint(2), 1)).rejects.toMatchObject(
      conflict,
    );
    await expect(store.rewrite('session-1', [record('other')], checkpoint(3), 1)).rejects.toMatchObject(
      conflict,
    );
    await expect(store.delete('session-1', 1)).rejects.toMatchObject(conflict);
    await expect(store.append('session-2', [record('other')], checkpoint(4), 3)).rejects.toMatchObject({
      actual: 0,
    });
    expect(await store.read('session-1')).toEqual({ records: [record('one'), record('two')] });
    expect(await rows(database, 'SELECT session FROM hybrid_session_ledger')).toEqual([
      { session: 'session-1' },
    ]);
  });

  it('a D1 ledger changes nothing when one statement of an append fails', async () => {
    const database = await opened();
    const store = d1Ledger({ database });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await rows(
      database,
      `CREATE TRIGGER refuse BEFORE INSERT ON hybrid_session_ledger_record WHEN NEW.position = 2
       BEGIN SELECT RAISE(ABORT, 'refused'); END`,
    );
    const append = store.append('session-1', [record('two'), record('three')], checkpoint(3), 1);
    await expect(append).rejects.toThrow(/refused/);
    expect(await store.read('session-1')).toEqual({ records: [record('one')] });
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(1));
  });

  it('a D1 ledger keeps a long record in parts, and reports one that lacks a part', async () => {
    const database = await opened();
    const store = d1Ledger({ database });
    const long = record('\u{1F600}'.repeat(BIG / 2));
    await store.append('session-1', [record('one'), long, record('three')], checkpoint(3), 0);
    expect(await store.read('session-1', 1)).toEqual({ records: [long, record('three')] });
    const parts = 'SELECT max(part) + 1 AS parts FROM hybrid_session_ledger_record GROUP BY position';
    expect((await rows(database, parts)).map((row) => Object.values(row as object))).toEqual([
      [1],
      [expect.any(Number)],
      [1],
    ]);
    await rows(database, 'DELETE FROM hybrid_session_ledger_record WHERE part = 1');
    const damaged = { code: 'ledger_unreadable', reason: 'damaged', position: 1 };
    await expect(store.read('session-1')).rejects.toMatchObject(damaged);
    await rows(database, 'DELETE FROM hybrid_session_ledger_record WHERE part = 0 AND position = 1');
    await expect(store.read('session-1')).rejects.toMatchObject(damaged);
    await store.delete('session-1');
    expect(await rows(database, 'SELECT * FROM hybrid_session_ledger_record')).toEqual([]);
  });

  it('a D1 ledger works on tables that a migration has created', async () => {
    const database = await opened();
    for (const statement of D1_LEDGER_SCHEMA.split(/;\n(?!  |END)/).filter((text) => text !== ''))
      await rows(database, statement);
    const store = d1Ledger({ database });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await store.read('session-1')).toEqual({ records: [record('one')] });
  });

  it('a D1 ledger leaves alone what a newer version of this package has written', async () => {
    const database = await opened();
    const store = d1Ledger({ database });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await rows(database, 'UPDATE hybrid_session_ledger SET format = 2');
    const newer = { code: 'ledger_unreadable', reason: 'newer_format', sessionId: 'session-1' };
    await expect(store.append('session-1', [record('two')], checkpoint(2), 1)).rejects.toMatchObject(newer);
    await expect(store.delete('session-1', 1)).rejects.toMatchObject(newer);
    await expect(store.read('session-1')).rejects.toMatchObject(newer);
  });
});

it.for([[{}], [null], [new Libsql(':memory:')], [() => undefined]])(
  'a D1 ledger refuses the database %o',
  ([database]) => {
    expect(() => d1Ledger({ database: database as D1LedgerDatabase })).toThrow(
      "Cannot create the D1 ledger: option 'database' is invalid: must be a D1 binding, such as env.DB",
    );
  },
);

it.for([
  ['', []],
  ['abc', ['abc']],
  ['abcdefg', ['abc', 'def', 'g']],
  ['ab\u{1F600}cd', ['ab', '\u{1F600}c', 'd']],
  ['\u{1F600}\u{1F600}\u{1F600}', ['\u{1F600}', '\u{1F600}', '\u{1F600}']],
] as const)('pieces of a text hold all of it, and no half of a surrogate pair: %o', ([text, pieces]) => {
  expect(piecesOf(text, 3)).toEqual(pieces);
});
