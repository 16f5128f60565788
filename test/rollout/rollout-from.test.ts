import { describe, expect, it } from 'vitest';
import { InvalidOptionsError, rolloutFrom, rolloutSwitch } from '../../src/index.ts';

describe('rolloutFrom()', () => {
  it.each([
    ['chain', 'chain'],
    [' off ', 'off'],
    ['', 'chain'],
    ['rebuild 5%', { mode: 'rebuild', percent: 5 }],
    ['rebuild 0.5 % else shadow', { mode: 'rebuild', percent: 0.5, otherwise: 'shadow' }],
    ['chain 100% else rebuild', { mode: 'chain', percent: 100, otherwise: 'rebuild' }],
  ])('the text %j is a rollout', (text, rollout) => {
    expect(rolloutFrom(text)).toEqual(rollout);
    expect(rolloutFrom({ HYBRID_SESSION_ROLLOUT: text })).toEqual(rollout);
    rolloutSwitch(rolloutFrom(text));
  });

  it('an environment without the variable has the default', () => {
    expect(rolloutFrom({})).toBe('chain');
  });

  it.each([
    'on',
    'rebuild 101%',
    'rebuild 5',
    'rebuild -5%',
    'rebuild else shadow',
    'rebuild 5% else on',
    '5%',
    'toString',
  ])('the text %j is refused with the option that holds it', (text) => {
    expect(() => rolloutFrom(text)).toThrow("Cannot create the rollout: option 'rollout' must be one of off");
    expect(() => rolloutFrom({ HYBRID_SESSION_ROLLOUT: text })).toThrow(InvalidOptionsError);
    expect(() => rolloutFrom({ HYBRID_SESSION_ROLLOUT: text })).toThrow(
      "option 'HYBRID_SESSION_ROLLOUT' must",
    );
  });
});
