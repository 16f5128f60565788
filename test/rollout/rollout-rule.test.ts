import { describe, expect, it } from 'vitest';
import { applyRule, bucketOf } from '../../src/rollout/rollout-rule.ts';

const sessions = Array.from({ length: 20_000 }, (_, index) => `conv_${index}`);
const known = { model: 'gpt-5.4' };

describe('A rollout rule', () => {
  it('gives everybody the mode when nothing else is said', () => {
    expect(applyRule({ mode: 'shadow' }, { sessionId: 'conv_1', model: undefined })).toBe('shadow');
  });

  it('gives about the asked share of sessions the mode, and all others the other one', () => {
    for (const percent of [0, 1, 10, 50, 90, 100]) {
      const chosen = sessions.filter(
        (sessionId) =>
          applyRule({ mode: 'chain', percent, otherwise: 'shadow' }, { sessionId, ...known }) === 'chain',
      );
      expect(Math.abs((chosen.length / sessions.length) * 100 - percent)).toBeLessThan(1);
    }
  });

  it('spreads sessions evenly', () => {
    const buckets = Array.from({ length: 20 }, () => 0);
    for (const session of sessions) {
      const bucket = Math.floor(bucketOf(session, '') / 5);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    // Chi-squared with 19 degrees of freedom: 43.8 is passed by chance once in a thousand sets; these are always the same.
    const expected = sessions.length / buckets.length;
    expect(buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(43.8);
  });

  it('only adds sessions when the share is raised', () => {
    for (const sessionId of sessions.slice(0, 2000)) {
      const modes = [5, 20, 60, 100].map((percent) =>
        applyRule({ mode: 'chain', percent }, { sessionId, ...known }),
      );
      const first = modes.indexOf('chain');
      expect(modes.slice(first)).not.toContain('off');
    }
  });

  it('chooses other sessions with another salt', () => {
    const both = sessions.filter((session) => bucketOf(session, 'a') < 10 && bucketOf(session, 'b') < 10);
    expect(both.length / sessions.length).toBeCloseTo(0.01, 2);
  });

  it('means only its models, and a model that is not known yet', () => {
    const rule = { mode: 'chain', models: ['gpt-5.4', 'gpt-5.5*'] } as const;
    const modeOf = (model: string | undefined): string => applyRule(rule, { sessionId: 'conv_1', model });
    expect(modeOf('gpt-5.4')).toBe('chain');
    expect(modeOf('gpt-5.5-mini')).toBe('chain');
    expect(modeOf('gpt-4.1')).toBe('off');
    expect(modeOf(undefined)).toBe('chain');
  });
});
