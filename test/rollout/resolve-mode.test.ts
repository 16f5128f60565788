import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { resolveMode } from '../../src/rollout/resolve.ts';
import type { Mode } from '../../src/rollout/mode.ts';
import type { Rollout, RolloutFunction } from '../../src/rollout/rollout.ts';
import { deferred } from '../support/deferred.ts';

function throwing(): RolloutFunction {
  return () => {
    throw new Error('flag service down');
  };
}

/** Rejects with what an app's own code threw. */
function rejecting(error: Error): RolloutFunction {
  return async () => Promise.reject(error);
}

async function modeOf(rollout: Rollout): Promise<unknown> {
  const { mode, problem } = await resolveMode(rollout, context);
  return problem ?? mode;
}

const context = { sessionId: 'conv_1', model: undefined };

describe('The mode of a turn', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('the mode of a turn is the set one, that of the rule, or the answer of the function', async () => {
    expect(await modeOf('shadow')).toBe('shadow');
    expect(await modeOf({ mode: 'rebuild', percent: 0 })).toBe('off');
    expect(await modeOf(() => 'off')).toBe('off');
    expect(await modeOf(() => Promise.resolve('rebuild'))).toBe('rebuild');
  });

  describe.each<[string, Mode | undefined, Mode]>([
    ['the default', undefined, 'chain'],
    ["the function's own default", 'off', 'off'],
  ])('is %s, with a reason, when the function', (_, defaultMode, mode) => {
    const failing = (decide: RolloutFunction): RolloutFunction =>
      defaultMode === undefined ? decide : Object.assign(decide, { defaultMode });

    it('a rollout function that throws gives the default mode', async () => {
      const problem = { mode, problem: 'threw', code: 'Error' };
      expect(await resolveMode(failing(throwing()), context)).toEqual(problem);
      const failed = async (error: Error) => resolveMode(failing(rejecting(error)), context);
      expect(await failed(new TypeError('secret'))).toEqual({ ...problem, code: 'TypeError' });
      const refused = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
      expect(await failed(refused)).toEqual({ ...problem, code: 'ECONNREFUSED' });
      expect(await failed(Object.assign(new Error(''), { code: 'a secret' }))).toEqual(problem);
    });

    it.each(['on', '', undefined, null, 1, {}, ['off']])(
      'a rollout function that answers %j gives the default mode',
      async (nonsense) => {
        const problem = { mode, problem: 'no_mode', code: undefined };
        expect(
          await resolveMode(
            failing(() => nonsense as Mode),
            context,
          ),
        ).toEqual(problem);
        expect(
          await resolveMode(
            failing(async () => nonsense as Mode),
            context,
          ),
        ).toEqual(problem);
      },
    );

    it('a rollout function that takes longer than a second gives the default mode, even when it fails in the end', async () => {
      const late = deferred<Mode>();
      const resolved = resolveMode(
        failing(() => late.promise),
        context,
      );
      await vi.advanceTimersByTimeAsync(999);
      expect(vi.getTimerCount()).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(await resolved).toEqual({ mode, problem: 'too_slow', code: undefined });
      expect(vi.getTimerCount()).toBe(0);
      // Nobody waits any more: vitest fails a test that leaves a rejection unhandled.
      late.reject(new Error('too late'));
      await vi.advanceTimersByTimeAsync(0);
    });
  });
});
