import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { snippetsOf } from './package/readme-snippets.ts';
import { startProgram } from './package/run-program.ts';
import { sourceFiles } from './support/source-files.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The entry points, by the name under which an app imports them. */
const DOORS = {
  'agents-hybrid-session': 'src/index.ts',
  'agents-hybrid-session/doctor': 'src/doctor.ts',
  'agents-hybrid-session/mocks': 'mocks/index.ts',
  'agents-hybrid-session/openfeature': 'src/openfeature.ts',
  'agents-hybrid-session/opentelemetry': 'src/opentelemetry.ts',
  'agents-hybrid-session/postgres': 'src/postgres.ts',
  'agents-hybrid-session/redis': 'src/redis.ts',
  'agents-hybrid-session/sqlite': 'src/sqlite.ts',
  'agents-hybrid-session/testing': 'src/testing.ts',
};

/** The values that examples use without making them. */
const GIVEN = `
import * as agents from '@openai/agents';
import OpenAIClient from 'openai';
import * as vitest from 'vitest';
declare global {
  let session: library0.HybridSession;
  let items: agents.AgentInputItem[];
  const agent: agents.Agent;
  const runner: library0.HybridRunner;
  const client: OpenAIClient;
  const ledger: library0.LedgerStore;
  const collector: library0.StatsCollector;
  const monday: library0.SessionStats;
  const tuesday: library0.SessionStats;
  const simulator: library2.Simulator;
  const tenant: { readonly id: string };
  const error: unknown;
  const event: library0.TurnEvent;
  const sessionId: string;
  const conversationId: string;
  const version: number;
  const fileLedger: (folder: string) => library0.LedgerStore;
  const expected: number;
  const Agent: typeof agents.Agent;
  const Runner: typeof agents.Runner;
  const OpenAIProvider: typeof agents.OpenAIProvider;
  const OpenAIResponsesModel: typeof agents.OpenAIResponsesModel;
  const OpenAI: typeof OpenAIClient;
  const it: typeof vitest.it;
}
`;

/** The drivers that this Node or the driver itself has no types for. */
const DRIVERS = `
declare module 'node:sqlite' {
  export const DatabaseSync: new (path: string) => import('agents-hybrid-session/sqlite').SqliteDatabase;
}
declare module 'pg' {
  export const Pool: new (options: { connectionString: string }) => import('agents-hybrid-session/postgres').PostgresPool & {
    on(event: 'error', listener: (error: Error) => void): void;
  };
}
`;

interface Example {
  readonly name: string;
  readonly text: string;
}

const examples = ['src', 'mocks'].flatMap((folder) =>
  sourceFiles(folder).flatMap(({ path, text }) => examplesOf(path, text)),
);

const PAGES = ['doctor', 'export', 'heal', 'ledgers', 'simulator'];

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

/** Every exported name of the entry points as a global one, which an example's own imports and variables hide. */
function globals(): string {
  const lines = Object.keys(DOORS).map((door, at) => `import * as library${at} from '${door}';`);
  const named = new Set<string>();
  for (const [at, path] of Object.values(DOORS).entries()) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    for (const [, isTypes, names = ''] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
      for (const one of names.split(',').map((name) => name.trim())) {
        const name = one.replace(/^type /, '');
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

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'agents-hybrid-session-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the examples in the docstrings and the programs in the pages compile', async () => {
  expect(examples.length).toBeGreaterThan(45);
  expect(programs.length).toBeGreaterThan(12);
  for (const { name, text } of [...examples, ...programs]) writeFileSync(join(folder, `${name}.ts`), text);
  writeFileSync(join(folder, 'globals.ts'), globals());
  writeFileSync(join(folder, 'drivers.d.ts'), DRIVERS);
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as {
    compilerOptions: object;
  };
  const doors = Object.entries(DOORS).map(([door, path]) => [door, [join(ROOT, path)]]);
  const options = {
    ...compilerOptions,
    module: 'preserve',
    verbatimModuleSyntax: false,
    erasableSyntaxOnly: false,
    allowImportingTsExtensions: true,
    typeRoots: [join(ROOT, 'node_modules', '@types')],
    paths: { ...Object.fromEntries(doors), '*': [join(ROOT, 'node_modules', '*')] },
  };
  const config = { compilerOptions: options, include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = await startProgram('node', [tsc, '-p', folder], { cwd: folder }).finished;
  expect(stdout).toBe('');
});
