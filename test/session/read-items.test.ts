import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { memoryLedger } from '../../src/index.ts';
import { sessionForRequest } from '../../src/chaining/attribution.ts';
import { extendDigest, itemDigest, EMPTY_DIGEST } from '../../src/items/digest.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { resolveOptions } from '../../src/runtime/options.ts';
import { SessionRuntime } from '../../src/runtime/runtime.ts';
import type { TurnBeginning } from '../../src/runtime/turn.ts';
import { readItems } from '../../src/session/read-items.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { assistant, user } from '../support/conversation.ts';

const THOUGHT: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };

/** The runtime of a session with these items. */
async function reading(items: readonly AgentInputItem[], ...steps: readonly LedgerStep[]) {
  const store = memoryLedger();
  const ledger = new Ledger({ store: elsewhere(store), sessionId: 'user-42' });
  await ledger.append(() => [
    { type: 'items', items: items.map((item) => ledgerItem(item, true)) },
    ...steps,
  ]);
  const client = { conversations: {}, responses: {} } as never;
  const runtime = new SessionRuntime(
    resolveOptions({ client, ledger: store, mirror: 'off', sessionId: 'user-42' }),
  );
  const began: TurnBeginning[] = [];
  runtime.turn.began = (beginning) => void began.push(beginning);
  const append = (...more: LedgerStep[]): Promise<unknown> => ledger.append(() => more);
  return { runtime, began, client, append };
}

describe('a read that begins a turn', () => {
  it('a read with a limit is one of a part', async () => {
    const { runtime, began } = await reading([user('one'), assistant('1')]);
    await readItems(runtime, undefined);
    await readItems(runtime, 1);
    await readItems(runtime, 9);
    await readItems(runtime, 'all');
    expect(began.map(({ isPart, served, isRead }) => [isPart, served, isRead])).toEqual([
      [false, 2, true],
      [true, 1, true],
      [true, 2, true],
      [false, 2, true],
    ]);
  });

  it('a whole read alone finds the items that no model can read', async () => {
    const { runtime } = await reading([user('one'), THOUGHT, assistant('1')], {
      type: 'refused',
      id: 'rs_1',
    });
    await readItems(runtime, 1);
    expect([...runtime.unreplayable]).toEqual([]);
    await readItems(runtime, undefined);
    expect([...runtime.unreplayable]).toEqual(['rs_1']);
    await readItems(runtime, 1);
    expect([...runtime.unreplayable]).toEqual(['rs_1']);
  });

  it.each([
    ['without reasoning that no model can read', true, [user('one'), assistant('1')]],
    ['with reasoning that a model can read', false, [user('one'), THOUGHT, assistant('1')]],
  ])(
    'a request that begins with the served history %s is one of the session',
    async (_name, isRefused, sent) => {
      const refusal: LedgerStep[] = isRefused ? [{ type: 'refused', id: 'rs_1' }] : [];
      const { runtime, client } = await reading([user('one'), THOUGHT, assistant('1')], ...refusal);
      await readItems(runtime, undefined);
      const items = [...sent, user('two')];
      const contexts = [EMPTY_DIGEST];
      for (const item of items) contexts.push(extendDigest(contexts.at(-1) ?? '', itemDigest(item)));
      expect(sessionForRequest({ items, contexts, client })).toBe(runtime.responses);
    },
  );

  it('an item whose ID belongs to another item is sent without it, until it is its own again', async () => {
    const own = assistant('1', 'msg_1');
    const search = {
      type: 'hosted_tool_call',
      id: 'ws_1',
      name: 'web_search_call',
      status: 'completed',
      providerData: { type: 'web_search' },
    } as AgentInputItem;
    const items = [user('one'), search, THOUGHT, own];
    const { runtime, append } = await reading(items);
    await readItems(runtime, undefined);
    expect(runtime.forNextModel(search)).toMatchObject({ type: 'hosted_tool_call', id: 'ws_1' });
    await append({ type: 'mirror', added: [], removed: [], unlinked: [1, 2] });
    expect((await readItems(runtime, undefined)).map(({ type }) => type)).toEqual([
      'message',
      'hosted_tool_call',
      'message',
    ]);
    expect(runtime.forNextModel(search)).toMatchObject({ type: 'message', role: 'assistant' });
    await append({ type: 'mirror', added: [{ seq: 1, id: 'ws_1' }], removed: [] });
    await readItems(runtime, undefined);
    expect(runtime.forNextModel(search)).toMatchObject({ type: 'hosted_tool_call', id: 'ws_1' });
  });

  it('a limit counts what a model sees, from its end: entries first, and then a compaction', async () => {
    const compaction = { type: 'compaction', id: 'cmp_1', encrypted_content: 'x' } as const;
    const kept = [user('kept'), compaction].map((item) => ledgerItem(item, true));
    const behind = [user('two'), assistant('2')].map((item) => ledgerItem(item, true));
    const { runtime } = await reading(
      [user('one'), assistant('1')],
      { type: 'view', from: 2, items: kept },
      { type: 'items', items: behind },
    );
    const lengths: number[] = [];
    for (const limit of [1, 2, 3, 4, 9]) lengths.push((await readItems(runtime, limit)).length);
    expect(lengths).toEqual([1, 2, 3, 4, 4]);
    expect((await readItems(runtime, 3)).map(({ type }) => type)).toEqual([
      'compaction',
      'message',
      'message',
    ]);
  });

  it('a part of the history names no session', async () => {
    const said = [user('only here'), assistant('1')];
    const { runtime, client } = await reading(said);
    await readItems(runtime, 1);
    const contexts = [EMPTY_DIGEST];
    for (const item of said) contexts.push(extendDigest(contexts.at(-1) ?? '', itemDigest(item)));
    expect(sessionForRequest({ items: said, contexts, client })).toBeUndefined();
  });
});
