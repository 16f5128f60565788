import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readManifest, ROOT } from './package/packed.ts';
import { snippetsOf } from './package/readme-snippets.ts';
import { startProgram } from './package/run-program.ts';
import { sourceFiles } from './support/source-files.ts';

/** The values that examples use without making them. */
const GIVEN = `
import * as agents from '@openai/agents';
import OpenAIClient from 'openai';
import * as msw from 'msw/node';
import * as vitest from 'vitest';
declare global {
  let session: HybridSession;
  let items: agents.AgentInputItem[];
  const agent: agents.Agent;
  const runner: HybridRunner;
  const client: OpenAIClient;
  const ledger: LedgerStore;
  const collector: StatsCollector;
  const monday: SessionStats;
  const tuesday: SessionStats;
  const simulator: Simulator;
  const tenant: { readonly id: string };
  const error: unknown;
  const event: TurnEvent;
  const sessionId: string;
  const conversationId: string;
  const version: number;
  const fileLedger: (folder: string) => LedgerStore;
  const expected: number;
  const Agent: typeof agents.Agent;
  const Runner: typeof agents.Runner;
  const OpenAIProvider: typeof agents.OpenAIProvider;
  const OpenAIResponsesModel: typeof agents.OpenAIResponsesModel;
  const OpenAI: typeof OpenAIClient;
  const OpenAIConversationsSession: typeof agents.OpenAIConversationsSession;
  const it: typeof vitest.it;
  const expect: typeof vitest.expect;
  const beforeEach: typeof vitest.beforeEach;
  const setupServer: typeof msw.setupServer;
}
`;

/** The driver that this Node has no types for. */
const DRIVERS = `
declare module 'node:sqlite' {
  export const DatabaseSync: new (path: string) => import('agents-hybrid-session/sqlite').SqliteDatabase;
}
`;

interface Example {
  readonly name: string;
  readonly text: string;
}

const examples = ['src', 'mocks'].flatMap((folder) =>
  sourceFiles(folder).flatMap(({ path, text }) => examplesOf(path, text)),
);

const PAGES = [
  'before-you-need-it',
  'many-sessions',
  'doctor',
  'export',
  'heal',
  'ledgers',
  'long-conversations',
  'shutdown',
  'simulator',
];

/** The programs in the pages that no test runs. */
const programs = PAGES.flatMap((page) =>
  snippetsOf(readFileSync(join(ROOT, 'docs', `${page}.md`), 'utf8')).map(({ source }, index): Example => ({
    name: `docs-${page}-${index}`,
    text: `${source}\nexport {};\n`,
  })),
);

/** The examples in the docstrings of a file, each up to the next tag. */
function examplesOf(path: string, text: string): Example[] {
  return Array.from(text.matchAll(/^ *\* @example\n((?: *\*(?!\/| @).*\n)+)/gm), ([, block = ''], index) => {
    const lines = block.split('\n').map((line) => line.replace(/^ *\* ?/, ''));
    const code = lines.filter((line) => !line.startsWith('```'));
    return { name: `${path.replaceAll(/\W/g, '-')}-${index}`, text: `${code.join('\n')}\nexport {};\n` };
  });
}

interface Door {
  /** The name under which an app imports it. */
  readonly name: string;
  /** Its source, from the project's root. */
  readonly path: string;
}

/** The entry points in package.json. */
async function doorsOf(): Promise<Door[]> {
  const { name, exports } = await readManifest('package.json');
  const entries = Object.entries(exports as Record<string, { readonly import?: { readonly types: string } }>);
  return entries.flatMap(([door, { import: built }]) => {
    const path = /(?:src|mocks)\/\w+(?=\.d\.ts$)/.exec(built?.types ?? '')?.[0];
    return path === undefined ? [] : [{ name: `${String(name)}${door.slice(1)}`, path: `${path}.ts` }];
  });
}

/** Every exported name of the entry points as a global one, which an example's own imports and variables hide. */
function globals(doors: readonly Door[]): string {
  const lines = doors.map(({ name }, at) => `import * as library${at} from '${name}';`);
  const named = new Set<string>();
  for (const [at, { path }] of doors.entries()) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    for (const [, isTypes, names = ''] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
      for (const one of names.split(',').map((name) => name.trim())) {
        const name = one.replace(/^type /, '').replace(/^.* as /, '');
        if (name === '' || named.has(name)) continue;
        named.add(name);
        const isValue = isTypes === undefined && !one.startsWith('type ');
        lines.push(
          `declare global { ${isValue ? `export import ${name} = library${at}.${name};` : `type ${name} = library${at}.${name};`} }`,
        );
      }
    }
  }
  return `${lines.join('\n')}\n${GIVEN}`;
}

test('the examples in the docstrings and the programs in the pages compile', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agents-hybrid-session-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const doors = await doorsOf();
  expect(doors.length).toBeGreaterThan(8);
  expect(examples.length).toBeGreaterThan(45);
  expect(programs.length).toBeGreaterThan(12);
  for (const { name, text } of [...examples, ...programs]) writeFileSync(join(folder, `${name}.ts`), text);
  writeFileSync(join(folder, 'globals.ts'), globals(doors));
  writeFileSync(join(folder, 'drivers.d.ts'), DRIVERS);
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as {
    compilerOptions: object;
  };
  const sources = doors.map(({ name, path }) => [name, [join(ROOT, path)]]);
  const options = {
    ...compilerOptions,
    module: 'preserve',
    verbatimModuleSyntax: false,
    erasableSyntaxOnly: false,
    allowImportingTsExtensions: true,
    typeRoots: [join(ROOT, 'node_modules', '@types')],
    types: ['node', 'chai'],
    paths: {
      ...Object.fromEntries(sources),
      '*': [join(ROOT, 'node_modules', '*'), join(ROOT, 'node_modules', '@types', '*')],
    },
  };
  const config = {
    compilerOptions: options,
    include: ['*.ts', join(ROOT, 'test', 'stores', 'support', 'pg.d.ts')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = await startProgram('node', [tsc, '-p', folder], { cwd: folder }).finished;
  expect(stdout).toBe('');
});
