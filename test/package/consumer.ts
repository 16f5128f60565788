import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT, readManifest, type PackedPackage } from './packed.ts';
import { runProgram } from './run-program.ts';

/** The packages that an app installs next to this one. */
const PEERS = ['@openai/agents', 'openai', 'zod'];

/** The kind of an app. */
export interface ConsumerOptions {
  readonly name: string;
  readonly type: 'module' | 'commonjs';
  /** Installed packages beyond the peers and the package's own dependencies. */
  readonly extra?: readonly string[];
}

/** An app with the tarball's files and this repository's copies of everything else, without the network. */
export async function linkedConsumer(
  packed: PackedPackage,
  { name, type, extra = [] }: ConsumerOptions,
): Promise<string> {
  const app = join(packed.folder, name);
  const installed = join(app, 'node_modules', 'agents-hybrid-session');
  await mkdir(installed, { recursive: true });
  await runProgram('tar', ['-xzf', packed.tarball, '-C', installed, '--strip-components=1'], { cwd: app });
  const { dependencies } = await readManifest('package.json');
  for (const one of [...PEERS, ...Object.keys(dependencies ?? {}), ...extra]) {
    const link = join(app, 'node_modules', one);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, 'node_modules', one), link);
  }
  await writeManifest(app, { name, private: true, type });
  await copyPrograms(app);
  return app;
}

/** An app that installed the tarball and its peers with npm, and nothing else. */
export async function installedConsumer(packed: PackedPackage, name: string): Promise<string> {
  const app = join(packed.folder, name);
  await mkdir(app, { recursive: true });
  const { devDependencies } = await readManifest('package.json');
  const versions = PEERS.map((peer) => [peer, Reflect.get(devDependencies ?? {}, peer)]);
  await writeManifest(app, {
    name,
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(versions),
  });
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await runProgram('npm', ['install', ...flags, packed.tarball], { cwd: app });
  await copyPrograms(app);
  return app;
}

async function writeManifest(app: string, manifest: object): Promise<void> {
  await writeFile(join(app, 'package.json'), JSON.stringify(manifest, undefined, 2));
}

async function copyPrograms(app: string): Promise<void> {
  await cp(join(ROOT, 'test', 'package', 'consumers'), app, { recursive: true });
}
