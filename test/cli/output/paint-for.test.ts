import { describe, expect, it } from 'vitest';
import { paintFor } from '../../../src/cli/output/doctor-text.ts';
import { captureIo } from '../support/captured-io.ts';

function painted(out: boolean, env: Readonly<Record<string, string>>): string {
  return paintFor(captureIo(env, { terminal: { out } }).io)('red', 'lost');
}

describe('colours', () => {
  it('colours are for terminals', () => {
    expect(painted(true, {})).toBe('\u001B[31mlost\u001B[0m');
    expect(painted(true, { NO_COLOR: '' })).toBe('\u001B[31mlost\u001B[0m');
  });

  it.each([
    [false, {}],
    [true, { NO_COLOR: '1' }],
    [true, { TERM: 'dumb' }],
  ])('colours are left out without a terminal, or with NO_COLOR: %s %j', (out, env) => {
    expect(painted(out, env)).toBe('lost');
  });
});
