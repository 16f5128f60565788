import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installedConsumer, linkedConsumer } from './consumer.ts';
import { packWorkingTree, readManifest, ROOT, type PackedPackage } from './packed.ts';
import { runProgram, startProgram } from './run-program.ts';

const TWO_TURNS = {
  finalOutput: expect.stringContaining('my name is Ada') as unknown,
  roles: ['user', 'assistant', 'user', 'assistant'],
  verified: true,
};

let packed: PackedPackage;
let esm: string;
let cjs: string;

beforeAll(async () => {
  packed = await packWorkingTree();
  const extra = ['msw', 'libsql', '@opentelemetry/api', '@types/node'];
  esm = await linkedConsumer(packed, { name: 'esm-app', type: 'module', extra });
  cjs = await linkedConsumer(packed, { name: 'cjs-app', type: 'commonjs', extra });
});

afterAll(() => packed.dispose());

describe('the tarball', () => {
  it('holds the builds, the papers and nothing else', () => {
    const rest = packed.files.filter(
      (path) =>
        !/^dist\/(esm|cjs)\/(src|mocks)\/[\w/-]+\.(js|d\.ts)$/.test(path) &&
        !/^dist\/(esm|cjs)\/test\/contracts\/ledger-store-contract\.(js|d\.ts)$/.test(path) &&
        !/^docs\/[\w-]+\.md$/.test(path),
    );
    expect(rest.toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist/cjs/package.json',
      'package.json',
    ]);
  });

  it('keeps the command out of the CommonJS build', () => {
    expect(packed.files.filter((path) => path.startsWith('dist/cjs/src/cli'))).toEqual([]);
  });

  it('needs lru-cache at run time and nothing else', async () => {
    const { dependencies, optionalDependencies, bundledDependencies } = await readManifest('package.json');
    expect(Object.keys(dependencies ?? {})).toEqual(['lru-cache']);
    expect([optionalDependencies, bundledDependencies]).toEqual([undefined, undefined]);
  });

  it('imports nothing but its peers, its dependency and Node', async () => {
    const foreign = new Set<string>();
    for (const path of packed.files.filter((one) => one.endsWith('.js'))) {
      const source = await readFile(join(esm, 'node_modules', 'agents-hybrid-session', path), 'utf8');
      for (const [, name = ''] of source.matchAll(/(?:from |import\(|require\()["']([^."'][^"']*)["']/g)) {
        foreign.add(name);
      }
    }
    expect([...foreign].filter((name) => !name.startsWith('node:')).toSorted()).toEqual([
      '@openai/agents',
      '@opentelemetry/api',
      'lru-cache',
      'msw',
      'openai',
      'zod',
    ]);
  });
});

describe('the lock file', () => {
  it('names no host to download from', async () => {
    const { packages } = await readManifest('package-lock.json');
    const entries = Object.entries(packages ?? {}) as [string, { resolved?: string; link?: boolean }][];
    expect(entries.length).toBeGreaterThan(100);
    expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });
});

describe.each([
  { kind: 'an ES module app', app: () => esm, ending: 'mjs' },
  { kind: 'a CommonJS app', app: () => cjs, ending: 'cjs' },
])('$kind with the tarball', ({ app, ending }) => {
  it('runs turns that survive the loss, with the default client of its SDK', async () => {
    const { stdout } = await runProgram('node', [`turn.${ending}`], { cwd: app() });
    expect(JSON.parse(stdout)).toEqual(TWO_TURNS);
  });

  it('has one copy of the SDK', async () => {
    const { stdout } = await runProgram('node', [`one-sdk.${ending}`], { cwd: app() });
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it('finds the driver of a store', async () => {
    const { stdout } = await runProgram('node', [`store.${ending}`], { cwd: app() });
    expect(stdout).toBe('2\n');
  });

  it('sees the types of every door', async () => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = await runProgram('node', [tsc, '-p', 'tsconfig.json'], { cwd: app() });
    expect(stdout).toBe('');
  });
});

describe('the doors', () => {
  it('are all open: each file under src, the simulator, and the contract of stores', async () => {
    const { exports } = await readManifest('package.json');
    const files = (await readdir(join(ROOT, 'src'), { withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name !== 'cli.ts')
      .map(({ name }) => (name === 'index.ts' ? '.' : `./${name.replace('.ts', '')}`));
    expect(Object.keys(exports ?? {}).toSorted()).toEqual(
      [...files, './ledger-contract', './mocks', './package.json'].toSorted(),
    );
  });

  it('let the same things in for both module systems', async () => {
    const { stdout } = await runProgram('node', ['doors.mjs'], { cwd: esm });
    const doors = JSON.parse(stdout) as Record<string, { import: string[]; require: string[] }>;
    expect(Object.keys(doors).length).toBeGreaterThan(1);
    for (const door of Object.values(doors)) {
      expect(door.import).not.toEqual([]);
      expect(door.require).toEqual(door.import);
    }
    expect(doors['.']?.import).toContain('HybridSession');
    expect(doors['./mocks']?.import).toContain('createSimulator');
  });
});

describe('the package installed by npm', () => {
  let app: string;

  beforeAll(async () => {
    app = await installedConsumer(packed, 'installed-app');
  });

  const command = (): string => join(app, 'node_modules', '.bin', 'hybrid-session');

  it('comes without msw', async () => {
    await expect(access(join(app, 'node_modules', 'msw'))).rejects.toThrow('ENOENT');
  });

  it('replays the report', async () => {
    const { stdout } = await runProgram(command(), ['repro', '--model', 'gpt-5.4'], { cwd: app });
    expect(stdout).toContain('OpenAIConversationsSession  1 / 4');
    expect(stdout).toContain('HybridSession               4 / 4');
  });

  it('tells its version', async () => {
    const { version } = await readManifest('package.json');
    expect((await runProgram(command(), ['--version'], { cwd: app })).stdout).toBe(`${String(version)}\n`);
  });

  it('ends quietly when its reader goes away', async () => {
    const pipe = `"${command()}" repro --model gpt-5.4 | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runProgram('bash', ['-c', pipe], { cwd: app });
    expect(stdout).toBe('gpt-5.4  OpenAIConversationsSession\n0\n');
    expect(stderr).toBe('');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('serves the simulator until %s', async (signal) => {
    const running = startProgram(command(), ['simulate', '--port', '0'], { cwd: app });
    const url = await running.line(/^http:/);
    const made = await fetch(`${url}/conversations`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
    });
    expect(made.status).toBe(200);
    await running.line(/^POST \/conversations 200 \d+ ms$/);
    running.child.kill(signal);
    const { code, stderr } = await running.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: `Stop with Ctrl-C.\nStopped by ${signal}.\n` });
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });
});
