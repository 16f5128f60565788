import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'examples');
const programs = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
const isBuilt = existsSync(join(root, 'dist', 'esm', 'src', 'index.js'));

/** The last line of each program. */
const LAST_LINES: Readonly<Record<string, RegExp>> = {
  'long-conversation.mjs': /^24 items were said, a model sees \d+; proven: true$/,
  'undo-and-fork.mjs': /^3 turns, 5 requests, and trip-42-b goes on from turn_\d+$/,
};

describe.skipIf(!isBuilt)('the programs in examples/', () => {
  it.each(programs)('the example %s runs offline to its end', (name) => {
    const { OPENAI_API_KEY: _key, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, name)], {
      cwd: root,
      env: { ...env, OPENAI_AGENTS_DISABLE_TRACING: '1' },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(LAST_LINES[name] ?? /^never$/);
  });
});
