import { describe, expect, it } from 'vitest';
import { ownStatus, reconstruct } from '../../../src/doctor/reconstruct/reconstruct.ts';
import {
  itemIndex,
  nodeWords,
  occurrences,
  readResponse,
  readResponses,
  type ToldResponse,
} from '../told-responses.ts';

/** The reconstructed items, and the responses that are not used. */
function story(base: readonly string[], told: Readonly<Record<string, ToldResponse>>): [string[], object] {
  const options = { conversationId: 'conv_1', itemIndex, base: occurrences(base) };
  const { nodes, statuses } = reconstruct(readResponses(told), options);
  return [nodeWords(nodes), Object.fromEntries([...statuses].filter(([, status]) => status !== 'used'))];
}

describe('the status of a response alone', () => {
  it.each([
    ['completed', undefined, undefined],
    ['completed', 'conv_1', undefined],
    ['completed', 'conv_2', 'elsewhere'],
    ['incomplete', undefined, undefined],
    ['failed', 'conv_1', 'failed'],
    ['cancelled', 'conv_2', 'failed'],
    ['in_progress', 'conv_1', 'unfinished'],
    ['queued', undefined, 'unfinished'],
  ] as const)('a response that is %s, made in %s, is %s', (apiStatus, conversationId, status) => {
    expect(ownStatus(readResponse('a', { apiStatus, conversationId }), 'conv_1')).toBe(status);
  });

  it('a response with a status of its own has no item in the conversation', () => {
    const told = { a: { input: ['u hi'], output: ['a no'], apiStatus: 'failed' }, b: { output: ['a yes'] } };
    expect(story(['u hi', 'a yes'], told)).toEqual([['u hi', 'a yes < b'], { a: 'failed' }]);
  });
});

describe('the place of a confirmed response', () => {
  it('lost inputs and outputs stand in the order of the responses', () => {
    const told = {
      a: { input: ['u one'], output: ['a one'] },
      b: { input: ['u one', 'a one', 'u two'], output: ['c two'] },
      c: { input: ['u one', 'a one', 'u two', 'c two', 'r two'], output: ['a two'] },
    };
    expect(story(['a two'], told)).toEqual([
      ['u one > a', 'a one < a', 'u two > b', 'c two < b', 'r two > c', 'a two < c'],
      {},
    ]);
  });

  it('an input shows lost items between known ones', () => {
    const told = {
      a: { input: ['u one'], output: ['a one'] },
      b: { input: ['u one', 'a one', 'u lost', 'a lost', 'u two'], output: ['a two'] },
    };
    expect(story(['a one', 'a two'], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'u lost > b',
      'a lost',
      'u two > b',
      'a two < b',
    ]);
  });

  it('the same words said again are said again', () => {
    const told = {
      a: { input: ['u ok'], output: ['a one'] },
      b: { input: ['u ok', 'a one', 'u ok'], output: ['a two'] },
      c: { input: ['u ok', 'a one', 'u ok', 'a two', 'u ok'], output: ['a three'] },
    };
    expect(story(['u ok', 'a three'], told)[0]).toEqual([
      'u ok > a',
      'a one < a',
      'u ok > b',
      'a two < b',
      'u ok > c',
      'a three < c',
    ]);
  });

  it("a response without its parent's items follows its parent", () => {
    const told = {
      a: { input: ['u one'], output: ['a one'] },
      b: { parent: 'a', input: ['u two'], output: ['a two'] },
      c: { parent: 'b', input: ['u two'], output: ['a three'] },
    };
    expect(story(['u one', 'a three'], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'u two > b',
      'a two < b',
      'u two > c',
      'a three < c',
    ]);
  });

  it('a response that was given only results continues the call', () => {
    const told = {
      a: { input: ['u one'], output: ['c one'] },
      b: { parent: 'a', input: ['r one'], output: ['a one'] },
    };
    expect(story(['u one', 'a one'], told)[0]).toEqual(['u one > a', 'c one < a', 'r one > b', 'a one < b']);
  });

  it('an input that begins with the output of an earlier response continues behind it', () => {
    const told = {
      a: { input: ['u ok'], output: ['a one'] },
      b: { input: ['a one', 'u ok'], output: ['a two'], isWhole: false },
    };
    expect(story(['a one', 'a two'], told)[0]).toEqual(['u ok > a', 'a one < a', 'u ok > b', 'a two < b']);
  });

  it('items with known IDs are not shown twice', () => {
    const told = {
      a: { input: ['u one@1'], output: ['a one@2'], conversationId: 'conv_1' },
      b: { input: ['u one@1', 'a one@2', 'u one@3'], output: ['a two@4'], conversationId: 'conv_1' },
      c: {
        input: ['u one@1', 'u one@3', 'a two@4', 'u one@5'],
        output: ['a two@6'],
        conversationId: 'conv_1',
      },
    };
    expect(story(['u one@1', 'u one@3', 'u one@5'], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'u one > b',
      'a two < b',
      'u one > c',
      'a two < c',
    ]);
  });

  it('an output that is known by its ID has one place', () => {
    const told = {
      a: { input: ['u one@1'], output: ['a one@2'], conversationId: 'conv_1' },
      b: { input: ['u two@3'], output: ['a one@2', 'a two@4'], conversationId: 'conv_1' },
    };
    expect(story([], told)[0]).toEqual(['u one > a', 'a one < a', 'u two > b', 'a two < b']);
  });
});

const retry = (
  first: ToldResponse,
  second: ToldResponse,
  base: readonly string[] = ['u one', 'a one', 'a two'],
) =>
  story(base, {
    a: { input: ['u one'], output: ['a one'], ...first },
    b: { input: ['u one'], output: ['a two'], ...second },
  });

describe('a retry', () => {
  it('a second answer to the same input stands behind the first', () => {
    expect(retry({}, {})).toEqual([['u one > a', 'a one < a', 'a two < b'], {}]);
  });

  it('the same answer to the same input is superseded', () => {
    expect(retry({}, { output: ['a one'] }, ['u one', 'a one', 'a one'])).toEqual([
      ['u one > a', 'a one < a', 'a one'],
      { b: 'superseded' },
    ]);
  });

  it('the same input is no retry where the user said it twice', () => {
    expect(retry({}, {}, ['u one', 'a one', 'u one', 'a two'])[0]).toEqual([
      'u one > a',
      'a one < a',
      'u one > b',
      'a two < b',
    ]);
    const told = {
      a: { input: ['u ok'], output: ['a one'] },
      b: { input: ['u ok'], output: ['a two'] },
      c: { input: ['u ok', 'a one', 'u ok', 'a two', 'u more'], output: ['a three'] },
    };
    expect(story(['a three'], told)[0]).toEqual([
      'u ok > a',
      'a one < a',
      'u ok > b',
      'a two < b',
      'u more > c',
      'a three < c',
    ]);
  });

  it('the same input is no retry in a conversation that stores it, behind another parent, or of a part', () => {
    const twice = ['u one > a', 'a one < a', 'u one > b', 'a two < b'];
    expect(retry({ conversationId: 'conv_1' }, { conversationId: 'conv_1' })[0]).toEqual(twice);
    expect(retry({ parent: 'x' }, { parent: 'y' })[0]).toEqual(twice);
    expect(retry({ isWhole: false }, { isWhole: false })[0]).toEqual(twice);
    expect(retry({ input: ['u one@1'] }, { input: ['u one@2'] })[0]).toEqual(twice);
    expect(retry({ input: ['u one@1'] }, { input: ['u one@1'] })[0]).not.toEqual(twice);
  });

  it('a third answer stands behind the answers before it, and later turns behind all', () => {
    const told = {
      a: { input: ['u one'], output: ['a one'] },
      b: { input: ['u one'], output: ['a two'] },
      c: { input: ['u one', 'a two', 'u more'], output: ['a three'] },
    };
    expect(story(['a one', 'a two', 'a three'], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'a two < b',
      'u more > c',
      'a three < c',
    ]);
  });
});

describe('the place of a response that nothing confirms', () => {
  it('a response answers the input that has no answer', () => {
    expect(story(['u one', 'u two'], { a: { input: ['u one'], output: ['a one'] } })[0]).toEqual([
      'u one > a',
      'a one < a',
      'u two',
    ]);
    expect(story(['u one', 'u two'], { a: { input: ['u two'], output: ['a two'] } })[0]).toEqual([
      'u one',
      'u two > a',
      'a two < a',
    ]);
  });

  it('a response with another answer in its place is superseded', () => {
    expect(story(['u one', 'a one'], { a: { input: ['u one'], output: ['a two'] } })).toEqual([
      ['u one', 'a one'],
      { a: 'superseded' },
    ]);
    const told = { a: { input: ['u one'], output: ['a one'] }, b: { input: ['u one'], output: ['a two'] } };
    expect(story(['u one', 'u two'], told)).toEqual([
      ['u one > a', 'a one < a', 'u two'],
      { b: 'superseded' },
    ]);
  });

  it('a response without a link is unrelated', () => {
    const told = { a: { input: ['u other'], output: ['a other'] } };
    expect(story(['u one', 'a one'], told)).toEqual([['u one', 'a one'], { a: 'unrelated' }]);
    expect(story(['u one', 'a one'], { a: { input: ['u one', 'u other'], output: ['a other'] } })).toEqual([
      ['u one', 'a one'],
      { a: 'unrelated' },
    ]);
  });

  it('a response whose earlier input is all known, and has no answer, follows it', () => {
    expect(story(['u one'], { a: { input: ['u one', 'u two'], output: ['a two'] } })[0]).toEqual([
      'u one > a',
      'u two > a',
      'a two < a',
    ]);
    expect(story(['u one'], { a: { input: ['u x', 'u one', 'u two'], output: ['a two'] } })).toEqual([
      ['u one'],
      { a: 'unrelated' },
    ]);
  });

  it('a response that was given an answer of the conversation belongs to it', () => {
    expect(story(['u one', 'a one'], { a: { input: ['a one', 'u two'], output: ['a two'] } })[0]).toEqual([
      'u one',
      'a one',
      'u two > a',
      'a two < a',
    ]);
    expect(story(['u one', 'r one'], { a: { input: ['r one', 'u two'], output: ['a two'] } })[0]).toEqual([
      'u one',
      'r one > a',
      'u two > a',
      'a two < a',
    ]);
  });

  it('the longest run of equal inputs is answered, so that repeated words are not confused', () => {
    expect(story(['u ok', 'u go', 'u ok'], { a: { input: ['u go', 'u ok'], output: ['a one'] } })[0]).toEqual(
      ['u ok', 'u go > a', 'u ok > a', 'a one < a'],
    );
    expect(story(['u go', 'u ok', 'u ok'], { a: { input: ['u go', 'u ok'], output: ['a one'] } })[0]).toEqual(
      ['u go > a', 'u ok > a', 'a one < a', 'u ok'],
    );
  });

  it('the first of equal inputs is answered first', () => {
    const told = { a: { input: ['u ok'], output: ['a one'] }, b: { input: ['u ok'], output: ['a two'] } };
    expect(story(['u ok', 'u ok', 'u ok'], told)[0]).toEqual([
      'u ok > a',
      'a one < a',
      'u ok > b',
      'a two < b',
      'u ok',
    ]);
  });

  it('a response continues the parent that has a place, and only the first one does', () => {
    const told = {
      a: { input: ['u one'], output: ['a one'] },
      b: { parent: 'a', input: ['u lost'], output: ['a two'] },
      c: { parent: 'a', input: ['u branch'], output: ['a three'] },
      d: { parent: 'b', input: ['u end'], output: ['a end'] },
    };
    expect(story(['u one', 'a one'], told)).toEqual([
      ['u one > a', 'a one < a', 'u lost > b', 'a two < b', 'u end > d', 'a end < d'],
      { c: 'superseded' },
    ]);
  });

  it('a part of an input that is missing stands before the part that is there', () => {
    expect(
      story(['a zero', 'u two', 'u x'], { a: { input: ['a zero', 'u one', 'u two'], output: ['a two'] } })[0],
    ).toEqual(['a zero', 'u one > a', 'u two > a', 'a two < a', 'u x']);
  });

  it('a response is not placed behind a younger output', () => {
    const told = {
      a: { input: ['u ok'], output: ['a lost'] },
      b: { input: ['u other'], output: ['a other'] },
    };
    expect(story(['u other', 'a other', 'u ok'], told)).toEqual([
      ['u other > b', 'a other < b', 'u ok'],
      { a: 'unrelated' },
    ]);
  });
});

describe('the items of the list', () => {
  it('items without a response keep their place in the list', () => {
    const told = { a: { input: ['u one'], output: ['a one'] } };
    expect(story(['u zero', 'a one', 'u two'], told)[0]).toEqual([
      'u zero',
      'u one > a',
      'a one < a',
      'u two',
    ]);
    expect(story(['u one', 'u x', 'u y'], told)[0]).toEqual(['u one > a', 'a one < a', 'u x', 'u y']);
  });

  it('a lost answer stands before the next message of the list', () => {
    const told = {
      a: { input: ['u one'], output: ['t', 'a one'] },
      b: { input: ['u one', 'a one', 'u two'], output: ['a two'] },
    };
    expect(story(['u one', 'u x', 'u two', 'a two'], told)[0]).toEqual([
      'u one > a',
      't < a',
      'a one < a',
      'u x',
      'u two > b',
      'a two < b',
    ]);
  });

  it('an item that is listed out of order is the one with its ID, else an equal one', () => {
    const told = {
      a: { input: ['u one@1'], output: ['a one@2'], conversationId: 'conv_1' },
      b: { input: ['u two@3'], output: ['a two@4'], conversationId: 'conv_1' },
    };
    expect(story(['u two@3', 'a two@4', 'u one@1', 'a one@2'], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'u two > b',
      'a two < b',
    ]);
    expect(story(['u two', 'a two', 'u one', 'a one'], told)[0]).toHaveLength(4);
  });

  it('reasoning that a list shows under another ID is not doubled', () => {
    const told = {
      a: { input: ['u one'], output: ['t', 'a one'] },
      b: { input: ['u one', 't', 'a one', 'u two'], output: ['a two'] },
    };
    expect(story(['u one', 'a one', 'a two'], told)[0]).toEqual([
      'u one > a',
      't < a',
      'a one < a',
      'u two > b',
      'a two < b',
    ]);
  });
});

describe('the order within a second', () => {
  it('the place of an item in the list orders responses of one second', () => {
    const told = {
      b: { input: ['u two'], output: ['a two'], time: 1000 },
      a: { input: ['u one'], output: ['a one'], time: 1000 },
    };
    expect(story(['a one', 'a two'], told)[0]).toEqual(['u one > a', 'a one < a', 'u two > b', 'a two < b']);
    expect(story(['a one@1', 'a two@2'], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'u two > b',
      'a two < b',
    ]);
  });

  it('content that occurs twice places no response', () => {
    const told = {
      b: { input: ['u two'], output: ['a yes'], time: 1000 },
      a: { input: ['u one'], output: ['a yes'], time: 1000 },
    };
    expect(story(['a yes', 'a yes'], told)[0]).toEqual(['u two > b', 'a yes < b', 'u one > a', 'a yes < a']);
  });
});

describe('the gaps that an input fills', () => {
  it('items stand behind the items before them, and inputs before the next output', () => {
    const told = {
      a: { output: ['a one', 'a two'] },
      b: { input: ['a one', 'a x', 'u y', 'a two', 'u more'], output: ['a three'] },
    };
    expect(story(['a one', 'a two', 'a three'], told)[0]).toEqual([
      'a one < a',
      'a x',
      'u y > b',
      'a two < a',
      'u more > b',
      'a three < b',
    ]);
  });

  it('each lost item of a gap is shown once, and each as often as an input shows it', () => {
    const told = {
      a: { output: ['a one'] },
      b: { input: ['u ok', 'a lost', 'u ok', 'a one', 'u b'], output: ['a two'] },
      c: { input: ['u ok', 'a lost', 'u ok', 'a one', 'u b', 'a two', 'u c'], output: ['a three'] },
    };
    expect(story(['a one', 'a two', 'a three'], told)[0]).toEqual([
      'u ok > b',
      'a lost',
      'u ok > b',
      'a one < a',
      'u b > b',
      'a two < b',
      'u c > c',
      'a three < c',
    ]);
  });

  it('an item that is known elsewhere by its ID fills no gap', () => {
    const told = {
      a: { input: ['u one@1'], output: ['a one@2'], conversationId: 'conv_1' },
      b: { input: ['u two@3'], output: ['a two@4'], conversationId: 'conv_1' },
      c: { input: ['u two@3', 'a one@2', 'a two@4', 'u c@5'], output: ['a c@6'], conversationId: 'conv_1' },
    };
    expect(story([], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'u two > b',
      'a two < b',
      'u c > c',
      'a c < c',
    ]);
  });

  it('an input behind its parent counts only the items there', () => {
    const told = {
      a: { input: ['u ok'], output: ['a one'] },
      b: { parent: 'a', input: ['u ok', 'a lost', 'u more'], output: ['a two'] },
    };
    expect(story(['a one', 'a two'], told)[0]).toEqual([
      'u ok > a',
      'a one < a',
      'u ok > b',
      'a lost',
      'u more > b',
      'a two < b',
    ]);
  });

  it('reasoning fills a gap only where the gap has none', () => {
    const base = ['a one', 'a two'];
    const behind = (output: readonly string[]): string[] =>
      story(base, {
        a: { input: ['u one'], output },
        b: { input: ['u one', 't@copy', 'a one', 'u two'], output: ['a two'] },
      })[0];
    expect(behind(['t@own', 'a one'])).toEqual(['u one > a', 't < a', 'a one < a', 'u two > b', 'a two < b']);
    expect(behind(['a one'])).toEqual(['u one > a', 't', 'a one < a', 'u two > b', 'a two < b']);
  });
});

describe('the end of a turn', () => {
  it('an item of the list stands behind the lost answers of the turn before it', () => {
    const told = {
      a: { input: ['u one'], output: ['c one'] },
      b: { parent: 'a', input: ['r one'], output: ['a one'] },
    };
    expect(story(['u one', 'u x', 'r other'], told)[0]).toEqual([
      'u one > a',
      'c one < a',
      'r one > b',
      'a one < b',
      'u x',
      'r other',
    ]);
  });

  it('an item of the list stands before the answers that the list shows behind it', () => {
    const told = { a: { input: ['u one'], output: ['t', 'a one'] } };
    expect(story(['u one', 'u x', 'a one'], told)[0]).toEqual(['u one > a', 't < a', 'u x', 'a one < a']);
  });

  it('an item of the list stands before the next turn', () => {
    const told = {
      a: { input: ['u one'], output: ['a one'] },
      b: { input: ['u one', 'a one', 'u two'], output: ['a two'] },
    };
    expect(story(['a one', 'u x', 'a two'], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'u x',
      'u two > b',
      'a two < b',
    ]);
  });

  it('an item behind an item without a response stands directly behind it', () => {
    const told = { a: { input: ['u one'], output: ['a one'] } };
    expect(story(['u x', 'u y', 'a one', 'u z'], told)[0]).toEqual([
      'u x',
      'u y',
      'u one > a',
      'a one < a',
      'u z',
    ]);
  });
});

describe('the place behind older responses', () => {
  it('a response without an input in the list stands behind the older ones', () => {
    const told = {
      a: { input: ['u one'], output: ['a one'] },
      b: { input: ['a zero', 'u two'], output: ['a two'] },
      c: { input: ['u three'], output: ['a three'] },
    };
    expect(story(['a zero', 'a one', 'a three'], told)[0]).toEqual([
      'a zero',
      'u one > a',
      'a one < a',
      'u two > b',
      'a two < b',
      'u three > c',
      'a three < c',
    ]);
  });

  it('a response behind its parent stands behind the older ones of its chain', () => {
    const told = {
      a: { input: ['u one'], output: ['a one'] },
      b: { parent: 'a', input: ['u two'], output: [] },
      c: { parent: 'b', input: ['u three'], output: ['a three'] },
    };
    expect(story(['a one', 'a three'], told)[0]).toEqual([
      'u one > a',
      'a one < a',
      'u two > b',
      'u three > c',
      'a three < c',
    ]);
  });
});

describe('the answered inputs', () => {
  it('an input that was answered is not answered again, and the run before it ends there', () => {
    const told = {
      a: { input: ['u go'], output: ['a one'] },
      b: { input: ['u go', 'u ok'], output: ['a two'] },
    };
    expect(story(['u go', 'a one', 'u ok'], told)[0]).toEqual([
      'u go > a',
      'a one < a',
      'u ok > b',
      'a two < b',
    ]);
  });

  it('a result that a list kept ties a response to it, and a message does not', () => {
    expect(
      story(['u x', 'r call', 'u y'], { a: { input: ['r call', 'u lost'], output: ['a lost'] } })[1],
    ).toEqual({});
    expect(story(['u x', 'u y', 'a y'], { a: { input: ['u y', 'u lost'], output: ['a lost'] } })[1]).toEqual({
      a: 'unrelated',
    });
  });

  it('the statuses and the order name every response that can belong', () => {
    const told = {
      b: { input: ['u two'], output: ['a two'], time: 2000 },
      no: { output: ['a no'], apiStatus: 'failed', time: 1500 },
      a: { input: ['u one'], output: ['a one'], time: 1000 },
    };
    const options = { conversationId: 'conv_1', itemIndex, base: occurrences(['a one', 'a two']) };
    const { order, statuses } = reconstruct(readResponses(told), options);
    expect(order).toEqual(['a', 'b']);
    expect(Object.fromEntries(statuses)).toEqual({ no: 'failed', a: 'used', b: 'used' });
  });
});
