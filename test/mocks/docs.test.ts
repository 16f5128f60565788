import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { FaultEffect } from '../../mocks/faults/fault-effect.ts';
import { faultTable } from '../../mocks/faults/fault-table.ts';
import { missingRoutes } from '../../mocks/profiles/missing-routes.ts';
import { parentRefusals } from '../../mocks/profiles/parent-refusals.ts';
import { profileNames, resolveProfile } from '../../mocks/profiles/profile-table.ts';
import type { ApiError } from '../../mocks/wire/api-error.ts';
import { resolveOptions } from '../../mocks/resolve-options.ts';
import { refusedRequests } from './requests/refused-requests.ts';
import { deviations } from './schema/deviations.ts';

const TESTS = fileURLToPath(new URL('.', import.meta.url));
const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');

/** The cells of one column of a table under a heading, the first unless told otherwise. */
function column(heading: string, number: number, position = 0): string[] {
  const [, section = ''] = page.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const table = section.match(/^\|.*\n\|---.*\n(\|.*\n)+/gm)?.[position] ?? '';
  return table
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[number + 1]?.trim() ?? '');
}

/** The statuses of errors, as the page has them. */
function statusesOf(table: Readonly<Record<string, (asked: never) => ApiError>>): string[] {
  const asked = { method: 'POST', path: '/conversations' } as never;
  return Object.values(table).map((error) => `${error(asked).status}`);
}

/** The entry points of the package that examples import by the paths of their sources. */
const ENTRIES: Readonly<Record<string, string>> = {
  '../../../mocks/core.ts': 'agents-hybrid-session/mocks/core',
  '../../../mocks/index.ts': 'agents-hybrid-session/mocks',
  '../../../src/index.ts': 'agents-hybrid-session',
  '../../../src/testing.ts': 'agents-hybrid-session/testing',
};

const codes = (cells: readonly string[]): string[] => cells.map((cell) => cell.replaceAll('`', ''));

describe('the page about the simulator', () => {
  it('the page about the simulator lists every fault, with its details', () => {
    expect(codes(column('Faults', 0))).toEqual(Object.keys(faultTable));
    const effects: readonly FaultEffect[] = Object.values(faultTable);
    expect(codes(column('Faults', 1))).toEqual(effects.map(({ takes = [] }) => takes.join(', ')));
  });

  it('the page about the simulator lists every profile, field, refusal and missing route', () => {
    const plain = profileNames.filter((name) => !/^(refuses-parent|no-conversations):/.test(name));
    expect(codes(column('Profiles', 0))).toEqual(plain);
    expect(codes(column('Profiles', 0, 1))).toEqual(Object.keys(resolveProfile('openai')));
    expect(codes(column('Refusals', 0))).toEqual(Object.keys(parentRefusals));
    expect(column('Refusals', 1)).toEqual(statusesOf(parentRefusals));
    expect(codes(column('Missing conversations', 0))).toEqual(Object.keys(missingRoutes));
    expect(column('Missing conversations', 1)).toEqual(statusesOf(missingRoutes));
  });

  it('the page about the simulator lists every option', () => {
    expect(new Set(codes(column('Options', 0)))).toEqual(new Set(Object.keys(resolveOptions({}))));
  });

  it('the page about the simulator lists every refused request, with the words and the code of its error', () => {
    expect(column('Refused requests', 0)).toEqual(refusedRequests.map(({ cause }) => cause));
    expect(column('Refused requests', 1)).toEqual(refusedRequests.map(({ message }) => `\`${message}\``));
    expect(codes(column('Refused requests', 2))).toEqual(refusedRequests.map(({ code }) => code ?? ''));
    expect(column('Refused requests', 3).filter((source) => source === '')).toEqual([]);
  });

  it('the page about the simulator lists every deviation', () => {
    expect(column('Deviations from the schema', 0)).toEqual(deviations.map(({ name }) => name));
  });

  it('the page about the simulator names an existing test for every fact', () => {
    const titles = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(TESTS, file), 'utf8'))
      .join('\n');
    const named = column('Fidelity', 2);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((title) => !titles.includes(`'${title}'`))).toEqual([]);
  });

  it('the page about the simulator shows the examples that run as tests', () => {
    const folder = join(TESTS, 'example');
    const examples = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    expect(examples.length).toBeGreaterThan(5);
    const shown = examples.map((text) =>
      text.replaceAll(/(?:\.\.\/){3}[\w/.]+/g, (path) => ENTRIES[path] ?? path),
    );
    expect(shown.filter((text) => !page.includes(`\`\`\`ts\n${text}\`\`\``))).toEqual([]);
  });
});
