import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import type { ApiItem } from '../../src/conversation/items.ts';
import { ItemConverter, type ApiInputItem } from '../../src/items/item-converter.ts';
import { ledgerItem, recordOf } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { emptyState } from '../../src/ledger/state.ts';
import {
  findMislinked,
  requestItemId,
  toRequestItem,
  type PreparedItem,
} from '../../src/mirror/prepared-item.ts';
import { user } from '../support/conversation.ts';

const converter = new ItemConverter();
const reader = {
  toListedItems: async (items: readonly ApiItem[]) =>
    (await converter.toAgentItems(items)).map((item, index) => ({ id: items[index]?.id ?? '', item })),
};

/** A pending entry of a message or of reasoning. */
function prepared(
  item: ApiInputItem,
  { link, unlinked = false }: { link?: string; unlinked?: boolean } = {},
): PreparedItem {
  const state = emptyState();
  const said: AgentInputItem = item.type === 'reasoning' ? { type: 'reasoning', content: [] } : user('hi');
  const items = [{ ...ledgerItem(said, true), ...(link === undefined ? {} : { link }) }];
  applyRecords(state, [recordOf({ type: 'items', items }, { commit: 'commit', time: 0 })]);
  const [entry] = state.entries;
  if (entry === undefined) throw new Error('The ledger is empty');
  return { entry: { ...entry, unlinked }, commit: 'commit', item };
}

const message = (text: string, id?: string): ApiInputItem => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
  ...(id === undefined ? {} : { id }),
});

const thought = (text: string, id = ''): ApiInputItem => ({
  type: 'reasoning',
  id,
  summary: [{ type: 'summary_text', text }],
});

const stored = (item: ApiInputItem, id = 'msg_1'): ApiItem => ({ ...item, type: item.type ?? 'message', id });

describe('the form of a pending item in a request', () => {
  it('an item is sent with the ID that it is linked by, else with its own', () => {
    expect(toRequestItem(prepared(message('hi', 'own'), { link: 'msg_1' }))).toEqual(message('hi', 'msg_1'));
    expect(toRequestItem(prepared(message('hi', 'own')))).toEqual(message('hi', 'own'));
  });

  it('an item whose ID belongs to another item is sent without one', () => {
    expect(toRequestItem(prepared(message('hi', 'own'), { unlinked: true }))).toEqual(message('hi'));
  });

  it('an empty ID and one that is no text are none', () => {
    expect(requestItemId(message('hi', 'msg_1'))).toBe('msg_1');
    expect(requestItemId(message('hi'))).toBeUndefined();
    expect(requestItemId(message('hi', ''))).toBeUndefined();
    expect(requestItemId({ ...message('hi'), id: 5 } as unknown as ApiInputItem)).toBeUndefined();
  });
});

describe('the items that the API linked', () => {
  it('another item under the ID that was sent is mislinked', async () => {
    const chunk = [message('hi', 'a'), message('hi', 'b'), message('hi', 'c')].map((item) => prepared(item));
    const answers = [stored(message('hi')), stored(message('other')), stored(message('hi'))];
    expect(await findMislinked(reader, chunk, answers)).toEqual([1]);
  });

  it('an item without an ID and an item without an answer are not compared', async () => {
    expect(await findMislinked(reader, [prepared(message('hi'))], [stored(message('other'))])).toEqual([]);
    expect(await findMislinked(reader, [prepared(message('hi', 'a'))], [])).toEqual([]);
    const chunk = [prepared(message('hi')), prepared(message('hi', 'b'))];
    expect(await findMislinked(reader, chunk, [stored(message('x')), stored(message('y'))])).toEqual([1]);
  });

  it('reasoning is compared by its text', async () => {
    const chunk = [
      prepared(thought('one', 'a')),
      prepared(thought('two', 'b')),
      prepared(message('hi', 'c')),
    ];
    const same = [stored(thought('one')), stored(thought('two')), stored(message('hi'))];
    expect(await findMislinked(reader, chunk, same)).toEqual([]);
    const other = [stored(thought('one')), stored(thought('other')), stored(message('hi'))];
    expect(await findMislinked(reader, chunk, other)).toEqual([1]);
  });
});
