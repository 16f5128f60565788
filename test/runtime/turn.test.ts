import { describe, expect, it } from 'vitest';
import type { PlannedRequest, ShadowPlan } from '../../src/chaining/port.ts';
import type { Finding } from '../../src/history/compare-list.ts';
import type { RecordedResponse } from '../../src/ledger/state.ts';
import type { Forecast } from '../../src/runtime/forecast.ts';
import { TurnTracker, type TurnBeginning } from '../../src/runtime/turn.ts';
import { assistant, result, user } from '../support/conversation.ts';

const lost = (...ids: string[]): Finding[] =>
  ids.map((id, index) => ({ type: 'lost', id, kind: 'message:assistant', index }));

const outlook = (more: Partial<Forecast> = {}): Forecast => ({
  reason: 'extends',
  covered: 3,
  bytes: 300,
  ...more,
});

const beginning = (more: Partial<TurnBeginning> = {}): TurnBeginning => ({
  mode: 'chain',
  isRead: true,
  lost: undefined,
  forecast: outlook(),
  isPart: false,
  isRun: false,
  served: 4,
  length: 5,
  bytes: 400,
  ...more,
});

const planOf = (more: Partial<PlannedRequest> = {}): PlannedRequest => ({
  plan: 'chain',
  reason: 'extends',
  parentId: 'resp_0',
  sent: 1,
  context: 5,
  savedBytes: 100,
  shadowPlan: undefined,
  ...more,
});

const shadow = (more: Partial<ShadowPlan> = {}): ShadowPlan => ({
  plan: 'replay',
  reason: 'diverged',
  sent: 5,
  savedBytes: 0,
  ...more,
});

const response = (id: string, seen?: RecordedResponse['seen']): RecordedResponse =>
  ({ id, time: 1, store: true, model: `model of ${id}`, seen }) as RecordedResponse;

/** A turn that began so, and got an answer. */
function answered(more: Partial<TurnBeginning> = {}, turn = new TurnTracker()): TurnTracker {
  turn.began(beginning(more));
  turn.appended([user('hi'), assistant('yes')]);
  return turn;
}

describe('the end of a turn', () => {
  it('a turn is told with its mode, its response and its model', () => {
    const turn = answered();
    expect(turn.isUnderWay).toBe(true);
    expect(turn.ended('resp_2', [response('resp_1'), response('resp_2')])).toEqual({
      mode: 'chain',
      responseId: 'resp_2',
      model: 'model of resp_2',
      lost: undefined,
      newlyLost: undefined,
      plans: [],
      chain: { possible: true, reason: 'extends', basis: 'forecast', savedBytes: 300 },
    });
    expect(turn.isUnderWay).toBe(false);
    expect(turn.ended('resp_2', [])).toBeUndefined();
  });

  it('a turn without an answer of the model has not ended', () => {
    const turn = new TurnTracker();
    expect(turn.ended('resp_1', [])).toBeUndefined();
    turn.began(beginning());
    expect(turn.ended('resp_1', [])).toBeUndefined();
    turn.appended([user('hi'), result('call_1', 'look', 'found')]);
    expect(turn.ended('resp_1', [])).toBeUndefined();
    turn.appended([assistant('yes')]);
    turn.appended([user('more')]);
    expect(turn.ended('resp_1', [])).toMatchObject({ responseId: 'resp_1', model: undefined });
  });

  it('a mode that does not report tells nothing, and ends the turn all the same', () => {
    const turn = answered({ mode: 'off' });
    expect(turn.ended('resp_1', [])).toBeUndefined();
    expect(turn.isUnderWay).toBe(false);
    expect(answered({ mode: 'shadow' }).ended('resp_1', [])).toMatchObject({ mode: 'shadow' });
  });

  it('an answer before the history was read does not end the turn', () => {
    const turn = new TurnTracker();
    turn.appended([assistant('of the app')]);
    turn.began(beginning());
    expect(turn.ended('resp_1', [])).toBeUndefined();
    const again = answered();
    again.began(beginning());
    expect(again.ended('resp_1', [])).toBeDefined();
    const resumed = answered({ isRead: false });
    resumed.began(beginning());
    expect(resumed.ended('resp_1', [])).toBeUndefined();
  });
});

const modeAfter = (turn: TurnTracker): string | undefined => {
  turn.appended([assistant('yes')]);
  return turn.ended('resp_1', [])?.mode;
};

const begun = (
  first: Partial<TurnBeginning>,
  second: Partial<TurnBeginning>,
  isPlanned = false,
): TurnTracker => {
  const turn = new TurnTracker();
  turn.began(beginning({ mode: 'chain', ...first }));
  if (isPlanned) turn.planned(planOf());
  turn.began(beginning({ mode: 'rebuild', ...second }));
  return turn;
};

describe('the reads of an app during a turn', () => {
  it('a read of a part begins no turn within another one', () => {
    expect(modeAfter(begun({}, { isPart: true }))).toBe('chain');
    expect(modeAfter(begun({}, {}))).toBe('rebuild');
    const first = new TurnTracker();
    first.began(beginning({ isPart: true }));
    expect(first.isUnderWay).toBe(true);
  });

  it('a read of the app begins no turn while a run is in progress', () => {
    expect(modeAfter(begun({ isRun: true }, {}, true))).toBe('chain');
    expect(modeAfter(begun({ isRun: true }, {}))).toBe('rebuild');
    expect(modeAfter(begun({ isRun: true }, { isRun: true }, true))).toBe('rebuild');
    expect(modeAfter(begun({}, {}, true))).toBe('rebuild');
  });

  it('a new turn has no plan of the one before', () => {
    const turn = begun({}, {}, true);
    turn.appended([assistant('yes')]);
    expect(turn.ended('resp_1', [])?.plans).toEqual([]);
  });
});

const seenIn = (more: Partial<TurnBeginning>) => {
  const turn = new TurnTracker();
  turn.began(beginning(more));
  return turn.seen;
};

describe('the context that a model saw', () => {
  it('a history is whole where it was served, and a list where it had lost nothing', () => {
    expect(seenIn({ mode: 'chain' })).toEqual({ whole: true });
    expect(seenIn({ mode: 'chain', lost: lost('a') })).toEqual({ lost: 1, whole: true });
    expect(seenIn({ mode: 'shadow' })).toBeUndefined();
    expect(seenIn({ mode: 'shadow', lost: [] })).toEqual({ lost: 0, whole: true });
    expect(seenIn({ mode: 'shadow', lost: lost('a', 'b') })).toEqual({ lost: 2, whole: false });
  });

  it('a turn that did not read the history saw nothing that is known', () => {
    expect(seenIn({ isRead: false })).toBeUndefined();
    expect(new TurnTracker().seen).toBeUndefined();
  });
});

describe('the losses of a turn', () => {
  it('only losses since the last compared turn are new', () => {
    const turn = answered({ lost: lost('a', 'b') });
    const first = response('resp_1', { lost: 2 });
    expect(turn.ended('resp_1', [first])).toMatchObject({ lost: 2, newlyLost: 2 });
    answered({ lost: lost('b', 'c') }, turn);
    expect(turn.ended('resp_2', [first, response('resp_2', { lost: 2 })])).toMatchObject({
      lost: 2,
      newlyLost: 1,
    });
    answered({ lost: undefined }, turn);
    expect(turn.ended('resp_3', [])).toMatchObject({ lost: undefined, newlyLost: undefined });
  });

  it('the losses of a turn in another process are known by their number', () => {
    const before = [response('theirs', { lost: 2 }), response('unseen'), response('ours')];
    expect(answered({ lost: lost('a', 'b', 'c') }).ended('ours', before)).toMatchObject({ newlyLost: 1 });
    expect(answered({ lost: lost('a') }).ended('ours', before)).toMatchObject({ newlyLost: 0 });
    expect(answered({ lost: lost('a') }).ended('ours', [response('ours', { lost: 1 })])).toMatchObject({
      newlyLost: 1,
    });
    expect(answered({ lost: lost('a') }).ended('other', before)).toMatchObject({ newlyLost: 1 });
  });
});

const chainOf = (more: Partial<TurnBeginning>, ...plans: PlannedRequest[]) => {
  const turn = answered(more);
  for (const one of plans) turn.planned(one);
  return turn.ended('resp_1', [])?.chain;
};

describe('the chain of a turn', () => {
  it('a turn without a request is told by its forecast', () => {
    const sized = outlook({ bytes: undefined });
    expect(chainOf({ forecast: sized })).toEqual({
      possible: true,
      reason: 'extends',
      basis: 'forecast',
      savedBytes: 400,
    });
    expect(chainOf({ forecast: outlook({ reason: 'diverged' }) })).toEqual({
      possible: false,
      reason: 'diverged',
      basis: 'forecast',
      savedBytes: 0,
    });
  });

  it('a turn with requests is told by the first one, or by its shadow', () => {
    expect(chainOf({}, planOf(), planOf({ plan: 'replay', reason: 'diverged' }))).toEqual({
      possible: true,
      reason: 'extends',
      basis: 'request',
      savedBytes: 100,
    });
    const shadowed = planOf({
      plan: 'replay',
      reason: 'mode',
      shadowPlan: shadow({ plan: 'chain', reason: 'extends', savedBytes: 7 }),
    });
    expect(chainOf({}, shadowed)).toEqual({
      possible: true,
      reason: 'extends',
      basis: 'request',
      savedBytes: 7,
    });
  });
});

const shadowOf = (
  more: Partial<TurnBeginning>,
  given: ShadowPlan | undefined = shadow(),
  context = 6,
): ShadowPlan | undefined => {
  const turn = new TurnTracker();
  turn.began(beginning({ mode: 'shadow', lost: lost('a'), ...more }));
  return turn.planned(planOf({ plan: 'replay', reason: 'mode', context, shadowPlan: given })).shadowPlan;
};

describe('the shadow plan for a damaged list', () => {
  it('a damaged list is planned as the whole history', () => {
    expect(shadowOf({})).toEqual({ plan: 'chain', reason: 'extends', sent: 4, savedBytes: 300 });
    expect(shadowOf({ forecast: outlook({ bytes: undefined }) })).toMatchObject({ savedBytes: 400 });
    expect(shadowOf({ forecast: outlook({ reason: 'expired', covered: 0 }) })).toEqual({
      plan: 'replay',
      reason: 'expired',
      sent: 7,
      savedBytes: 0,
    });
    expect(shadowOf({ forecast: outlook({ covered: 9 }) })).toMatchObject({ sent: 1 });
  });

  it('a list without a loss, and a history that was served, keep their plan', () => {
    expect(shadowOf({ lost: [] })).toEqual(shadow());
    expect(shadowOf({ lost: undefined })).toEqual(shadow());
    expect(shadowOf({ mode: 'rebuild' })).toEqual(shadow());
    for (const reason of ['sent_by_id', 'ledger_unavailable'] as const)
      expect(shadowOf({}, shadow({ reason }))).toEqual(shadow({ reason }));
  });

  it('only the first request of a turn is planned anew, and only one with a shadow', () => {
    const turn = new TurnTracker();
    turn.began(beginning({ mode: 'shadow', lost: lost('a') }));
    expect(turn.planned(planOf()).shadowPlan).toBeUndefined();
    const second = planOf({ shadowPlan: shadow() });
    expect(turn.planned(second)).toBe(second);
    const alone = new TurnTracker();
    expect(alone.planned(second)).toBe(second);
  });
});
