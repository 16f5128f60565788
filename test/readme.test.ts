import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import type { Mode } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const readme = read('README.md');

/** Every page for readers. */
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
  ...readdirSync(join(root, 'examples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map(({ name }) => join('examples', name, 'README.md')),
  'examples/README.md',
];

/** The names by which a page's headings are linked. */
function headingsOf(text: string): Set<string> {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return new Set(
    [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The links of a page to files and headings of this repository, with the page's own folder as their start. */
function brokenLinks(page: string): string[] {
  const prose = read(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => {
      const [path = '', heading] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return heading !== undefined && !headingsOf(read(target)).has(heading);
    });
}

describe('the README', () => {
  it('the README has at most 200 lines', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('the README lists every mode', () => {
    const modes: Record<Mode, true> = { off: true, shadow: true, rebuild: true, chain: true };
    const [, section = ''] = readme.split('## Roll it out\n');
    const [table = ''] = section.split('```');
    expect([...table.matchAll(/^\| `(\w+)`/gm)].map(([, mode]) => mode)).toEqual(Object.keys(modes));
  });

  it('the README justifies every runtime dependency', () => {
    const [, section = ''] = readme.split('## Versions and dependencies');
    for (const name of Object.keys(manifest.dependencies)) expect(section).toContain(`- \`${name}\`: `);
    for (const name of Object.keys(manifest.peerDependencies)) expect(section).toContain(`\`${name}\``);
  });

  it('the README shows the fix as one line, and then with a ledger that outlives the process', () => {
    const [, section = ''] = readme.split('## The fix\n');
    const shown = [...section.matchAll(/new HybridSession\(.*\)/g)].map(([call]) => call);
    expect(shown[0]).toBe('new HybridSession({ conversationId })');
    expect(shown[2]).toContain('ledger: sqliteLedger(');
  });

  it('the README claims no savings in tokens', () => {
    expect(readme).not.toMatch(/(saves?|saving|fewer|less) (\w+ )?tokens/i);
  });

  it('the README names every page in docs/', () => {
    const missing = pages.filter((page) => /^docs\/[\w-]+\.md$/.test(page) && !readme.includes(`(${page}`));
    expect(missing).toEqual(['docs/development.md']);
  });
});

describe('the pages', () => {
  it.each(pages)('the links of %s lead to files and headings', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });
});
