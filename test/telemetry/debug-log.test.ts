import { describe, expect, test } from 'vitest';
import { debugLog } from '../../src/telemetry/debug-log.ts';

describe('the debug log', () => {
  test('an operation is not written without DEBUG', () => {
    expect(process.env['DEBUG']).toBeUndefined();
    expect(debugLog.begin?.('read')).toBeUndefined();
  });
});
