import { describe, expect, it } from 'vitest';
import { LedgerConflictError } from '../../src/index.ts';
import { postgresLedger, type PostgresPool } from '../../src/postgres.ts';
import { createStatements, postgresTables } from '../../src/stores/postgres/tables.ts';
import { pageOf, SESSIONS_PAGE, sessionsIn, textsOf } from '../../src/stores/shared/rows.ts';
import { checkpoint, record } from './support/records.ts';

const row = (
  position: number | null,
  text: string | null = JSON.stringify(record(`at ${position}`)),
  version = 3,
) => ({
  format: 1,
  version,
  position,
  record: text,
});

const positions = (rows: readonly unknown[], from = 0, to?: number): unknown => {
  const { start, records } = pageOf(rows, 'session-1', from, to);
  return { start, count: records.length };
};

describe('the rows of a session', () => {
  it('a session without rows has no records, and one without later records neither', () => {
    expect(pageOf([], 'session-1', 0)).toEqual({ records: [] });
    expect(positions([row(null, null)], 3)).toEqual({ start: undefined, count: 0 });
  });

  it('records come in order from the first position that was asked for', () => {
    const { records } = pageOf([row(1), row(2)], 'session-1', 1);
    expect(records).toEqual([record('at 1'), record('at 2')]);
    expect(positions([row(0), row(1), row(2)], 0, 2)).toEqual({ start: undefined, count: 2 });
    expect(positions([row(0), row(1), row(2)], 0, 9)).toEqual({ start: undefined, count: 3 });
  });

  it('numbers may come as texts or as big integers', () => {
    const rows = ['0', 1n, '2'].map((position) => ({ ...row(0), version: '3', format: 1n, position }));
    expect(positions(rows)).toEqual({ start: undefined, count: 3 });
  });

  it.each([
    ['in the middle', [row(0), row(2)], 0, undefined, 1],
    ['at the beginning', [row(1), row(2)], 0, undefined, 0],
    ['at the end', [row(0), row(1)], 0, undefined, 2],
    ['at the end of the part', [row(0)], 0, 2, 1],
    ['altogether', [row(null, null)], 0, undefined, 0],
    ['behind the beginning', [row(1)], 1, undefined, 2],
  ] as const)('a record that is missing %s is named by its position', (_, rows, from, to, position) => {
    expect(() => pageOf(rows, 'session-1', from, to)).toThrow(
      expect.objectContaining({
        code: 'ledger_unreadable',
        sessionId: 'session-1',
        position,
        reason: 'damaged',
        problem: 'it is missing',
      }),
    );
  });

  it('a rewritten log begins behind its mark', () => {
    expect(positions([row(4, '', 6), row(5, undefined, 6)])).toEqual({ start: 5, count: 1 });
    expect(positions([row(4, '', 5)])).toEqual({ start: 5, count: 0 });
    expect(() => positions([row(4, '', 7), row(5, undefined, 7)])).toThrow(
      expect.objectContaining({ position: 6 }),
    );
    expect(textsOf([record('one')], true)).toEqual(['', JSON.stringify(record('one'))]);
    expect(textsOf([record('one')], false)).toEqual([JSON.stringify(record('one'))]);
  });

  it('tables of a newer version are not read', () => {
    expect(() => pageOf([{ ...row(0), format: 2 }], 'session-1', 0)).toThrow(
      expect.objectContaining({
        reason: 'newer_format',
        position: undefined,
        problem: 'the tables have format 2, this version reads up to 1; update agents-hybrid-session',
      }),
    );
  });
});

const head = (session: string) => ({
  session,
  format: 1,
  version: 1,
  head: JSON.stringify(checkpoint(1)),
  updated: 5,
});

async function listed(
  names: readonly string[],
  prefix?: string,
): Promise<{ ids: string[]; asked: string[] }> {
  const asked: string[] = [];
  const sorted = names.toSorted();
  const select = (from: string): Promise<unknown[]> => {
    asked.push(from);
    return Promise.resolve(
      sorted
        .filter((name) => name >= from)
        .slice(0, SESSIONS_PAGE)
        .map((name) => head(name)),
    );
  };
  const ids: string[] = [];
  for await (const { sessionId } of sessionsIn(select, { prefix })) ids.push(sessionId);
  return { ids, asked };
}

describe('the rows of many sessions', () => {
  it('all sessions are listed, or those of a prefix', async () => {
    const names = ['a-1', 'b-1', 'b-2', 'c-1'];
    expect(await listed(names)).toEqual({ ids: names, asked: [''] });
    expect(await listed(names, 'b-')).toEqual({ ids: ['b-1', 'b-2'], asked: ['b-'] });
    expect((await listed([], 'b-')).ids).toEqual([]);
  });

  it('a full page is followed by the next one, and no session is listed twice', async () => {
    const names = Array.from({ length: SESSIONS_PAGE + 5 }, (_, at) => `s-${String(at).padStart(4, '0')}`);
    const { ids, asked } = await listed(names);
    expect(ids).toEqual(names);
    expect(asked).toEqual(['', 's-0199']);
  });
});

describe('the names of the tables', () => {
  it('a name is quoted with its schema', () => {
    expect(postgresTables('ledger')).toEqual({ sessions: '"ledger"', records: '"ledger_record"' });
    expect(postgresTables('my schema.a"b')).toEqual({
      sessions: '"my schema"."a""b"',
      records: '"my schema"."a""b_record"',
    });
    const [first, second] = createStatements(postgresTables('ledger'));
    expect(first).toContain('CREATE TABLE IF NOT EXISTS "ledger" (');
    expect(second).toContain('REFERENCES "ledger" ON DELETE CASCADE');
  });

  it.each([
    ['a.b.c', "can have one dot, between the schema's name and the table's"],
    ['', 'must not be empty or hold a NUL'],
    ['.a', 'must not be empty or hold a NUL'],
    ['a.', 'must not be empty or hold a NUL'],
    ['a\0b', 'must not be empty or hold a NUL'],
    ['x'.repeat(64), `is too long: '${'x'.repeat(64)}' has more than 63 bytes`],
    ['x'.repeat(57), `is too long: '${'x'.repeat(57)}_record' has more than 63 bytes`],
    [`${'x'.repeat(64)}.a`, `is too long: '${'x'.repeat(64)}' has more than 63 bytes`],
  ])('the name %j is refused', (table, problem) => {
    expect(() => postgresTables(table)).toThrow(
      expect.objectContaining({ option: 'table', message: expect.stringContaining(problem) }),
    );
  });

  it('a name of 63 bytes with its ending is taken', () => {
    expect(postgresTables('x'.repeat(56)).records).toBe(`"${'x'.repeat(56)}_record"`);
  });
});

/** A pool that gives these rows, one after the other. */
function ledgerOn(...answers: readonly (readonly object[])[]) {
  const asked: unknown[][] = [];
  const pool: PostgresPool = {
    query: (_text, values = []) => {
      asked.push([...values]);
      return Promise.resolve({ rows: [...(answers[asked.length - 1] ?? [])] });
    },
  };
  return { store: postgresLedger({ pool }), asked };
}

const appendTo = (store: ReturnType<typeof postgresLedger>): Promise<void> =>
  store.append('s', [record('one')], checkpoint(1), 3);

describe('the conflicts of a PostgreSQL ledger', () => {
  const found = [{ format: 1, version: 7, head: '' }];

  it('an append that finds another version tells it', async () => {
    await expect(appendTo(ledgerOn([], found).store)).rejects.toMatchObject({ expected: 3, actual: 7 });
    await expect(appendTo(ledgerOn([], []).store)).rejects.toMatchObject({ expected: 3, actual: 0 });
    await expect(appendTo(ledgerOn([{ id: 1 }]).store)).resolves.toBeUndefined();
    await expect(
      ledgerOn([], found).store.rewrite('s', [record('one')], checkpoint(1), 3),
    ).rejects.toBeInstanceOf(LedgerConflictError);
  });

  it('a deletion of another version is a conflict, and one of nothing is none', async () => {
    await expect(ledgerOn([], found).store.delete('s', 3)).rejects.toMatchObject({ expected: 3, actual: 7 });
    await expect(ledgerOn([], found).store.delete('s', 0)).rejects.toMatchObject({ expected: 0, actual: 7 });
    await expect(ledgerOn([], []).store.delete('s', 3)).rejects.toMatchObject({ expected: 3, actual: 0 });
    await expect(ledgerOn([], []).store.delete('s', 0)).resolves.toBeUndefined();
    const { store, asked } = ledgerOn([], found);
    await expect(store.delete('s')).resolves.toBeUndefined();
    expect(asked).toEqual([[expect.any(String), null]]);
    await expect(ledgerOn([{ id: 1 }]).store.delete('s', 3)).resolves.toBeUndefined();
  });

  it('a query that fails again and again for a passing reason is given up', async () => {
    const asked: string[] = [];
    const failure = Object.assign(new Error('could not serialize'), { code: '40001' });
    const query = (text: string): Promise<never> => {
      asked.push(text);
      return Promise.reject(failure);
    };
    await expect(postgresLedger({ pool: { query } }).checkpoint('s')).rejects.toBe(failure);
    expect(asked).toHaveLength(20);
  });

  it.for([new Error('lost'), Object.assign(new Error('odd'), { code: undefined }), 'lost', undefined])(
    'a query that fails without a code is not asked again: %s',
    async (failure) => {
      let asked = 0;
      const query = (): Promise<never> => {
        asked += 1;
        return Promise.reject(failure);
      };
      await expect(postgresLedger({ pool: { query } }).checkpoint('s')).rejects.toBe(failure);
      expect(asked).toBe(1);
    },
  );

  it('options that are no pool are refused', () => {
    expect(() => postgresLedger({} as never)).toThrow(expect.objectContaining({ option: 'pool' }));
    expect(() => postgresLedger({ pool: {} } as never)).toThrow(expect.objectContaining({ option: 'pool' }));
    const pool = { query: () => Promise.resolve({ rows: [] }) };
    expect(() => postgresLedger({ pool, tables: 'x' } as never)).toThrow(
      expect.objectContaining({ option: 'tables' }),
    );
  });
});
