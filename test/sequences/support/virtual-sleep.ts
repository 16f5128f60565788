import { vi } from 'vitest';
import { turns } from './app-process.ts';

/** In the place of `src/session/sleep.ts`: the time passes at once, and whoever else is at work gets on. */
export async function sleep(milliseconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + milliseconds);
  await turns(1);
}
