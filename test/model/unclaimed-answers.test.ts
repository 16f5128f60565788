import { expect, test } from 'vitest';
import type { Answer } from '../../src/model/chain.ts';
import { claimAnswer, leaveAnswer } from '../../src/model/unclaimed-answers.ts';

const answer = (id: string): Answer => ({
  id,
  time: 0,
  store: true,
  model: undefined,
  parent: undefined,
  context: { length: 1, digest: 'digest' },
  lineage: [],
});

test('gives an answer to the one who asks for it, once', () => {
  leaveAnswer(answer('resp_left'));
  expect(claimAnswer('resp_left')).toEqual(answer('resp_left'));
  expect(claimAnswer('resp_left')).toBeUndefined();
});

test('does not keep more than a thousand that nobody asks for', () => {
  for (let index = 0; index <= 1000; index += 1) leaveAnswer(answer(`resp_${index}`));
  expect(claimAnswer('resp_0')).toBeUndefined();
  expect(claimAnswer('resp_1')).toBeDefined();
  expect(claimAnswer('resp_1000')).toBeDefined();
});
