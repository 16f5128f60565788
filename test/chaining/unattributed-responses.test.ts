import { expect, test } from 'vitest';
import type { CompletedResponse } from '../../src/chaining/port.ts';
import { takeUnattributedResponse, keepUnattributedResponse } from '../../src/chaining/attribution.ts';

const answer = (id: string): CompletedResponse => ({
  id,
  time: 0,
  store: true,
  model: undefined,
  parent: undefined,
  context: { length: 1, digest: 'digest' },
  lineage: [],
});

test('takeUnattributedResponse gives an answer to the one who asks for it, once', () => {
  keepUnattributedResponse(answer('resp_left'));
  expect(takeUnattributedResponse('resp_left')).toEqual(answer('resp_left'));
  expect(takeUnattributedResponse('resp_left')).toBeUndefined();
});

test('unclaimed responses are kept up to a thousand', () => {
  for (let index = 0; index <= 1000; index += 1) keepUnattributedResponse(answer(`resp_${index}`));
  expect(takeUnattributedResponse('resp_0')).toBeUndefined();
  expect(takeUnattributedResponse('resp_1')).toBeDefined();
  expect(takeUnattributedResponse('resp_1000')).toBeDefined();
});
