import { Agent } from '@openai/agents';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PlannedRequest } from '../../src/index.ts';
import { HybridRunner, HybridSession, type LedgerStore } from '../../src/index.ts';
import { LEDGER_FORMAT } from '../../src/ledger/ledger-record.ts';
import { roles, texts } from '../support/conversation.ts';
import { simulated, type Simulated } from '../support/simulated.ts';
import { engines } from './support/engines.ts';
import type { Engine } from './support/engine.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

/** A world in which every conversation loses its answers, and a place for ledgers. */
async function world(
  engine: Engine,
): Promise<Simulated & { open: () => Promise<LedgerStore>; close: () => Promise<void> }> {
  const place = await engine.create();
  let closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    const closing = closers;
    closers = [];
    for (const one of closing) await one();
  };
  onTestFinished(async () => {
    await close();
    await place.remove?.();
  });
  const open = async (): Promise<LedgerStore> => {
    const opened = await place.open();
    if (opened.close !== undefined) closers.push(opened.close);
    return opened.store;
  };
  return { ...simulated({ unlink: 'every-turn' }), open, close };
}

/** Runs turns one after the other. */
async function converse(session: HybridSession, inputs: readonly string[]): Promise<void> {
  const runner = new HybridRunner({ tracingDisabled: true });
  for (const input of inputs) await runner.run(agent, input, { session });
}

const available = engines.filter(({ missing }) => missing === undefined);

describe.for(available)('A session whose ledger is in $name', { timeout: 60_000 }, (engine) => {
  it('goes on where another process stopped, with the conversation ID and the store alone', async () => {
    const { client, open, close } = await world(engine);
    const first = new HybridSession({ client, ledger: await open() });
    await converse(first, ['my name is Ada', 'what can you do?', 'give me one example']);
    const conversationId = await first.getSessionId();
    const before = await first.getItems();
    await close();

    const planned: PlannedRequest[] = [];
    const second = new HybridSession({
      client,
      conversationId,
      ledger: await open(),
      onEvent: (event) => {
        if (event.type === 'planned') planned.push(event);
      },
    });
    expect(await second.getItems()).toEqual(before);
    await converse(second, ['what is my name?']);
    expect(planned).toMatchObject([{ plan: 'chain', sent: 1, context: 7 }]);
    expect(roles(await second.getItems())).toBe('u,a,u,a,u,a,u,a');
    expect(texts(await second.getItems()).at(-1)).toContain('my name is Ada');
    expect(await second.verify()).toMatchObject({ verified: true, length: 8, missing: [], unproven: 0 });
  });

  it('keeps the turns of two processes that write at once', async () => {
    const { client, open } = await world(engine);
    const one = new HybridSession({ client, ledger: await open() });
    await converse(one, ['first']);
    const conversationId = await one.getSessionId();
    const other = new HybridSession({ client, conversationId, ledger: await open() });
    await Promise.all([
      converse(one, ['from one', 'and again']),
      converse(other, ['from the other', 'once more']),
    ]);
    const items = await one.getItems();
    expect(
      texts(items)
        .filter((text) => /^(first|from|and|once)/.test(text))
        .toSorted(),
    ).toEqual(['and again', 'first', 'from one', 'from the other', 'once more']);
    expect(items).toHaveLength(10);
    expect(await other.getItems()).toEqual(items);
    expect(await one.verify()).toMatchObject({ verified: true, length: 10 });
  });

  it('keeps a head of a few hundred bytes, however long it is', async () => {
    const { client, open } = await world(engine);
    const ledger = await open();
    const session = new HybridSession({ client, ledger });
    const sizes: number[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      await converse(session, [`turn ${turn}: ${'words '.repeat(50)}`]);
      sizes.push(JSON.stringify(await ledger.head(await session.getSessionId())).length);
    }
    expect(Math.max(...sizes)).toBeLessThan(600);
    expect(await ledger.head(await session.getSessionId())).toMatchObject({
      format: LEDGER_FORMAT,
      length: 16,
    });
  });

  it('holds no word of what was said when it keeps no content, and still serves all of it', async () => {
    const { client, open, close } = await world(engine);
    const ledger = await open();
    const session = new HybridSession({ client, ledger, keepContent: false });
    await converse(session, ['my favourite colour is vermilion', 'what is my favourite colour?']);
    const conversationId = await session.getSessionId();
    const kept = JSON.stringify([await ledger.read(conversationId), await ledger.head(conversationId)]);
    expect(kept).not.toMatch(/vermilion|favourite|colour/);
    await close();
    const again = new HybridSession({ client, conversationId, ledger: await open(), keepContent: false });
    expect(texts(await again.getItems()).filter((text) => text.includes('vermilion')).length).toBeGreaterThan(
      1,
    );
    expect(await again.verify()).toMatchObject({ verified: true, length: 4 });
  });

  it('is gone from the store when it is cleared', async () => {
    const { client, open } = await world(engine);
    const ledger = await open();
    const session = new HybridSession({ client, ledger });
    await converse(session, ['my name is Ada']);
    const id = await session.getSessionId();
    expect((await ledger.read(id)).records).not.toEqual([]);
    await session.clearSession();
    expect(await ledger.read(id)).toEqual({ records: [] });
    expect(await ledger.head(id)).toBeUndefined();
  });
});
