import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { resolveMode } from '../../src/rollout/resolve-mode.ts';
import { rolloutSwitch } from '../../src/rollout/rollout-switch.ts';

function throwing(): never {
  throw new Error('flag service down');
}

const context = { sessionId: 'conv_1', model: undefined };

describe('The mode of a turn', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is what is set, what the rule says, or what the function answers', async () => {
    expect(await resolveMode('shadow', context)).toEqual({ mode: 'shadow', problem: undefined });
    expect(await resolveMode({ mode: 'rebuild', percent: 0 }, context)).toEqual({
      mode: 'off',
      problem: undefined,
    });
    expect(await resolveMode(() => 'off', context)).toEqual({ mode: 'off', problem: undefined });
    expect(await resolveMode(() => Promise.resolve('rebuild'), context)).toEqual({
      mode: 'rebuild',
      problem: undefined,
    });
  });

  it('is the default, with a reason, when the function throws, answers nonsense, or takes too long', async () => {
    expect(await resolveMode(throwing, context)).toEqual({ mode: 'chain', problem: 'threw' });
    expect(await resolveMode(async () => Promise.reject(new Error('down')), context)).toEqual({
      mode: 'chain',
      problem: 'threw',
    });
    expect(await resolveMode(() => 'on' as never, context)).toEqual({ mode: 'chain', problem: 'no-mode' });
    expect(await resolveMode(() => undefined as never, context)).toEqual({
      mode: 'chain',
      problem: 'no-mode',
    });
    const never = resolveMode(() => new Promise(() => undefined), context);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await never).toEqual({ mode: 'chain', problem: 'too-slow' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('A rollout switch overrules every session that uses it, until it is given back', async () => {
  const control = rolloutSwitch({ mode: 'rebuild' });
  const mode = async (): Promise<string> => (await resolveMode(control.rollout, context)).mode;
  expect(await mode()).toBe('rebuild');
  control.force('off');
  expect(await mode()).toBe('off');
  control.force(undefined);
  expect(await mode()).toBe('rebuild');
});
