import { expect, test } from 'vitest';
import { clock } from '../../src/util/clock.ts';

test('the clock ends a wait when its signal is aborted', async () => {
  const controller = new AbortController();
  const wait = clock.sleep(600_000, controller.signal);
  controller.abort();
  await expect(wait).rejects.toMatchObject({ name: 'AbortError' });
});
