import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { memoryLedger, type LedgerStore } from '../../src/index.ts';
import type { HistoryReference } from '../../src/chaining/history-reference.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { digestOf } from '../../src/ledger/state.ts';
import { seenDigest, seenHistory, seenLength } from '../../src/ledger/view.ts';
import { resolveOptions } from '../../src/runtime/options.ts';
import { SessionRuntime } from '../../src/runtime/runtime.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { assistant, user } from '../support/conversation.ts';
import { notedSpans } from '../support/spans.ts';

const COMPACTION = { type: 'compaction', id: 'cmp_1', encrypted_content: 'short' } as const;
const THOUGHT: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };

/** The words of items, or their types. */
const outlineOf = (items: readonly AgentInputItem[]): string[] =>
  items.map((item) => {
    if (!('content' in item) || item.type === 'reasoning') return item.type;
    return typeof item.content === 'string' ? item.content : JSON.stringify(item.content).slice(-40);
  });

const itemsOf = (...items: readonly AgentInputItem[]): LedgerStep => ({
  type: 'items',
  items: items.map((item) => ledgerItem(item, true)),
});

/** A session with these items, whose history is referenced. */
async function referenced(...items: readonly AgentInputItem[]) {
  const store: LedgerStore = memoryLedger();
  const ledger = new Ledger({ store: elsewhere(store), sessionId: 'user-42' });
  const append = (...steps: LedgerStep[]): Promise<unknown> => ledger.append(() => steps);
  await append(itemsOf(...items));
  const { spans, observer } = notedSpans();
  const runtime = new SessionRuntime(
    resolveOptions({
      ledger: store,
      mirror: 'off',
      sessionId: 'user-42',
      observers: [observer],
    }),
  );
  /** Names the first items that a model sees now; without a count all of them. */
  const reference = async (count?: number): Promise<HistoryReference> => {
    const state = await ledger.read();
    const { before, contextAt } = seenHistory(state);
    return {
      sessionId: 'user-42',
      version: state.version,
      length: count === undefined ? seenLength(state) : before + count,
      digest: count === undefined ? seenDigest(state) : contextAt(count),
    };
  };
  const expand = (given: HistoryReference): Promise<AgentInputItem[]> =>
    runtime.responses.history.expand(given);
  return { runtime, ledger, append, reference, expand, spans };
}

describe('the history behind a reference', () => {
  it('a reference stands for the items of its moment', async () => {
    const { reference, expand, append, spans } = await referenced(user('one'), user('two'));
    const both = await reference();
    const first = await reference(1);
    const none = await reference(0);
    await append(itemsOf(user('three')));
    expect(outlineOf(await expand(both))).toEqual(['one', 'two']);
    expect(outlineOf(await expand(first))).toEqual(['one']);
    expect(await expand(none)).toEqual([]);
    expect(spans[0]).toEqual({
      name: 'read',
      failure: undefined,
      sessionId: 'user-42',
      mode: 'chain',
      served: 'ledger',
      reason: 'reference',
      items: 2,
    });
  });

  it('a reference gives copies', async () => {
    const { reference, expand } = await referenced(user('one'));
    const given = await reference();
    const [item] = await expand(given);
    Object.assign(item ?? {}, { content: 'changed' });
    expect(outlineOf(await expand(given))).toEqual(['one']);
  });

  it('a reference from before a compaction stands for what a model saw then', async () => {
    const { reference, expand, append } = await referenced(user('one'), user('two'));
    const before = await reference();
    await append({ type: 'view', from: 2, items: [ledgerItem(COMPACTION, true)] }, itemsOf(user('three')));
    const [compaction, after] = [await reference(0), await reference()];
    await append(itemsOf(user('four')));
    expect(outlineOf(await expand(before))).toEqual(['one', 'two']);
    expect(outlineOf(await expand(compaction))).toEqual(['compaction']);
    expect(outlineOf(await expand(after))).toEqual(['compaction', 'three']);
  });

  it('a reference from before another item came between is read at its version', async () => {
    const { reference, expand, append, runtime } = await referenced(user('one'), user('two'));
    const given = await reference();
    await runtime.run(({ ledger }) => ledger.read());
    const foreign = ledgerItem(user('foreign'), true);
    await append({ type: 'replace', keep: 1, items: [foreign, { seq: 1 }] });
    expect(outlineOf(await expand(await reference()))).toEqual(['one', 'foreign', 'two']);
    expect(outlineOf(await expand(given))).toEqual(['one', 'two']);
  });

  it('a reference to a removed item is gone', async () => {
    const { reference, expand, append } = await referenced(user('one'), user('two'));
    const given = await reference();
    await append({ type: 'pop' });
    await expect(expand(given)).rejects.toMatchObject({ reason: 'gone' });
  });

  it('a reference of another process to newer items is read from the store', async () => {
    const { reference, expand, append, runtime } = await referenced(user('one'));
    await runtime.run(({ ledger }) => ledger.read());
    await append(itemsOf(user('two')));
    expect(outlineOf(await expand(await reference()))).toEqual(['one', 'two']);
  });

  it('a reference of another session is refused with its reason', async () => {
    const { reference, expand, spans } = await referenced(user('one'));
    const given = { ...(await reference()), sessionId: 'user-43' };
    await expect(expand(given)).rejects.toMatchObject({
      code: 'history_reference',
      reason: 'no_session',
      sessionId: 'user-43',
    });
    expect(spans).toMatchObject([{ name: 'read', failure: 'history_reference' }]);
  });

  it.each([
    ['digest', { digest: 'other' }],
    ['shorter length', { length: 1 }],
    ['longer length', { length: 3 }],
    ['negative length', { length: -1 }],
  ])('a reference with another %s is gone', async (_name, change) => {
    const { reference, expand } = await referenced(user('one'), user('two'));
    await expect(expand({ ...(await reference()), ...change })).rejects.toMatchObject({
      reason: 'gone',
      sessionId: 'user-42',
    });
  });

  it('a reference of a cleared history is gone', async () => {
    const { reference, expand, ledger } = await referenced(user('one'));
    const given = await reference();
    await ledger.clear();
    await expect(expand(given)).rejects.toMatchObject({ reason: 'gone' });
  });

  it('items that a model cannot read are left out', async () => {
    const { reference, expand, append } = await referenced(user('one'), THOUGHT, assistant('1'));
    expect((await expand(await reference())).map(({ type }) => type)).toEqual([
      'message',
      'reasoning',
      'message',
    ]);
    await append({ type: 'refused', id: 'rs_1' });
    expect((await expand(await reference())).map(({ type }) => type)).toEqual(['message', 'message']);
  });

  it('an item whose ID belongs to another item is shown by its content', async () => {
    const search = {
      type: 'hosted_tool_call',
      id: 'ws_1',
      name: 'web_search_call',
      status: 'completed',
      providerData: { type: 'web_search', query: 'weather' },
    } as AgentInputItem;
    const { reference, expand, append } = await referenced(user('one'), THOUGHT, search, assistant('1'));
    const own = await expand(await reference());
    expect(own[2]).toMatchObject({ type: 'hosted_tool_call', id: 'ws_1' });
    await append({ type: 'mirror', added: [], removed: [], unlinked: [1, 2] });
    const shown = await expand(await reference());
    expect(shown.map(({ type }) => type)).toEqual(['message', 'message', 'message']);
    expect(JSON.stringify(shown[1])).toContain('web_search_call');
    expect(JSON.stringify(shown)).not.toContain('ws_1');
  });

  it('a digest of the whole transcript is not one of what a model sees', async () => {
    const { reference, expand, append, ledger } = await referenced(user('one'), user('two'));
    await append({ type: 'view', from: 1, items: [] });
    const state = await ledger.read();
    const given = { ...(await reference()), digest: digestOf(state), length: 1 };
    await expect(expand(given)).rejects.toMatchObject({ reason: 'gone' });
  });
});

describe('a reference that is made', () => {
  it('the span tells that a reference was served', async () => {
    const { runtime, append, ledger, spans } = await referenced(user('one'), assistant('1'));
    const state = await ledger.read();
    await append({
      type: 'response',
      id: 'resp_1',
      store: true,
      context: { length: 2, digest: digestOf(state) },
    });
    expect(await runtime.responses.history.reference()).toMatchObject({ sessionId: 'user-42', length: 2 });
    expect(spans).toEqual([
      {
        name: 'read',
        failure: undefined,
        sessionId: 'user-42',
        mode: 'chain',
        served: 'reference',
        items: 1,
      },
    ]);
  });

  it('what another process has appended is seen', async () => {
    const { runtime, append, ledger } = await referenced(user('one'), assistant('1'));
    const context = { length: 2, digest: digestOf(await ledger.read()) };
    await append({ type: 'response', id: 'resp_1', store: true, context });
    await runtime.run(({ ledger: own }) => own.read({ scope: 'tail' }));
    await append(itemsOf(user('two')));
    expect(await runtime.responses.history.reference()).toBe('diverged');
  });
});
