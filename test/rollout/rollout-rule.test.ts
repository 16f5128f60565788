import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { applyRule, bucketOf } from '../../src/rollout/rollout.ts';

const sessions = Array.from({ length: 20_000 }, (_, index) => `conv_${index}`);
/** A session's place must never change: its users would be moved between modes. */
const PLACES: readonly number[] = [97.48708401724393, 85.5055563819974, 46.57119198277435];
const known = { model: 'gpt-5.4' };

describe('A rollout rule', () => {
  it('a rollout rule gives everybody the mode when nothing else is said', () => {
    expect(applyRule({ mode: 'shadow' }, { sessionId: 'conv_1', model: undefined })).toBe('shadow');
  });

  it('a rollout rule gives about the asked share of sessions the mode, and all others the other one', () => {
    for (const percent of [0, 1, 10, 50, 90, 100]) {
      const chosen = sessions.filter(
        (sessionId) =>
          applyRule({ mode: 'chain', percent, otherwise: 'shadow' }, { sessionId, ...known }) === 'chain',
      );
      expect(Math.abs((chosen.length / sessions.length) * 100 - percent)).toBeLessThan(1);
    }
  });

  it('a rollout rule spreads sessions evenly', () => {
    const buckets = Array.from({ length: 20 }, () => 0);
    for (const session of sessions) {
      const bucket = Math.floor(bucketOf(session, '') / 5);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    // Chi-squared with 19 degrees of freedom: 43.8 is passed by chance once in a thousand sets; these are always the same.
    const expected = sessions.length / buckets.length;
    expect(buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(43.8);
  });

  it('a rollout rule spreads the IDs that the API gives evenly, with any salt', () => {
    // The shape of real IDs: a time that only creeps, and a part that is random.
    const ids = Array.from(
      { length: 10_000 },
      (_, index) =>
        `conv_${(0x6ab66ff4 + index).toString(16)}${createHash('md5').update(String(index)).digest('hex')}00`,
    );
    for (const salt of ['', 'agent-memory', '2026-11']) {
      const buckets = Array.from({ length: 100 }, () => 0);
      for (const id of ids) {
        const bucket = Math.floor(bucketOf(id, salt));
        buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      }
      // 99 degrees of freedom: 148.2 is passed by chance once in a thousand sets.
      expect(buckets.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)).toBeLessThan(148.2);
    }
  });

  it('a rollout rule places a session for ever: in the next process, and in the next version', () => {
    const id = 'conv_6ab66ff4558481978754b80122351c000d32e39f9bc8e199';
    expect([bucketOf(id, ''), bucketOf(id, 'agent-memory'), bucketOf('user-42', '')]).toEqual(PLACES);
  });

  it('a rollout rule chooses nobody at 0 and everybody at 100', () => {
    for (const sessionId of sessions) {
      expect(applyRule({ mode: 'chain', percent: 0 }, { sessionId, ...known })).toBe('off');
      expect(applyRule({ mode: 'chain', percent: 100 }, { sessionId, ...known })).toBe('chain');
    }
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

  it('a rollout rule chooses other sessions with another salt', () => {
    const both = sessions.filter((session) => bucketOf(session, 'a') < 10 && bucketOf(session, 'b') < 10);
    expect(both.length / sessions.length).toBeCloseTo(0.01, 2);
  });

  it('a rollout rule means only its models, and a model that is not known yet', () => {
    const rule = { mode: 'chain', models: ['gpt-5.4', 'gpt-5.5*'] } as const;
    const modeOf = (model: string | undefined): string => applyRule(rule, { sessionId: 'conv_1', model });
    expect(modeOf('gpt-5.4')).toBe('chain');
    expect(modeOf('gpt-5.5-mini')).toBe('chain');
    expect(modeOf('gpt-4.1')).toBe('off');
    expect(modeOf(undefined)).toBe('chain');
  });
});
