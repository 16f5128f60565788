import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { mergeStats } from '../../src/telemetry/stats-collector.ts';

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

const [page, guide, source] = await Promise.all(
  ['docs/observability.md', 'docs/rollout.md', 'src/telemetry/open-telemetry.ts'].map((path) => read(path)),
);

/** The first names in backticks of the rows of a table that has this checkpoint. */
function column(checkpoint: string): string[] {
  const [, table = ''] = (page ?? '').split(new RegExp(`^\\| ${checkpoint} \\|.*\\n\\|---.*\\n`, 'm'));
  const rows = /^(?:\|.*\n)+/.exec(table)?.[0].trimEnd().split('\n') ?? [];
  return rows.map((row) => /`([^`]+)`/.exec(row)?.[1] ?? row);
}

const metrics = [
  'hybrid_session.operation.duration',
  ...[...(source ?? '').matchAll(/counter\(\s*'(\w+)'/g)].map(([, name]) => `hybrid_session.${name}`),
];

describe('the pages', () => {
  it('the pages list every number of the statistics', () => {
    expect(column('field').toSorted()).toEqual(Object.keys(mergeStats()).toSorted());
  });

  it('the pages list every metric', () => {
    expect(metrics.length).toBeGreaterThan(7);
    expect(column('metric').toSorted()).toEqual(metrics.toSorted());
  });

  it('the pages list every span', () => {
    expect(column('span').toSorted()).toEqual(
      ['append', 'plan', 'read', 'restore'].map((name) => `hybrid_session.${name}`),
    );
  });

  it('the alerts in the pages use existing metrics', () => {
    const asked = [...(guide ?? '').matchAll(/\b(hybrid_session_\w+?)_total/g)].map(([, name]) => name);
    expect(asked.length).toBeGreaterThan(7);
    const known = new Set(metrics.map((name) => name.replaceAll('.', '_')));
    expect(asked.filter((name) => !known.has(name ?? ''))).toEqual([]);
  });
});
