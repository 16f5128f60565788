import { describe, expect, it } from 'vitest';
import { auditList, auditSession, type SoakCall } from '../../scripts/soak/audit.mjs';

const NOTHING = { doubled: [], returned: [], lost: [], displaced: [], torn: [], foreign: [] };

let time = 0;

/** A call that ends before the next one begins. */
function call(kind: string, tokens: string[], more: Partial<SoakCall> = {}): SoakCall {
  time += 2;
  return {
    process: 'w0',
    kind,
    tokens,
    began: time,
    ended: time + 1,
    outcome: 'done',
    conversationId: 'conv_1',
    ...more,
  };
}

const add = (tokens: string[], more: Partial<SoakCall> = {}): SoakCall => call('add', tokens, more);

describe('auditSession', () => {
  it('auditSession finds no fault in a history that holds each acknowledged item once', () => {
    const calls = [add(['a', 'b']), add(['c'], { process: 'w1' }), add(['d'])];
    expect(auditSession({ calls, histories: [['a', 'b', 'c', 'd']] })).toEqual(NOTHING);
  });

  it.each([
    ['an acknowledged item is absent', [add(['a']), add(['b'])], ['a'], { lost: ['b'] }],
    ['an item stands twice', [add(['a']), add(['b'])], ['a', 'b', 'a'], { doubled: ['a'] }],
    [
      'an item of a rejected call stands twice',
      [add(['a'], { outcome: 'failed' })],
      ['a', 'a'],
      { doubled: ['a'] },
    ],
    ['two items of a process are out of order', [add(['a']), add(['b'])], ['b', 'a'], { displaced: ['b'] }],
    ['a rejected call is there in part', [add(['a', 'b'], { outcome: 'failed' })], ['a'], { torn: ['b'] }],
    ['an item was never added', [add(['a'])], ['a', 'x'], { foreign: ['x'] }],
    ['a popped item is back', [add(['a']), call('pop', [], { popped: 'a' })], ['a'], { returned: ['a'] }],
    [
      'a cleared item is back',
      [add(['a']), call('clear', [], { cleared: 'conv_1' })],
      ['a'],
      { returned: ['a'] },
    ],
  ] as const)('auditSession finds that %s', (_, calls, history, expected) => {
    expect(auditSession({ calls, histories: [history] })).toEqual({ ...NOTHING, ...expected });
  });

  it('auditSession accepts a call without an acknowledgement, present or absent', () => {
    const calls = [add(['a'], { outcome: 'failed' }), add(['b'], { outcome: 'died' })];
    for (const history of [[], ['a'], ['b'], ['b', 'a']])
      expect(auditSession({ calls, histories: [history] })).toEqual(NOTHING);
  });

  it('auditSession accepts one absent item for each pop without an answer', () => {
    const calls = [add(['a', 'b', 'c']), call('pop', [], { outcome: 'died' })];
    expect(auditSession({ calls, histories: [['a', 'b']] })).toEqual(NOTHING);
    expect(auditSession({ calls, histories: [['a']] }).lost).toEqual(['b', 'c']);
  });

  it('auditSession accepts an absent popped item', () => {
    const calls = [add(['a', 'b']), call('pop', [], { popped: 'b' })];
    expect(auditSession({ calls, histories: [['a']] })).toEqual(NOTHING);
  });

  it('auditSession accepts a call during a clear, present or absent, and expects the calls after it', () => {
    const clear = call('clear', [], { cleared: 'conv_1', ended: time + 100 });
    const during = add(['a'], { process: 'w1' });
    time += 200;
    const after = add(['b'], { conversationId: 'conv_2' });
    const calls = [clear, during, after];
    for (const histories of [[['b']], [['a'], ['b']]])
      expect(auditSession({ calls, histories })).toEqual(NOTHING);
    expect(auditSession({ calls, histories: [['a']] }).lost).toEqual(['b']);
  });

  it('auditSession expects no certain item beside a clear without an answer', () => {
    const calls = [add(['a']), call('clear', [], { outcome: 'failed' }), add(['b'])];
    expect(auditSession({ calls, histories: [['b']] })).toEqual(NOTHING);
  });

  it('auditSession ignores the clear of another conversation', () => {
    const calls = [add(['a'], { conversationId: 'conv_2' }), call('clear', [], { cleared: 'conv_1' })];
    expect(auditSession({ calls, histories: [['a']] })).toEqual(NOTHING);
  });

  it('auditSession compares the order within each conversation', () => {
    const calls = [add(['a']), add(['b'])];
    expect(auditSession({ calls, histories: [['b'], ['a']] })).toEqual(NOTHING);
  });
});

describe('auditList', () => {
  it('auditList counts the gaps and copies that no finding names', () => {
    const seen = { history: ['a', 'b', 'c'], listed: ['b', 'b', 'b'] };
    expect(auditList({ ...seen, named: 0, duplicated: 0 })).toEqual({ unnamedGaps: 2, unnamedCopies: 2 });
    expect(auditList({ ...seen, named: 1, duplicated: 2 })).toEqual({ unnamedGaps: 1, unnamedCopies: 0 });
    expect(auditList({ ...seen, named: 5, duplicated: 3 })).toEqual({ unnamedGaps: 0, unnamedCopies: 0 });
  });
});
