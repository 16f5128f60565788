import { createPool } from 'mysql2/promise';
import { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore } from '../../../mocks/simulator.ts';
import { main } from '../../../src/cli/main.ts';
import { mysqlLedger } from '../../../src/mysql.ts';
import { postgresLedger } from '../../../src/postgres.ts';
import { mysqlTable, mysqlUrl } from '../../stores/support/mysql-engines.ts';
import { postgresUrl, tableName } from '../../stores/support/postgres-engines.ts';
import { redisUrl } from '../../stores/support/redis-engine.ts';
import { captureIo } from '../support/captured-io.ts';

async function doctor(ledger: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const simulator = createSimulatorCore({ apiKeys: ['test'] });
  const server = await simulator.listen();
  onTestFinished(() => server.close());
  const headers = { authorization: 'Bearer test' };
  const made = (await (await fetch(`${server.url}/conversations`, { method: 'POST', headers })).json()) as {
    id: string;
  };
  const captured = captureIo({ OPENAI_API_KEY: 'test', OPENAI_BASE_URL: server.url });
  const code = await main(['doctor', made.id, '--ledger', ledger], captured.io);
  return { code, stdout: captured.stdout(), stderr: captured.stderr() };
}

const EMPTY = 'Caveat: the ledger does not know this conversation';

describe.skipIf(redisUrl === undefined)('a ledger in Redis', () => {
  it('a Redis ledger is opened with the installed package, and closed', async () => {
    const { code, stdout, stderr } = await doctor(`redis:${redisUrl ?? ''}?prefix=nobody:`);
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(stdout).toContain(EMPTY);
  });
});

describe.skipIf(postgresUrl === undefined)('a ledger in PostgreSQL', () => {
  it('a PostgreSQL ledger is not created by a command that only reads', async () => {
    const { code, stderr } = await doctor(`postgres:${postgresUrl ?? ''}?table=nobody`);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /no_such_ledger: Cannot use the ledger: there is no ledger in the database at postgres\w*:\/\/[^@\s]+\nTry: /,
    );
  });

  it('a PostgreSQL ledger is opened with the installed package, and closed', async () => {
    const pool = new Pool({ connectionString: postgresUrl ?? '' });
    onTestFinished(() => pool.end());
    const table = tableName();
    await postgresLedger({ pool, table }).checkpoint('nobody');
    const { code, stdout, stderr } = await doctor(
      `postgres:${postgresUrl ?? ''}?table=${encodeURIComponent(table)}`,
    );
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(stdout).toContain(EMPTY);
  });
});

describe.skipIf(mysqlUrl === undefined)('a ledger in MySQL', () => {
  it('a MySQL ledger is not created by a command that only reads', async () => {
    const { code, stderr } = await doctor(`${mysqlUrl ?? ''}?table=nobody`);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /no_such_ledger: Cannot use the ledger: there is no ledger in the database at mysql:\/\/[^@\s]+\nTry: /,
    );
  });

  it('a MySQL ledger is opened with the installed package, and closed', async () => {
    const pool = createPool(mysqlUrl ?? '');
    onTestFinished(() => pool.end());
    const table = mysqlTable();
    await mysqlLedger({ pool, table }).checkpoint('nobody');
    const { code, stdout, stderr } = await doctor(`${mysqlUrl ?? ''}?table=${encodeURIComponent(table)}`);
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(stdout).toContain(EMPTY);
  });
});
