import { describe, expect, it } from 'vitest';
import type { ApiItem } from '../../../src/conversation/items.ts';
import { ItemIndex, type ItemFacts } from '../../../src/doctor/evidence/item-index.ts';
import { itemDigest } from '../../../src/items/digest.ts';
import { ItemConverter } from '../../../src/items/item-converter.ts';
import { user } from '../../support/conversation.ts';

const index = (keepContent = true): ItemIndex => new ItemIndex(new ItemConverter(), keepContent);

const message = (id: string, text: string, status = 'completed'): ApiItem => ({
  type: 'message',
  id,
  role: 'user',
  status,
  content: [{ type: 'input_text', text }],
});

const call = (id: string, callId: string): ApiItem => ({
  type: 'function_call',
  id,
  call_id: callId,
  name: 'look',
  arguments: '{}',
  status: 'completed',
});

const reasoning = (id: string): ApiItem => ({ type: 'reasoning', id, summary: [] });

async function keys(of: ItemIndex, ...items: ApiItem[]): Promise<number[]> {
  return (await of.add(items)).map(({ key }) => key);
}

const contents = async (keep: boolean): Promise<ItemFacts['item'][]> => {
  const items = index(keep);
  const [listed = -1] = await keys(items, message('1', 'hi'));
  const { key } = items.addEntry({ digest: 'digest', kind: 'message:user', item: user('bye') }, '2');
  return [items.facts(listed).item, items.facts(key).item];
};

describe('the index of items', () => {
  it('equal items have one key, whatever their ID and their status', async () => {
    const items = index();
    const [one, same, other] = await items.add([
      message('1', 'hi'),
      message('2', 'hi', 'incomplete'),
      message('3', 'bye'),
    ]);
    expect([one?.id, same?.id, other?.id]).toEqual(['1', '2', '3']);
    expect(same?.key).toBe(one?.key);
    expect(other?.key).not.toBe(one?.key);
    expect(await keys(items, message('4', 'bye'), message('5', 'hi'))).toEqual([other?.key, one?.key]);
  });

  it('reasoning is told apart by its ID', async () => {
    const items = index();
    const [one, other, again] = await keys(items, reasoning('1'), reasoning('2'), reasoning('1'));
    expect(other).not.toBe(one);
    expect(again).toBe(one);
    expect(items.find(null, '2')).toBe(other);
    expect(items.find(null, '3')).toBeUndefined();
    expect(items.find(null, undefined)).toBeUndefined();
  });

  it('the facts of an item are those of the first one seen', async () => {
    const items = index();
    const [said = -1, , called = -1, thought = -1] = await keys(
      items,
      message('1', 'hi'),
      message('2', 'hi'),
      call('3', 'call_1'),
      reasoning('4'),
    );
    const digest = itemDigest(user('hi'));
    expect(items.facts(said)).toMatchObject({
      digest,
      kind: 'message:user',
      role: 'input',
      id: '1',
      callId: '',
    });
    expect(items.facts(called)).toMatchObject({ kind: 'function_call', role: 'output', callId: 'call_1' });
    expect(items.facts(thought)).toMatchObject({
      digest: null,
      kind: 'reasoning',
      role: 'reasoning',
      id: '4',
    });
    expect(items.find(digest, 'any')).toBe(said);
  });

  it('a key that was never given is an error', () => {
    expect(() => index().facts(0)).toThrow(new RangeError('The index has no item 0'));
  });

  it('the content is kept only with the option', async () => {
    expect(await contents(true)).toMatchObject([{ content: [{ text: 'hi' }] }, user('bye')]);
    expect(await contents(false)).toEqual([undefined, undefined]);
  });

  it('an entry of a ledger and an item of the API with its digest are one', async () => {
    const items = index();
    const digest = itemDigest(user('hi'));
    const { id, key } = items.addEntry({ digest, kind: 'message:user', item: undefined }, '9');
    expect(id).toBe('9');
    expect(items.facts(key)).toEqual({
      digest,
      kind: 'message:user',
      role: 'input',
      id: '9',
      callId: '',
      item: undefined,
    });
    expect(await keys(items, message('1', 'hi'))).toEqual([key]);
    // The content comes from the API where the ledger kept none.
    expect(items.facts(key)).toMatchObject({ id: '1', item: { content: [{ text: 'hi' }] } });
  });

  it('an entry that holds its content keeps its facts, and names its call', async () => {
    const items = index();
    const item = { type: 'function_call', callId: 'call_1', name: 'look', arguments: '{}' } as const;
    const known = { digest: itemDigest(item), kind: 'function_call', item };
    const { key } = items.addEntry(known, '9');
    await items.add([call('1', 'call_1')]);
    expect(items.facts(key)).toMatchObject({ id: '9', role: 'output', callId: 'call_1', item });
    expect(items.addEntry(known, '10').key).toBe(key);
  });

  it('reasoning of a ledger is found by its ID', async () => {
    const items = index();
    const { key } = items.addEntry({ digest: null, kind: 'reasoning', item: undefined }, '4');
    expect(await keys(items, reasoning('4'))).toEqual([key]);
    expect(items.find(null, '4')).toBe(key);
  });
});
