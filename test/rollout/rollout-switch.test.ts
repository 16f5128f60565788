import { describe, expect, it } from 'vitest';
import { InvalidOptionsError } from '../../src/errors/options.ts';
import type { Mode } from '../../src/rollout/mode.ts';
import { resolveMode } from '../../src/rollout/resolve.ts';
import { rolloutSwitch } from '../../src/rollout/switch.ts';
import type { Rollout, RolloutFunction } from '../../src/rollout/rollout.ts';
import { deferred, type Deferred } from '../support/deferred.ts';

const context = { sessionId: 'conv_1', model: undefined };

async function modeBy(rollout: Rollout): Promise<Mode> {
  return (await resolveMode(rollout, context)).mode;
}

function failing(): RolloutFunction {
  return async () => Promise.reject(new Error('down'));
}

/** Each time it is asked, the next of these answers. */
function answering(answers: readonly Deferred<Mode>[]): RolloutFunction {
  let asked = 0;
  return () => answers[asked++]?.promise ?? 'chain';
}

describe('A rollout switch', () => {
  it('a rollout switch overrules every session that uses it, until the decision is given back', async () => {
    const control = rolloutSwitch({ mode: 'rebuild' });
    expect(await modeBy(control.rollout)).toBe('rebuild');
    control.force('off');
    expect(await modeBy(control.rollout)).toBe('off');
    control.force(undefined);
    expect(await modeBy(control.rollout)).toBe('rebuild');
  });

  it('a rollout switch overrules an answer that is still waited for, and a service that fails meanwhile', async () => {
    const answers = [deferred<Mode>(), deferred<Mode>()];
    const asked = rolloutSwitch(answering(answers));
    const waiting = modeBy(asked.rollout);
    asked.force('off');
    answers[0]?.resolve('chain');
    expect(await waiting).toBe('off');

    asked.force(undefined);
    const overruled = resolveMode(asked.rollout, context);
    asked.force('shadow');
    answers[1]?.reject(new Error('down'));
    expect(await overruled).toMatchObject({ mode: 'shadow', problem: undefined });
  });

  it('a rollout switch takes another rollout, with its default, and keeps the earlier one if that is wrong', async () => {
    const control = rolloutSwitch('off');
    control.set({ mode: 'rebuild', percent: 100 });
    expect(await modeBy(control.rollout)).toBe('rebuild');
    expect(() => control.set({ mode: 'rebuild', percent: 500 })).toThrow(InvalidOptionsError);
    expect(await modeBy(control.rollout)).toBe('rebuild');
    control.set(Object.assign(failing(), { defaultMode: 'shadow' as const }));
    expect(await modeBy(control.rollout)).toBe('shadow');
    control.force('off');
    control.set('chain');
    expect(await modeBy(control.rollout)).toBe('off');
  });

  it('a rollout switch keeps the default of what it switches', async () => {
    expect(await modeBy(rolloutSwitch(failing()).rollout)).toBe('chain');
    expect(
      await modeBy(rolloutSwitch(Object.assign(failing(), { defaultMode: 'shadow' as const })).rollout),
    ).toBe('shadow');
  });

  it('a rollout switch refuses what is no rollout and what is no mode', () => {
    const wrong = [
      ['rollout', 'on'],
      ['rollout.percent', { mode: 'chain', percent: 500 }],
    ] as const;
    for (const [option, rollout] of wrong) {
      expect(() => rolloutSwitch(rollout as Rollout)).toThrow(InvalidOptionsError);
      expect(() => rolloutSwitch(rollout as Rollout)).toThrow(`'${option}'`);
    }
    const control = rolloutSwitch('rebuild');
    expect(() => control.force('of' as Mode)).toThrow(InvalidOptionsError);
    expect(control.rollout(context)).toBe('rebuild');
  });
});
