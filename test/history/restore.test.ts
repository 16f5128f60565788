import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { contentKey, contentFinder, restore, type ContentSource } from '../../src/history/restore.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { emptyState, type LedgerEntry } from '../../src/ledger/state.ts';
import { assistant, user } from '../support/conversation.ts';

/** Entries of a ledger, each with or without content, with the ID it has in the conversation. */
function entries(
  ...items: { item: AgentInputItem; mirrorId?: string; keep?: boolean }[]
): readonly LedgerEntry[] {
  const state = emptyState();
  const recorded = items.map(({ item, mirrorId, keep = false }) => ({
    ...ledgerItem(item, keep),
    ...(mirrorId === undefined ? {} : { mirrorId }),
  }));
  applyRecords(state, [{ v: 3, commit: 'c', time: 0, type: 'items', items: recorded }]);
  return state.entries;
}

const from = (source: ContentSource['source'], ...items: AgentInputItem[]): ContentSource => ({
  source,
  find: contentFinder(items),
});

const cited = (id: string, url: string): AgentInputItem => ({
  type: 'message',
  role: 'assistant',
  status: 'completed',
  id,
  content: [{ type: 'output_text', text: 'see here', providerData: { annotations: [{ url }] } }],
});

const reasoning = (id: string): AgentInputItem => ({ type: 'reasoning', id, content: [] });

const request = (id: string): AgentInputItem => ({
  type: 'hosted_tool_call',
  id,
  name: 'mcp_approval_request',
  status: 'completed',
  providerData: { type: 'mcp_approval_request', id, name: 'pay', arguments: '{}', server_label: 's' },
});

describe('an entry', () => {
  test('an entry has the content of the ledger, even if a source has other content', () => {
    const [restored] = restore(entries({ item: user('hi'), keep: true }), [from('list', user('hi'))]);
    expect(restored).toMatchObject({ source: 'ledger', item: user('hi') });
  });

  test('an entry has the content of the first source with it', () => {
    const sources = [
      from('list', user('a')),
      from('response', user('a'), user('b')),
      from('chain', user('c')),
    ];
    const restored = restore(
      entries({ item: user('a') }, { item: user('b') }, { item: user('c') }, { item: user('d') }),
      sources,
    );
    expect(restored.map(({ source }) => source)).toEqual(['list', 'response', 'chain', undefined]);
    expect(restored.map(({ item }) => item)).toEqual([user('a'), user('b'), user('c'), undefined]);
  });

  test('a restored item has its ID in the conversation, else its original ID', () => {
    const restored = restore(
      entries(
        { item: assistant('a', 'msg_model'), mirrorId: 'msg_listed', keep: true },
        { item: assistant('b', 'msg_model'), keep: true },
        { item: user('c'), keep: true },
        { item: assistant('d', 'msg_model'), mirrorId: 'msg_listed' },
      ),
      [from('chain', assistant('d', 'msg_elsewhere'))],
    );
    expect(restored.map(({ item }) => (item !== undefined && 'id' in item ? item.id : undefined))).toEqual([
      'msg_listed',
      'msg_model',
      undefined,
      'msg_listed',
    ]);
  });

  test('a restored item has its ID also in its provider data', () => {
    const [restored] = restore(entries({ item: request('mcpr_2'), mirrorId: 'mcpr_2' }), [
      from('chain', request('mcpr_1')),
    ]);
    expect(restored?.item).toMatchObject({ id: 'mcpr_2', providerData: { id: 'mcpr_2' } });
  });
});

describe('items that a model reads alike', () => {
  const alike = [cited('msg_1', 'first'), cited('msg_2', 'second')];

  test('equal items keep their own content, found by ID', () => {
    const restored = restore(entries({ item: cited('msg_2', 'second') }, { item: cited('msg_1', 'first') }), [
      from('list', ...alike),
    ]);
    expect(restored.map(({ item }) => item)).toEqual([cited('msg_2', 'second'), cited('msg_1', 'first')]);
  });

  test('equal items are found by their ID in the conversation first', () => {
    const [restored] = restore(entries({ item: cited('msg_1', 'first'), mirrorId: 'msg_2' }), [
      from('list', ...alike),
    ]);
    expect(restored?.item).toEqual(cited('msg_2', 'second'));
  });

  test('an equal item replaces one with an unknown ID', () => {
    const [restored] = restore(entries({ item: cited('msg_9', 'lost') }), [from('list', ...alike)]);
    expect(restored?.item).toEqual(cited('msg_9', 'first'));
  });
});

test('an altered item is not the content of its ID', () => {
  const [restored] = restore(entries({ item: assistant('yes'), mirrorId: 'msg_1' }), [
    from('list', assistant('no', 'msg_1')),
  ]);
  expect(restored).toMatchObject({ item: undefined, source: undefined });
});

test('reasoning is found by its ID only', () => {
  const restored = restore(entries({ item: reasoning('rs_1') }, { item: reasoning('rs_2') }), [
    from('list', reasoning('rs_2')),
  ]);
  expect(restored.map(({ item }) => item)).toEqual([undefined, reasoning('rs_2')]);
});

test('the key of content separates digest and ID', () => {
  expect(contentKey('a', 'b')).not.toBe(contentKey('a b', undefined));
  expect(contentKey(null, 'a')).not.toBe(contentKey('a', undefined));
});

const hostedCall = (providerData: object): AgentInputItem => ({
  type: 'hosted_tool_call',
  id: 'ws_1',
  name: 'web_search_call',
  status: 'completed',
  providerData: { type: 'web_search_call', ...providerData },
});

describe('the ID of what is restored', () => {
  test('the ID of a restored item replaces an ID in its provider data, and adds none', () => {
    const [bare] = restore(entries({ item: hostedCall({}), mirrorId: 'ws_2', keep: true }), []);
    expect(bare?.item).toStrictEqual({ ...hostedCall({}), id: 'ws_2' });
    const [numbered] = restore(entries({ item: hostedCall({ id: 7 }), mirrorId: 'ws_2', keep: true }), []);
    expect(numbered?.item?.providerData).toEqual({ type: 'web_search_call', id: 7 });
    const [known] = restore(entries({ item: hostedCall({ id: 'ws_1' }), mirrorId: 'ws_2', keep: true }), []);
    expect(known?.item).toStrictEqual({ ...hostedCall({ id: 'ws_2' }), id: 'ws_2' });
  });

  test('a restored item without an ID gets none', () => {
    const [restored] = restore(entries({ item: user('a'), keep: true }), []);
    expect(restored?.item).toStrictEqual(user('a'));
  });
});
