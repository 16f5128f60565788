import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import results from '../docs/bench/results.json' with { type: 'json' };

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the benchmark', () => {
  it('the results agree with docs/benchmarks.md and docs/bench/', async () => {
    await expect(
      promisify(execFile)(process.execPath, ['scripts/bench.mjs', '--check'], { cwd: root }),
    ).resolves.toMatchObject({ stderr: '' });
  });

  it('a reached goal is called reached', () => {
    expect(results.figures.length).toBeGreaterThan(9);
    for (const { limit, least, measured, reached } of results.figures)
      expect(reached).toBe(least ? measured >= limit : measured <= limit);
  });

  it('the results are those of the whole benchmark', async () => {
    expect(results.settings).toMatchObject({ quick: false, latency: 5 });
    expect(results.settings.points.at(-1)).toBe(1000);
    const names = results.turns.map(({ name }) => name);
    const table = await readFile(`${root}scripts/bench/contestants.mjs`, 'utf8');
    for (const name of ['stock', 'memory', 'hand']) {
      expect(names).toContain(name);
      expect(table).toContain(`name: '${name}'`);
    }
    expect(names).toContain('anchored-background');
  });
});
