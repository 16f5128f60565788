import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import {
  danglingReasoning,
  encryptedContentOf,
  isReasoning,
  isReplayable,
  leaveOutReasoning,
  lostKey,
  type LeaveOut,
} from '../../src/items/reasoning.ts';
import { assistant, call, result, texts, user } from '../support/conversation.ts';

function reasoning(id?: string, providerData?: Record<string, unknown>): AgentInputItem {
  return {
    type: 'reasoning',
    content: [{ type: 'input_text', text: 'a thought' }],
    ...(id === undefined ? {} : { id }),
    ...(providerData === undefined ? {} : { providerData }),
  };
}

const hostedCall: AgentInputItem = { type: 'hosted_tool_call', name: 'web_search_call', id: 'ws_1' };

describe('the encrypted content of reasoning', () => {
  test.each([
    ['the name of the API', { encrypted_content: 'sealed' }, 'sealed'],
    ['the name of the SDK', { encryptedContent: 'sealed' }, 'sealed'],
    ['both names', { encrypted_content: 'first', encryptedContent: 'second' }, 'first'],
    ['no name', {}, undefined],
    ['an empty text', { encrypted_content: '' }, undefined],
    ['a number', { encrypted_content: 7 }, undefined],
  ])('encrypted content is read from %s', (_place, providerData, expected) => {
    expect(encryptedContentOf(reasoning('rs_1', providerData))).toBe(expected);
  });

  test('reasoning without provider data has no encrypted content', () => {
    expect(encryptedContentOf(reasoning('rs_1'))).toBeUndefined();
  });
});

describe('reasoning that can be sent again', () => {
  test('reasoning is told apart from other items, also in the form of an unknown item', () => {
    expect(isReasoning(reasoning('rs_1'))).toBe(true);
    expect(isReasoning({ type: 'unknown', providerData: { type: 'reasoning' } })).toBe(true);
    expect(isReasoning(assistant('hi'))).toBe(false);
  });

  test.each([
    ['an ID of the API', reasoning('rs_1'), true],
    ['encrypted content', reasoning(undefined, { encrypted_content: 'sealed' }), true],
    ['an ID of another provider', reasoning('thought-1'), false],
    ['neither ID nor encrypted content', reasoning(), false],
  ])('reasoning with %s is replayable: %s', (_form, item, expected) => {
    expect(isReplayable(item)).toBe(expected);
  });

  test('a lost item is named by its ID, or else by its encrypted content', () => {
    expect(lostKey(reasoning('rs_1', { encrypted_content: 'sealed' }))).toBe('rs_1');
    const sealed = lostKey(reasoning(undefined, { encrypted_content: 'sealed' }));
    expect(sealed).toMatch(/^.{20,}$/);
    expect(lostKey(reasoning(undefined, { encrypted_content: 'sealed' }))).toBe(sealed);
    expect(lostKey(reasoning(undefined, { encrypted_content: 'other' }))).not.toBe(sealed);
    expect(lostKey(user('hi'))).toBeUndefined();
  });
});

describe('dangling reasoning', () => {
  test.each([
    ['before an answer', [reasoning('rs_1'), assistant('hi')], []],
    ['before a call', [reasoning('rs_1'), call('c1', 'look', {})], []],
    ['before a hosted call', [reasoning('rs_1'), hostedCall], []],
    ['at the end', [assistant('hi'), reasoning('rs_1')], [1]],
    ['before a user message', [reasoning('rs_1'), user('hi'), assistant('hello')], [0]],
    ['before a result', [reasoning('rs_1'), result('c1', 'look', 'x')], [0]],
    ['before reasoning that an answer follows', [reasoning('rs_1'), reasoning('rs_2'), assistant('hi')], []],
    ['before reasoning at the end', [reasoning('rs_1'), reasoning('rs_2')], [0, 1]],
    ['before a missing item and an answer', [reasoning('rs_1'), undefined, assistant('hi')], []],
    ['before a missing item at the end', [reasoning('rs_1'), undefined], [0]],
  ])('reasoning %s dangles where no output follows', (_place, items, expected) => {
    expect(danglingReasoning(items)).toEqual(new Set(expected));
  });
});

/** Leaves out `rs_1`, and sends messages without their IDs. */
const rules = (changes: Partial<LeaveOut> = {}): LeaveOut => ({
  isLeftOut: (item) => 'id' in item && item.id === 'rs_1',
  lacksReasoning: () => false,
  withoutId: (item) => (texts([item]).join() === '' ? undefined : assistant(texts([item]).join())),
  ...changes,
});

describe('input without some of its reasoning', () => {
  test('items after the reasoning lose their IDs until the next input', () => {
    const input = [
      user('one'),
      reasoning('rs_1'),
      assistant('a', 'msg_1'),
      assistant('b', 'msg_2'),
      user('two'),
      assistant('c', 'msg_3'),
    ];
    const { items, leftOut } = leaveOutReasoning(input, rules());
    expect(leftOut).toEqual([reasoning('rs_1')]);
    expect(items).toEqual([
      user('one'),
      assistant('a'),
      assistant('b'),
      user('two'),
      assistant('c', 'msg_3'),
    ]);
  });

  test('other reasoning of the same output keeps its ID', () => {
    const input = [reasoning('rs_1'), reasoning('rs_2'), assistant('a', 'msg_1')];
    const { items } = leaveOutReasoning(input, rules());
    expect(items).toEqual([reasoning('rs_2'), assistant('a')]);
  });

  test('an item that is left out without being reasoning tears nothing', () => {
    const input = [assistant('a', 'msg_1'), assistant('b', 'msg_2')];
    const { items, leftOut } = leaveOutReasoning(input, rules({ isLeftOut: (_item, index) => index === 0 }));
    expect(items).toEqual([assistant('b', 'msg_2')]);
    expect(leftOut).toEqual([assistant('a', 'msg_1')]);
  });

  test('an item whose reasoning is absent loses its ID, with the IDs before it at hand', () => {
    const asked: [AgentInputItem, string[], boolean?][] = [];
    const input = [user('one'), reasoning('rs_2'), assistant('a', 'msg_1'), call('c1', 'look', {})];
    const { items } = leaveOutReasoning(
      input,
      rules({
        lacksReasoning: (item, present) => {
          asked.push([item, [...present]]);
          return 'id' in item && item.id === 'msg_1';
        },
        withoutId: (item, isTorn) => {
          asked.push([item, [], isTorn]);
          return assistant('a');
        },
      }),
    );
    expect(items).toEqual([user('one'), reasoning('rs_2'), assistant('a'), call('c1', 'look', {})]);
    expect(asked).toEqual([
      [assistant('a', 'msg_1'), ['rs_2']],
      [assistant('a', 'msg_1'), [], false],
    ]);
  });

  test('an item that cannot be sent without its ID is left out, too', () => {
    const torn: boolean[] = [];
    const withoutId: LeaveOut['withoutId'] = (_item, isTorn) => void torn.push(isTorn);
    const { items, leftOut } = leaveOutReasoning([reasoning('rs_1'), hostedCall], rules({ withoutId }));
    expect(items).toEqual([]);
    expect(leftOut).toEqual([reasoning('rs_1'), hostedCall]);
    expect(torn).toEqual([true]);
  });

  test('an input item keeps its ID behind a torn output', () => {
    const input = [reasoning('rs_1'), { ...user('one'), id: 'msg_7' }];
    expect(leaveOutReasoning(input, rules()).items).toEqual([{ ...user('one'), id: 'msg_7' }]);
  });
});
