import { describe, expect, it } from 'vitest';
import { runProgram } from '../package/run-program.ts';
import { isBuilt, linkExample } from './support/linked-example.ts';

/** The last line of each program. */
const LAST_LINES = [
  ['long-conversation', /^24 items were said, a model sees \d+; proven: true$/],
  ['undo-and-fork', /^3 turns, 5 requests, and trip-42-b goes on from turn_\d+$/],
] as const;

describe.skipIf(!isBuilt)('examples of one program', () => {
  it.each(LAST_LINES)('the example %s runs offline to its end', async (name, lastLine) => {
    const env = { OPENAI_AGENTS_DISABLE_TRACING: '1' };
    const { stdout } = await runProgram('node', ['index.js'], { cwd: linkExample(name), env });
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(lastLine);
  });
});
