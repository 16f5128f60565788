import { codeOf } from './support/story.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '@openai/agents';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, type HybridSessionEvent, type LedgerStore } from '../../src/index.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { roles } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

function world(): {
  open: (ledger: LedgerStore, conversationId?: string) => HybridSession;
  events: HybridSessionEvent[];
} {
  const { client } = simulated();
  const events: HybridSessionEvent[] = [];
  return {
    events,
    open: (ledger, conversationId) =>
      new HybridSession({ client, ledger, conversationId, onEvent: (event) => void events.push(event) }),
  };
}

describe('A ledger whose disk lied', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
    path = join(folder, 'ledger.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As a torn write leaves it: half of the record at that position. */
  function tear(position: number): void {
    const database = new Database(path);
    database
      .prepare(
        'UPDATE hybrid_session_ledger_record SET record = substr(record, 1, length(record) / 2) WHERE position = ?',
      )
      .run(position);
    database.close();
  }

  it('a damaged newest record costs its own content alone and a warning, and the session goes on', async () => {
    const { open, events } = world();
    const first = sqliteLedger({ path });
    const session = open(first);
    for (const text of ['hi', 'thanks']) await runner.run(agent, text, { session });
    const id = await session.getSessionId();
    const version = (await first.checkpoint(id))?.version ?? 0;
    await first.close();
    tear(version - 1);

    const second = sqliteLedger({ path });
    const reopened = open(second, id);
    expect(roles(await reopened.getItems())).toBe('u,a,u,a');
    expect(events.filter((event) => codeOf(event) === 'ledger_damaged')).toEqual([
      { type: 'warning', code: 'ledger_damaged', sessionId: id, position: version - 1 },
    ]);
    await runner.run(agent, 'and now?', { session: reopened });
    await second.close();

    // The next one is told that it is passed over: it neither stumbles nor reports it again.
    events.length = 0;
    const third = sqliteLedger({ path });
    const again = open(third, id);
    expect(roles(await again.getItems())).toBe('u,a,u,a,u,a');
    // The lease that the lost record gave back runs out by itself: the newest turn is written then.
    expect(await again.verify()).toMatchObject({ verified: true, findings: [], pending: 2 });
    expect(events.some((event) => codeOf(event) === 'ledger_damaged')).toBe(false);
    await third.close();
  });

  it('a damaged record in the middle is named, and the history is refused', async () => {
    const { open } = world();
    const first = sqliteLedger({ path });
    const session = open(first);
    for (const text of ['hi', 'thanks']) await runner.run(agent, text, { session });
    const id = await session.getSessionId();
    await first.close();
    tear(1);
    const second = sqliteLedger({ path });
    await expect(open(second, id).getItems()).rejects.toMatchObject({
      code: 'ledger_unreadable',
      reason: 'damaged',
      sessionId: id,
      position: 1,
    });
    await second.close();
  });
});
