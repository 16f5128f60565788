import { expect, test } from 'vitest';
import { CHAINING_PORT } from '../../src/chaining/port.ts';

test('the port of a session has the same name in every copy of the package', () => {
  expect(CHAINING_PORT).toBe(Symbol.for('agents-hybrid-session.chain'));
});
