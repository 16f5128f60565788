import { describe, expect, it } from 'vitest';
import { paintFor } from '../../src/cli/paint.ts';
import { captureIo } from './captured-io.ts';

function painted(out: boolean, env: Readonly<Record<string, string>>): string {
  return paintFor(captureIo(env, { terminal: { out } }).io)('red', 'lost');
}

describe('colours', () => {
  it('are for terminals', () => {
    expect(painted(true, {})).toBe('\u001B[31mlost\u001B[0m');
    expect(painted(true, { NO_COLOR: '' })).toBe('\u001B[31mlost\u001B[0m');
  });

  it.each([
    [false, {}],
    [true, { NO_COLOR: '1' }],
    [true, { TERM: 'dumb' }],
  ])('are left out where they are not wanted: %s %j', (out, env) => {
    expect(painted(out, env)).toBe('lost');
  });
});
