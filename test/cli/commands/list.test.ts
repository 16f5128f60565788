import { writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HybridSession } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { openSqlite } from '../../../src/stores/sqlite/open.ts';
import { user } from '../../support/conversation.ts';
import { simulated } from '../../support/simulated.ts';
import { runCommand, temporaryFolder } from '../support/on-a-ledger.ts';

const file = temporaryFolder();

const DAY = 24 * 3600;

/** Two sessions, the second of which was changed 40 days ago, and one without a conversation. */
async function world(): Promise<{ readonly path: string; readonly sql: (text: string) => Promise<void> }> {
  const { client } = simulated();
  const ledger = sqliteLedger({ path: file('sessions.db') });
  onTestFinished(() => ledger.close());
  for (const sessionId of ['user-1', 'user-2'])
    await new HybridSession({ sessionId, client, ledger }).addItems([user('one'), user('two')]);
  await new HybridSession({ sessionId: 'alone', ledger, mirror: 'off' }).addItems([user('one')]);
  const sql = async (text: string): Promise<void> => {
    const database = await openSqlite(file('sessions.db'));
    database.exec(text);
    database.close();
  };
  await sql(`UPDATE hybrid_session_ledger SET updated = updated - ${40 * DAY} WHERE session = 'user-2'`);
  await sql("UPDATE hybrid_session_ledger SET updated = updated + 60 WHERE session = 'user-1'");
  return { path: `sqlite:${file('sessions.db')}`, sql };
}

function idsIn(stdout: string): string[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split('  ').at(-1) ?? '');
}

describe('list', () => {
  it('list shows the sessions that were changed last first, without a key and without content', async () => {
    const { path } = await world();
    const { code, stdout, stderr } = await runCommand(['list', '--ledger', path]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '3 session(s)\n' });
    expect(idsIn(stdout)).toEqual(['user-1', 'alone', 'user-2']);
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC {7}2 items {2}nothing pending {2}conv_\w+ {2}user-1$/m,
    );
    expect(stdout).toMatch(/1 items.*no conversation {2}alone$/m);
    expect(stdout).not.toContain('two');
  });

  it('list --older-than, --prefix, --limit and --turns choose and count', async () => {
    const { path } = await world();
    const ids = async (...args: string[]): Promise<string[]> =>
      idsIn((await runCommand(['list', '--ledger', path, ...args])).stdout);
    expect(await ids('--older-than', '30d')).toEqual(['user-2']);
    expect(await ids('--older-than', '41d')).toEqual(['']);
    expect(await ids('--prefix', 'user-')).toEqual(['user-1', 'user-2']);
    expect(await ids('--limit', '1')).toEqual(['user-1']);
    const { stdout } = await runCommand(['list', '--ledger', path, '--turns', '--limit', '1']);
    expect(stdout).toContain('    1 turns');
    for (const wrong of ['30', 'd', '0d', '-1d', '1y'])
      expect((await runCommand(['list', '--ledger', path, `--older-than=${wrong}`])).code).toBe(64);
  });

  it('list --json writes a line for each session, with the verdict of a report', async () => {
    const { path } = await world();
    const report = file('report.jsonl');
    const line = { command: 'doctor', id: 'user-1', verdict: 'repairable', at: Date.UTC(2026, 0, 2) };
    writeFileSync(report, `${JSON.stringify(line)}\n`);
    const args = ['list', '--ledger', path, '--report', report];
    const { stdout } = await runCommand([...args, '--json', '--limit', '1']);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      sessionId: 'user-1',
      conversationId: expect.stringMatching(/^conv_/) as string,
      items: 2,
      pending: 0,
      changed: expect.stringMatching(/^\d{4}-/) as string,
      verdict: 'repairable',
      checked: '2026-01-02T00:00:00.000Z',
    });
    const { stdout: text } = await runCommand(args);
    expect(text).toMatch(/repairable {5}2026-01-02 00:00:00 UTC {2}conv_\w+ {2}user-1$/m);
    expect(text).toMatch(/not checked.*user-2$/m);
  });

  it('list goes on behind a checkpoint that cannot be read, and exits with 1', async () => {
    const { path, sql } = await world();
    await sql("UPDATE hybrid_session_ledger SET head = '{' WHERE session = 'user-1'");
    const { code, stdout, stderr } = await runCommand(['list', '--ledger', path]);
    expect(code).toBe(1);
    expect(idsIn(stdout)).toEqual(['alone', 'user-2']);
    expect(stderr).toContain('1 checkpoint(s) cannot be read');
  });
});
