import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { memoryLedger } from '../../src/index.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../../src/items/digest.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { compactedItems, contextAfter, seenHistory } from '../../src/ledger/view.ts';
import { resolveOptions } from '../../src/runtime/options.ts';
import { SessionRuntime } from '../../src/runtime/runtime.ts';
import { appendItems } from '../../src/session/append.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { recorder } from '../flows/support/story.ts';
import { assistant, texts, user } from '../support/conversation.ts';

const COMPACTION = { type: 'compaction', id: 'cmp_1', encrypted_content: 'short' } as const;
const OUTPUT: AgentInputItem[] = [COMPACTION, assistant('fine')];

const itemsOf = (...items: readonly AgentInputItem[]): LedgerStep => ({
  type: 'items',
  items: items.map((item) => ledgerItem(item, true)),
});

/** The words of messages, and the type of a compaction. */
const wordsOf = (items: readonly (AgentInputItem | undefined)[]): string[] =>
  items.map((item) => (item?.type === 'compaction' ? 'compaction' : texts([item]).join('')));

/** A session whose server has compacted a request with these items; its ledger has the first ones. */
async function compacted(sent: readonly AgentInputItem[], ...steps: readonly LedgerStep[]) {
  const store = memoryLedger();
  const ledger = new Ledger({ store: elsewhere(store), sessionId: 'user-42' });
  await ledger.append(() => [...steps]);
  const told = recorder();
  const runtime = new SessionRuntime(
    resolveOptions({ ledger: store, mirror: 'off', sessionId: 'user-42', onEvent: told.onEvent }),
  );
  const contexts = [EMPTY_DIGEST];
  for (const item of sent) contexts.push(extendDigest(contexts.at(-1) ?? '', itemDigest(item)));
  const output = OUTPUT.map((item) => ledgerItem(item, true));
  runtime.responses.answered({
    id: 'resp_1',
    time: 1,
    store: true,
    model: 'gpt-5.4',
    parent: undefined,
    context: { length: 2, digest: contextAfter('', output) },
    compacting: { items: sent, contexts },
    lineage: [],
  });
  await appendItems(runtime, OUTPUT);
  const state = await ledger.read({ fresh: true });
  return {
    ...told,
    transcript: wordsOf(state.entries.map(({ item }) => item)),
    seen: wordsOf([...compactedItems(state), ...seenHistory(state).entries.map(({ item }) => item)]),
    responses: state.responses.map(({ id }) => id),
    views: state.views,
  };
}

describe('the output of a request that the server compacted', () => {
  it('the input that the runner does not save stands before it, and a model sees it no more', async () => {
    const made = await compacted([user('one'), user('two')], itemsOf(user('one')));
    expect(made.transcript).toEqual(['one', 'two', 'compaction', 'fine']);
    expect(made.seen).toEqual(['compaction', 'fine']);
    expect(made.responses).toEqual(['resp_1']);
    expect(made.problems()).toEqual([]);
  });

  it('input behind an answer is no reason for a warning', async () => {
    const said = [user('one'), assistant('1')];
    const made = await compacted([...said, user('two')], itemsOf(...said));
    expect(made.transcript).toEqual(['one', '1', 'two', 'compaction', 'fine']);
    expect(made.problems()).toEqual([]);
  });

  it('input that is saved already is not doubled', async () => {
    const made = await compacted([user('one')], itemsOf(user('one')));
    expect(made.transcript).toEqual(['one', 'compaction', 'fine']);
    expect(made.views).toHaveLength(1);
    expect(made.problems()).toEqual([]);
  });

  it('an input that is not known is told', async () => {
    const made = await compacted([user('other'), user('two')], itemsOf(user('one'), assistant('1')));
    expect(made.transcript).toEqual(['one', '1', 'compaction', 'fine']);
    expect(made.of('input_unsaved')).toHaveLength(1);
  });

  it('a model sees all items where some came meanwhile, and not the compaction', async () => {
    const made = await compacted([user('one'), user('two')], itemsOf(user('one'), user('meanwhile')));
    expect(made.transcript).toEqual(['one', 'meanwhile', 'two', 'compaction', 'fine']);
    expect(made.seen).toEqual(['one', 'meanwhile', 'two', 'fine']);
    expect(made.views.at(-1)?.from).toBe(5);
    expect(made.problems()).toEqual([]);
  });

  it('an earlier compaction stays where items came meanwhile', async () => {
    const earlier = ledgerItem({ ...COMPACTION, encrypted_content: 'earlier' }, true);
    const made = await compacted(
      [user('one'), user('two')],
      itemsOf(user('one')),
      { type: 'view', from: 1, items: [ledgerItem(user('kept'), true), earlier] },
      itemsOf(user('meanwhile')),
    );
    expect(made.transcript).toEqual(['one', 'meanwhile', 'two', 'compaction', 'fine']);
    expect(made.seen).toEqual(['kept', 'compaction', 'meanwhile', 'two', 'fine']);
  });
});
