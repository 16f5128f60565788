import { describe, expect, it } from 'vitest';
import type { TimelineItem } from '../../src/doctor/diagnosis.ts';
import { caveatsOf, lostIn, verdictOf, type VerdictInput } from '../../src/doctor/verdict.ts';

interface Told extends Partial<TimelineItem> {
  readonly kind: string;
  readonly callId?: string;
}

/** A history of these items, all of one turn and one response, and in a list alone. */
function history(told: readonly Told[], given: Partial<VerdictInput> = {}): VerdictInput {
  const callIds = new Map<number | null, string>();
  const timeline = told.map(({ callId = '', ...fields }, index): TimelineItem => {
    callIds.set(index, callId);
    return {
      index,
      id: `item_${index}`,
      status: 'listed',
      positions: [index],
      findings: [],
      turn: 1,
      responseId: 'resp_1',
      sources: [{ source: 'list' }],
      ...fields,
    };
  });
  return {
    evidence: 'ledger',
    timeline,
    findings: [],
    responses: [],
    callIdOf: ({ index }) => callIds.get(index) ?? '',
    unaccounted: [],
    unproven: 0,
    proven: new Set(),
    isLedgerEmpty: false,
    isGone: false,
    ...given,
  };
}

const user: Told = { kind: 'message:user' };
const answer: Told = { kind: 'message:assistant' };
const reasoning: Told = { kind: 'reasoning' };

/** The positions that a caveat names. */
function positions(kind: 'lone_reasoning' | 'unanswered', input: VerdictInput): readonly number[] {
  return caveatsOf(input).find((caveat) => caveat.kind === kind)?.indexes ?? [];
}

const none = { indexes: [] };

const response = (id: string, status: 'missing' | 'used', from: 'given' | 'ledger') =>
  ({ id, status, from, parent: null, time: null }) as const;

const lone = (told: readonly Told[], given?: Partial<VerdictInput>): readonly number[] =>
  positions('lone_reasoning', history(told, given));

const unanswered = (told: readonly Told[], given?: Partial<VerdictInput>): readonly number[] =>
  positions('unanswered', history(told, given));

describe('the doctor on reasoning', () => {
  it('reasoning before an output is not alone, also behind other reasoning', () => {
    expect(lone([user, reasoning, answer])).toEqual([]);
    expect(lone([user, reasoning, reasoning, answer])).toEqual([]);
  });

  it('reasoning without an output behind it is alone, and makes a conversation unrecoverable', () => {
    expect(lone([answer, reasoning, user])).toEqual([1]);
    expect(lone([user, reasoning])).toEqual([1]);
    const input = history([user, reasoning]);
    expect(verdictOf(input, caveatsOf(input))).toBe('unrecoverable');
    expect(lostIn(input, 'unrecoverable', caveatsOf(input))).toBeNull();
  });

  it('reasoning at the end of a response that was cut off is not alone', () => {
    const sources = [{ source: 'response', responseId: 'resp_1' }] as const;
    expect(lone([user, { ...reasoning, sources }, user])).toEqual([]);
    expect(lone([user, { ...reasoning, sources, responseId: 'resp_2' }, user])).toEqual([1]);
  });

  it('reasoning that a ledger recorded with the next item is not alone', () => {
    expect(lone([user, reasoning, user], { proven: new Set([1, 2]) })).toEqual([]);
    expect(lone([user, reasoning], { proven: new Set([1]) })).toEqual([]);
    expect(lone([user, reasoning, user], { proven: new Set([1]) })).toEqual([1]);
    expect(lone([user, reasoning, user], { proven: new Set([2]) })).toEqual([1]);
  });
});

describe('the doctor on calls', () => {
  const call: Told = { kind: 'function_call', callId: 'call_1' };
  const result: Told = { kind: 'function_call_result', callId: 'call_1' };
  it('a call with its result is answered', () => {
    expect(unanswered([user, call, result, answer, { ...user, turn: 2 }])).toEqual([]);
  });

  it('a call without a result is open in the last turn, and unanswered before', () => {
    expect(unanswered([user, call])).toEqual([]);
    expect(unanswered([user, call, { ...user, turn: 2 }])).toEqual([1]);
  });

  it('a result without a call lacks its call in every turn', () => {
    expect(unanswered([user, result])).toEqual([1]);
    expect(unanswered([user, result, { ...user, turn: 2 }])).toEqual([1]);
  });
});

describe('the doctor on messages', () => {
  it('messages that one response was given have one answer', () => {
    expect(unanswered([user, user, answer])).toEqual([]);
    expect(unanswered([user, { ...user, responseId: 'resp_2' }, answer])).toEqual([0]);
    const unknown = { ...user, responseId: null };
    expect(unanswered([unknown, unknown, answer])).toEqual([0]);
  });

  it('a message of another writer may have had its own answer', () => {
    expect(unanswered([user, user, answer], { proven: new Set([0]) })).toEqual([0]);
    expect(unanswered([user, user, answer], { proven: new Set([1]) })).toEqual([0]);
  });

  it('messages may lack an answer where a response is missing', () => {
    const missing = { id: 'resp_0', status: 'missing', from: 'ledger', parent: null, time: null } as const;
    const input = history([user, user, answer], { responses: [missing] });
    expect(positions('unanswered', input)).toEqual([0]);
    expect(verdictOf(input, caveatsOf(input))).toBe('unrecoverable');
  });

  it('messages that a ledger recorded one after the other lack no answer', () => {
    const proven = new Set([0, 1]);
    expect(unanswered([user, { ...user, responseId: 'resp_2' }, answer], { proven })).toEqual([]);
  });
});

describe('the verdict', () => {
  it('the verdict of a complete ledger is whole, unless a message lacks an answer', () => {
    const whole = history([user, answer]);
    expect(verdictOf(whole, caveatsOf(whole))).toBe('whole');
    expect(lostIn(whole, 'whole', [])).toBe(0);
    const open = history([user, { ...user, responseId: 'resp_2' }, answer]);
    expect(verdictOf(open, caveatsOf(open))).toBe('unknown');
    expect(lostIn(open, 'whole', caveatsOf(open))).toBeNull();
  });

  it('the number of lost items is told where items are lost, and open where the verdict is', () => {
    const lost = history([user, { ...answer, status: 'lost' }]);
    expect(lostIn(lost, 'unknown', [])).toBe(1);
    expect(lostIn(history([user, answer]), 'unknown', [])).toBeNull();
    expect(lostIn(history([user, answer]), 'repairable', [])).toBe(0);
  });

  it.each([
    ['list', 'unknown'],
    ['ledger', 'whole'],
    ['responses', 'whole'],
    ['ledger_and_responses', 'whole'],
  ] as const)('the verdict of a complete list with the evidence %s is %s', (evidence, verdict) => {
    const input = history([user, answer], { evidence });
    expect(verdictOf(input, caveatsOf(input))).toBe(verdict);
  });

  it('the verdict is unknown where items have no proof or no response', () => {
    const unproven = history([user, answer], { unproven: 1, unaccounted: [1] });
    expect(verdictOf(unproven, caveatsOf(unproven))).toBe('unknown');
    const unaccounted = history([user, answer], { evidence: 'responses', unaccounted: [1] });
    expect(verdictOf(unaccounted, caveatsOf(unaccounted))).toBe('unknown');
    const unanswered = history([user, { ...user, responseId: null }], { evidence: 'responses' });
    expect(verdictOf(unanswered, caveatsOf(unanswered))).toBe('unknown');
  });

  it('the verdict is unrecoverable where no source holds an item other than reasoning', () => {
    expect(verdictOf(history([user, { ...answer, sources: [] }]), [])).toBe('unrecoverable');
    expect(verdictOf(history([user, { ...reasoning, sources: [] }, answer]), [])).toBe('whole');
  });

  it.each(['pending', 'removed'] as const)('the verdict is repairable where an item is %s', (status) => {
    expect(verdictOf(history([user, { ...answer, status }]), [])).toBe('repairable');
  });

  it('an item of another writer leaves a conversation whole, and every other finding is to be repaired', () => {
    const finding = { id: 'item_1', kind: 'message:assistant', index: 1 };
    const foreign = history([user, answer], { findings: [{ ...finding, type: 'foreign' }] });
    expect(verdictOf(foreign, [])).toBe('whole');
    const lost = history([user, answer], { findings: [{ ...finding, type: 'lost' }] });
    expect(verdictOf(lost, [])).toBe('repairable');
  });
});

const unaccounted = (evidence: 'ledger' | 'responses') =>
  caveatsOf(history([user, answer], { evidence, unaccounted: [1] })).filter(
    ({ kind }) => kind === 'unaccounted',
  );

describe('the caveats', () => {
  it('a whole ledger has no caveat', () => {
    expect(caveatsOf(history([user, answer]))).toEqual([]);
  });

  it.each([
    [{ isGone: true }, { kind: 'list_gone', count: 1, ...none }],
    [{ isLedgerEmpty: true }, { kind: 'ledger_empty', count: 1, ...none }],
    [{ evidence: 'list' }, { kind: 'no_evidence', count: 1, ...none }],
    [{ evidence: 'responses' }, { kind: 'before_first', count: 1, ...none }],
    [{ evidence: 'ledger_and_responses' }, { kind: 'before_first', count: 1, ...none }],
    [
      { unproven: 2, unaccounted: [1] },
      { kind: 'unproven', count: 2, indexes: [1] },
    ],
  ] as const)('a history with %j has one caveat', (given, caveat) => {
    expect(caveatsOf(history([user, answer], given))).toEqual([caveat]);
  });

  it('items without a response are told where responses are the only evidence', () => {
    expect(unaccounted('responses')).toEqual([{ kind: 'unaccounted', count: 1, indexes: [1] }]);
    expect(unaccounted('ledger')).toEqual([]);
  });

  it('a missing response belongs here by the ledger, or beside used ones by its form', () => {
    const given = response('resp_0123456789abcdef', 'missing', 'given');
    const told = (...responses: readonly ReturnType<typeof response>[]) =>
      caveatsOf(history([user, answer], { responses }));
    const missing = [{ kind: 'response_missing', count: 1, ...none }];
    const unknown = [{ kind: 'response_unknown', count: 1, ...none }];
    expect(told(response('resp_1', 'missing', 'ledger'))).toEqual(missing);
    expect(told(given)).toEqual(unknown);
    expect(told(given, response('resp_1', 'used', 'given'))).toEqual(missing);
    for (const id of ['resp_012345678', 'x resp_0123456789abcdef', 'resp_0123456789abcdef x'])
      expect(told(response(id, 'missing', 'given'), response('resp_1', 'used', 'given'))).toEqual(unknown);
  });
});
