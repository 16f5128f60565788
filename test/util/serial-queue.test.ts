import { expect, test } from 'vitest';
import { SerialQueue } from '../../src/util/serial-queue.ts';

test('tasks run one after the other, in the order in which they were given', async () => {
  const queue = new SerialQueue();
  const told: string[] = [];
  const task = (name: string) => async (): Promise<string> => {
    told.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    told.push(`${name} ends`);
    return name;
  };
  expect(await Promise.all([queue.run(task('a')), queue.run(task('b')), queue.run(task('c'))])).toEqual([
    'a',
    'b',
    'c',
  ]);
  expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('a task that fails tells who gave it, and does not stop the next', async () => {
  const queue = new SerialQueue();
  const failing = queue.run(async () => Promise.reject(new RangeError('no')));
  const next = queue.run(async () => 'next');
  await expect(failing).rejects.toThrow(RangeError);
  expect(await next).toBe('next');
});

test('a task that throws at once is a task that fails', async () => {
  const failing = new SerialQueue().run((): Promise<never> => {
    throw new RangeError('at once');
  });
  await expect(failing).rejects.toThrow('at once');
});

test('a queue is idle before its first task and after its last one', async () => {
  const queue = new SerialQueue();
  expect(queue.isIdle).toBe(true);
  const seen: boolean[] = [];
  const look = async (): Promise<void> => void seen.push(queue.isIdle);
  await Promise.all([queue.run(look), queue.run(look)]);
  await expect(queue.run(() => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError);
  expect([seen, queue.isIdle]).toEqual([[false, false], true]);
});
