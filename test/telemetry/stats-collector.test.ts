import { expect, it } from 'vitest';
import { statsCollector, type HybridSessionEvent } from '../../src/index.ts';

function turn(session: number, model: string): HybridSessionEvent {
  return {
    type: 'turn',
    sessionId: `conv_${session}`,
    mode: 'shadow',
    responseId: `resp_${session}`,
    model,
    lost: session % 2,
    newlyLost: session % 2,
    plans: [],
    chain: { possible: true, reason: 'extends', basis: 'forecast', savedBytes: 10 },
  };
}

it('a collector counts a hundred thousand sessions in the room of one', () => {
  const collector = statsCollector();
  collector.event(turn(1, 'gpt-5.4'));
  const size = (): number => JSON.stringify(collector.stats()).length;
  const before = size();
  for (let session = 2; session <= 100_000; session += 1) collector.event(turn(session, 'gpt-5.4'));
  // Only the numbers have grown longer.
  expect(size()).toBeLessThan(before + 100);
  expect(collector.stats()).toMatchObject({ turns: 100_000, turnsWithLoss: 50_000, lossRate: 0.5 });
});

it('statistics are plain JSON for any name of a model, and a copy', () => {
  const collector = statsCollector();
  for (const [index, model] of ['constructor', '__proto__', 'toString'].entries())
    for (let times = 0; times < 2; times += 1) collector.event(turn(index, model));
  const { models } = collector.stats();
  expect(Object.values(models).map(({ turns }) => turns)).toEqual([2, 2, 2]);
  expect(JSON.parse(JSON.stringify(collector.stats()))).toEqual(collector.stats());
  Object.assign(models, { constructor: undefined });
  expect(Object.keys(collector.stats().models)).toEqual(['constructor', '__proto__', 'toString']);
});
