import { expect, it } from 'vitest';
import { matchesModel } from '../../src/rollout/rollout.ts';

it.each([
  ['gpt-5.4', 'gpt-5.4', true],
  ['gpt-5.4', 'gpt-5.4-2026-03-05', true],
  ['gpt-5.4', 'gpt-5.4-0305', true],
  ['gpt-5.4', 'gpt-5.4-mini', false],
  ['gpt-5.4', 'gpt-5.4-mini-2026-03-05', false],
  ['gpt-5.4', 'gpt-5.45', false],
  ['gpt-5.4', 'gpt-5', false],
  ['gpt-5.4-mini', 'gpt-5.4-mini', true],
  ['gpt-5.4-mini', 'gpt-5.4-mini-2026-03-05', true],
  ['gpt-5.4*', 'gpt-5.4-mini-2026-03-05', true],
  ['gpt-5.*-mini', 'gpt-5.5-mini', true],
  ['gpt-5.*-mini', 'gpt-5.5-mini-2026-03-05', false],
  ['*', 'anything', true],
  ['gpt-5.4', 'ft:gpt-5.4-2026-03-05:org::abc', true],
  ['gpt-5.4', 'openai/gpt-5.4-2026-03-05', true],
  ['openai/gpt-5.4', 'openai/gpt-5.4', true],
  ['azure/gpt-5.4', 'openai/gpt-5.4', false],
  ['gpt-5.4', 'gpt-4.1', false],
])('%s means %s: %s', (pattern, model, expected) => {
  expect(matchesModel(pattern, model)).toBe(expected);
});

it('a rollout rule asks a pattern afresh each time, whatever its flags', () => {
  const pattern = /^gpt-5\.[45]/gy;
  expect([1, 2, 3].map(() => matchesModel(pattern, 'gpt-5.4-mini'))).toEqual([true, true, true]);
  expect(matchesModel(pattern, 'gpt-4.1')).toBe(false);
});
