import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  conversationLedger,
  HybridRunner,
  HybridSession,
  inspectLedger,
  memoryLedger,
  type HybridSessionOptions,
  type LedgerStore,
} from '../../src/index.ts';
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
  it('tells turns, responses, parents and digests, and no content', async () => {
    const ledger = memoryLedger();
    const id = await told(ledger, ['my secret is 42', 'what can you do?']);
    const head = await ledger.head(id);
    const inspection = await inspectLedger(ledger, id);
    expect(inspection).toMatchObject({
      sessionId: id,
      records: head?.version,
      length: 4,
      digest: head?.digest,
      consistent: true,
      before: 0,
      unproven: 0,
      mirrored: true,
      pending: { write: [], remove: [] },
      lease: undefined,
      refused: [],
      cleared: false,
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
      id: head?.response?.id,
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

  it('takes the responses of a tool loop as one turn', async () => {
    const ledger = memoryLedger();
    const id = await told(ledger, ['call get_weather {"city":"Paris"}']);
    const inspection = await inspectLedger(ledger, id);
    expect(inspection?.turns).toHaveLength(1);
    expect(inspection?.turns[0]?.responses).toHaveLength(2);
    expect(inspection?.turns[0]?.items).toHaveLength(4);
  });

  it('knows no session that was never written', async () => {
    expect(await inspectLedger(memoryLedger(), 'conv_unknown')).toBeUndefined();
  });

  it('tells what the conversation does not have yet, and who may write there', async () => {
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
    expect(inspection).toMatchObject({ mirrored: true, pending: { write: [0, 1], remove: [] } });
    expect(inspection?.lease?.until).toBeGreaterThan(0);
    expect(inspection?.turns).toMatchObject([{ responses: [] }]);
  });

  it('says of a session without a conversation that nothing is pending', async () => {
    const ledger = memoryLedger();
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
    await session.addItems([{ role: 'user', content: 'a' }]);
    expect(await inspectLedger(ledger, 'user-42')).toMatchObject({
      mirrored: false,
      pending: { write: [], remove: [] },
    });
  });

  it('says what a ledger without content keeps', async () => {
    const ledger = memoryLedger();
    const id = await told(ledger, ['hi'], { keepContent: false });
    const inspection = await inspectLedger(ledger, id, { content: true });
    const items = inspection?.turns[0]?.items ?? [];
    expect(items.map(({ kept, item }) => [kept, item])).toEqual([
      [false, undefined],
      [false, undefined],
    ]);
  });

  it('tells the head where the store keeps nothing else', async () => {
    const { client } = simulated();
    const ledger = conversationLedger({ client });
    const session = new HybridSession({ client, ledger });
    await converse(runner, session, ['hi']);
    const id = await session.getSessionId();
    const head = await ledger.head(id);
    expect(await inspectLedger(ledger, id)).toMatchObject({
      length: 2,
      before: 2,
      digest: head?.digest,
      consistent: true,
      mirrored: undefined,
      turns: [{ items: [], responses: [{ id: head?.response?.id }] }],
    });
  });

  it('names the responses from which the server would not continue', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    await converse(runner, session, ['hi']);
    const id = await session.getSessionId();
    const parent = (await ledger.head(id))?.response?.id ?? '';
    await client.responses.delete(parent);
    await converse(runner, session, ['thanks'], { agent: assistantAgent() });
    const inspection = await inspectLedger(ledger, id);
    expect(inspection?.refused).toEqual([parent]);
    expect(inspection?.turns[0]?.responses).toMatchObject([{ id: parent, refused: true }]);
    expect(simulator.log.length).toBeGreaterThan(0);
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
    const version = (await ledger.head(id))?.version ?? 0;
    await ledger.close();
    const database = new Database(path);
    const damage = database.prepare('UPDATE hybrid_session_ledger_record SET record = ? WHERE position = ?');
    damage.run('{"v":1,"type":"items","items":[{"digest"', 0);
    damage.run('{"v":1,"type":"secret"}', version - 1);
    database.close();

    const again = sqliteLedger({ path });
    const inspection = await inspectLedger(again, id);
    await again.close();
    expect(inspection?.damaged).toEqual([
      { position: 0, reason: 'it is not JSON' },
      { position: version - 1, reason: expect.stringContaining('it is damaged at ') as string },
    ]);
    expect(inspection?.consistent).toBe(false);
    expect(inspection?.records).toBe(version);
    expect(inspection?.turns.length).toBeGreaterThan(0);
    expect(JSON.stringify(inspection)).not.toContain('secret');
  });
});
