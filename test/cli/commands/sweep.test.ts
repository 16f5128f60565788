import { expect, it, onTestFinished } from 'vitest';
import { HybridSession } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { openSqlite } from '../../../src/stores/sqlite/open.ts';
import { user } from '../../support/conversation.ts';
import { runCommand, temporaryFolder } from '../support/on-a-ledger.ts';

const file = temporaryFolder();

async function aged(): Promise<string> {
  const ledger = sqliteLedger({ path: file('sessions.db') });
  onTestFinished(() => ledger.close());
  for (const sessionId of ['old', 'young'])
    await new HybridSession({ sessionId, ledger, mirror: 'off' }).addItems([user('secret words')]);
  const database = await openSqlite(file('sessions.db'));
  database.exec("UPDATE hybrid_session_ledger SET updated = updated - 100 * 86400 WHERE session = 'old'");
  database.close();
  return `sqlite:${file('sessions.db')}`;
}

it('sweep shows the sessions of --dry-run, and removes them with --yes', async () => {
  const ledger = await aged();
  const args = ['sweep', '--ledger', ledger, '--older-than', '90d'];
  const planned = await runCommand([...args, '--dry-run']);
  expect(planned).toMatchObject({ code: 0, stderr: '1 session(s) would be removed\n' });
  expect(planned.stdout).toMatch(/^\d{4}-.* UTC {7}1 items {2}no conversation {2}old\n$/);
  expect((await runCommand(['list', '--ledger', ledger])).stderr).toBe('2 session(s)\n');
  const removed = await runCommand([...args, '--yes', '--json']);
  expect(removed).toMatchObject({ code: 0, stderr: '1 session(s) removed\n' });
  expect(JSON.parse(removed.stdout)).toMatchObject({ version: 1, sessionId: 'old', items: 1, dryRun: false });
  expect((await runCommand(['list', '--ledger', ledger])).stdout).toContain('young');
  expect(await runCommand([...args, '--yes'])).toMatchObject({ code: 0, stderr: '0 session(s) removed\n' });
});

it.each([
  [[], '--older-than is needed'],
  [['--older-than', '90d'], 'This removes sessions for good: --yes is needed'],
  [['--older-than', '90d', '--yes', '--dry-run'], '--dry-run and --yes do not go together'],
  [['--older-than', '90 days', '--yes'], '--older-than must be a duration such as 30d'],
  [['--older-than', '90d', '--yes', '--remote'], 'missing_api_key'],
])('sweep refuses %j and removes nothing', async (args, problem) => {
  const ledger = await aged();
  const { code, stderr } = await runCommand(['sweep', '--ledger', ledger, ...args]);
  expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining(problem) as string });
  expect((await runCommand(['list', '--ledger', ledger])).stderr).toBe('2 session(s)\n');
});
