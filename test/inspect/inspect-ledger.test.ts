import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HybridSessionOptions,
  type LedgerStore,
} from '../../src/index.ts';
import { inspectLedger } from '../../src/doctor.ts';
import { clock } from '../../src/util/clock.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { assistantAgent, converse } from '../flows/support/story.ts';
import { simulated } from '../support/simulated.ts';
import { tamperedClient } from '../session/support/tampered.ts';

const runner = new HybridRunner({ tracingDisabled: true });

async function told(
  ledger: LedgerStore,
  turns: readonly string[],
  options: HybridSessionOptions = {},
): Promise<string> {
  const { client } = simulated();
  const session = new HybridSession({ client, ledger, ...options });
  await converse(runner, session, turns);
  return session.getSessionId();
}

describe('inspectLedger', () => {
  it('an inspection of a ledger tells turns, responses, parents and digests, and no content', async () => {
    const ledger = memoryLedger();
    const id = await told(ledger, ['my secret is 42', 'what can you do?']);
    const checkpoint = await ledger.checkpoint(id);
    const inspection = await inspectLedger(ledger, id);
    expect(inspection).toMatchObject({
      sessionId: id,
      records: checkpoint?.version,
      length: 4,
      digest: checkpoint?.digest,
      consistent: true,
      unproven: 0,
      conversation: id,
      former: [],
      pending: { write: [], remove: [] },
      lease: undefined,
      refused: [],
      damaged: [],
    });
    const [first, second, ...more] = inspection?.turns ?? [];
    expect(more).toEqual([]);
    expect(first?.items.map(({ index, kind }) => `${index} ${kind}`)).toEqual([
      '0 message:user',
      '1 message:assistant',
    ]);
    expect(second?.items.map(({ index, kind }) => `${index} ${kind}`)).toEqual([
      '2 message:user',
      '3 message:assistant',
    ]);
    expect(first?.responses).toHaveLength(1);
    expect(second?.responses[0]).toMatchObject({
      id: checkpoint?.response?.id,
      parent: first?.responses[0]?.id,
      model: expect.stringContaining('gpt-5.4') as string,
      store: true,
      context: { length: 4 },
      refused: false,
    });
    expect(JSON.stringify(inspection)).not.toContain('secret');
    const withContent = await inspectLedger(ledger, id, { content: true });
    expect(JSON.stringify(withContent)).toContain('my secret is 42');
  });

  it('an inspection of a ledger takes the responses of a tool loop as one turn', async () => {
    const ledger = memoryLedger();
    const id = await told(ledger, ['call get_weather {"city":"Paris"}']);
    const inspection = await inspectLedger(ledger, id);
    expect(inspection?.turns).toHaveLength(1);
    expect(inspection?.turns[0]?.responses).toHaveLength(2);
    expect(inspection?.turns[0]?.items).toHaveLength(4);
  });

  it('an inspection of a ledger knows no session that was never written', async () => {
    expect(await inspectLedger(memoryLedger(), 'conv_unknown')).toBeUndefined();
  });

  it('an inspection of a ledger tells what the conversation does not have yet, and who may write there', async () => {
    const { simulator } = simulated();
    const client = tamperedClient(simulator, ({ method, path }) =>
      method === 'POST' && path.endsWith('/items')
        ? Response.json({ error: {} }, { status: 503 })
        : undefined,
    );
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    await session.addItems([
      { role: 'user', content: 'a' },
      { role: 'user', content: 'b' },
    ]);
    const inspection = await inspectLedger(ledger, await session.getSessionId());
    expect(inspection).toMatchObject({
      conversation: inspection?.sessionId,
      pending: { write: [0, 1], remove: [] },
    });
    expect(inspection?.lease?.until).toBeGreaterThan(0);
    expect(inspection?.turns).toMatchObject([{ responses: [] }]);
  });

  it('an inspection of a ledger says of a session without a conversation that nothing is pending', async () => {
    const ledger = memoryLedger();
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
    await session.addItems([{ role: 'user', content: 'a' }]);
    expect(await inspectLedger(ledger, 'user-42')).toMatchObject({
      conversation: undefined,
      former: [],
      pending: { write: [], remove: [] },
    });
  });

  it('an inspection of a ledger says what a ledger without content keeps', async () => {
    const ledger = memoryLedger();
    const id = await told(ledger, ['hi'], { keepContent: false });
    const inspection = await inspectLedger(ledger, id, { content: true });
    const items = inspection?.turns[0]?.items ?? [];
    expect(items.map(({ kept, item }) => [kept, item])).toEqual([
      [false, undefined],
      [false, undefined],
    ]);
  });

  it('an inspection of a ledger takes the name of a session, and every conversation that it has or had', async () => {
    const ledger = memoryLedger();
    const { client } = simulated();
    const session = new HybridSession({ client, ledger, sessionId: 'user-42' });
    await converse(runner, session, ['hi']);
    const first = session.conversationId ?? '';
    await session.heal();
    const second = session.conversationId ?? '';
    await session.clearSession();
    await converse(runner, session, ['hi again']);
    const third = session.conversationId ?? '';
    const inspection = await inspectLedger(ledger, 'user-42');
    expect(inspection).toMatchObject({
      sessionId: 'user-42',
      length: 2,
      consistent: true,
      conversation: third,
      former: [first, second],
    });
    for (const id of [first, second, third]) expect(await inspectLedger(ledger, id)).toEqual(inspection);
  });

  it('an inspection of a ledger tells the conversation of a session that was cleared, and no item', async () => {
    const ledger = memoryLedger();
    const { client } = simulated();
    const session = new HybridSession({ client, ledger });
    await converse(runner, session, ['hi']);
    const id = await session.getSessionId();
    await session.clearSession();
    expect(await inspectLedger(ledger, id)).toMatchObject({
      sessionId: id,
      length: 0,
      consistent: true,
      conversation: undefined,
      former: [id],
      turns: [],
      damaged: [],
    });
  });

  it.each([
    ['newer_format', 4],
    ['older_format', 2],
  ])('inspectLedger does not quote a ledger of another format: %s', async (reason, v) => {
    const ledger = memoryLedger();
    const id = await told(ledger, ['hi']);
    const other: LedgerStore = {
      ...ledger,
      read: async (...args) => {
        const page = await ledger.read(...args);
        return { ...page, records: page.records.map((record) => ({ ...record, v: v as 3 })) };
      },
    };
    await expect(inspectLedger(other, id)).rejects.toMatchObject({ code: 'ledger_unreadable', reason });
  });

  it('names the responses from which the server would not continue', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    await converse(runner, session, ['hi']);
    const id = await session.getSessionId();
    const parent = (await ledger.checkpoint(id))?.response?.id ?? '';
    await client.responses.delete(parent);
    // A young response that is refused is only set aside.
    const later = Date.now() + 600_000;
    vi.spyOn(clock, 'now').mockImplementation(() => later);
    await converse(runner, session, ['thanks'], { agent: assistantAgent() });
    vi.restoreAllMocks();
    const inspection = await inspectLedger(ledger, id);
    expect(inspection?.refused).toEqual([parent]);
    expect(inspection?.turns[0]?.responses).toMatchObject([{ id: parent, refused: true }]);
    expect(simulator.log.length).toBeGreaterThan(0);
  });
});

describe('inspectLedger on a ledger that was rewritten', () => {
  it('an inspection of a rewritten ledger tells what is left, and nothing of what was popped', async () => {
    const ledger = memoryLedger();
    const { client } = simulated();
    const session = new HybridSession({ client, ledger });
    await converse(runner, session, ['hi', 'what can you do?']);
    await session.popItem();
    const id = await session.getSessionId();
    expect(await inspectLedger(ledger, id)).toMatchObject({
      records: (await ledger.checkpoint(id))?.version,
      length: 3,
      consistent: true,
      conversation: id,
      pending: { write: [], remove: [] },
      turns: [{ responses: [{}] }, { items: [{ kind: 'message:user' }] }],
      damaged: [],
    });
  });

  it('names the state that it begins with when that is damaged, and tells what can still be read', async () => {
    const ledger = memoryLedger();
    const id = await told(ledger, ['hi'], { mirror: 'off', sessionId: 'session-1' });
    await new HybridSession({ mirror: 'off', sessionId: id, ledger }).popItem();
    const { start = 0 } = await ledger.read(id);
    const damaged: LedgerStore = {
      ...ledger,
      read: async (...args) => {
        const page = await ledger.read(...args);
        const records = page.records.map((record) =>
          record.type === 'state' ? { ...record, nextSeq: -1 } : record,
        );
        return { ...page, records };
      },
    };
    const inspection = await inspectLedger(damaged, id);
    expect(inspection?.damaged).toMatchObject([{ position: start }]);
    expect(inspection?.turns[0]?.items).toHaveLength(1);
  });
});

describe('inspectLedger on a file whose records are damaged', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
    path = join(folder, 'ledger.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('names them and tells what can still be read', async () => {
    const ledger = sqliteLedger({ path });
    const id = await told(ledger, ['hi', 'what can you do?', 'thanks']);
    const version = (await ledger.checkpoint(id))?.version ?? 0;
    await ledger.close();
    const database = new Database(path);
    const damage = database.prepare('UPDATE hybrid_session_ledger_record SET record = ? WHERE position = ?');
    damage.run('{"v":3,"type":"items","items":[{"digest"', 1);
    damage.run('{"v":3,"type":"secret"}', version - 1);
    database.close();

    const again = sqliteLedger({ path });
    const inspection = await inspectLedger(again, id);
    await again.close();
    expect(inspection?.damaged).toEqual([
      { position: 1, reason: 'it is not JSON' },
      { position: version - 1, reason: expect.stringContaining('it is damaged at ') as string },
    ]);
    expect(inspection?.consistent).toBe(false);
    expect(inspection?.records).toBe(version);
    expect(inspection?.turns.length).toBeGreaterThan(0);
    expect(JSON.stringify(inspection)).not.toContain('secret');
  });
});
