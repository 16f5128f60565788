import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { faultTable } from '../../mocks/faults/fault-table.ts';
import { resolveOptions } from '../../mocks/settings.ts';
import { deviations } from './schema/deviations.ts';

const TESTS = fileURLToPath(new URL('.', import.meta.url));
const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');

/** The cells of one column of the table under a heading. */
function column(heading: string, number: number): string[] {
  const [, section = ''] = page.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [table = ''] = /^\|.*\n\|---.*\n(\|.*\n)+/m.exec(section) ?? [];
  return table
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[number + 1]?.trim() ?? '');
}

const codes = (cells: readonly string[]): string[] => cells.map((cell) => cell.replaceAll('`', ''));

describe('the page about the simulator', () => {
  it('lists every fault there is', () => {
    expect(codes(column('Faults', 0))).toEqual(Object.keys(faultTable));
  });

  it('lists every option there is', () => {
    expect(new Set(codes(column('Options', 0)))).toEqual(new Set(Object.keys(resolveOptions({}))));
  });

  it('lists every deviation there is', () => {
    expect(column('Deviations from the schema', 0)).toEqual(deviations.map(({ name }) => name));
  });

  it('names for every fact a test that exists', () => {
    const titles = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(TESTS, file), 'utf8'))
      .join('\n');
    const named = column('Fidelity', 2);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((title) => !titles.includes(`'${title}'`))).toEqual([]);
  });

  it('begins with an example that runs', () => {
    const [, shown] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
    const run = readFileSync(join(TESTS, 'example', 'example.test.ts'), 'utf8');
    expect(shown).toBe(run.replace('../../../mocks/index.ts', 'agents-hybrid-session/mocks'));
  });
});
