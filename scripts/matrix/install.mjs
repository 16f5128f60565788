// The folder of an SDK: the tarball, that version of the SDK with its own dependencies, the built modules, and the tests.
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { MANIFEST, ROOT, SDKS } from './plan.mjs';

/**
 * Packages that the tests need and no version of the SDK changes: linked from this checkout instead of installed again.
 */
const TOOLS = [
  'vitest',
  'msw',
  'fast-check',
  'libsql',
  '@libsql/client',
  '@electric-sql/pglite',
  '@openfeature/core',
  '@openfeature/server-sdk',
  '@opentelemetry/api',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace-base',
];

/** Packs the package into a folder. @returns the tarball's path. */
export function pack(folder) {
  const { status, stdout } = spawnSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error('matrix: npm pack failed');
  return join(folder, JSON.parse(stdout)[0].filename);
}

/** Installs an SDK next to the tarball, with the programs that are to run it. @returns the folder. */
export async function install({ work, sdk, tarball, programs }) {
  const folder = join(work, `sdk-${sdk}`);
  mkdirSync(folder);
  const manifest = {
    name: 'matrix-cell',
    private: true,
    type: 'module',
    dependencies: {
      'agents-hybrid-session': `file:${tarball}`,
      '@openai/agents': sdk,
      openai: SDKS[sdk],
      zod: MANIFEST.devDependencies.zod,
      ...Object.fromEntries(programs.map((program) => [program.name, program.version])),
    },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  await promisify(execFile)(
    'npm',
    ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error', '--prefer-offline'],
    { cwd: folder },
  );
  for (const tool of TOOLS) {
    const link = join(folder, 'node_modules', tool);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', tool), link);
  }
  cpSync(join(ROOT, 'dist', 'esm'), join(folder, 'modules'), { recursive: true });
  cpSync(join(ROOT, 'test'), join(folder, 'test'), { recursive: true });
  cpSync(join(ROOT, 'scripts', 'matrix', 'vitest.config.mjs'), join(folder, 'vitest.config.mjs'));
  for (const program of ['smoke.mjs', 'bun-stores.mjs'])
    cpSync(join(ROOT, 'scripts', 'matrix', program), join(folder, program));
  return folder;
}
