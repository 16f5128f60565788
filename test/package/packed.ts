import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './run-program.ts';

/** The repository. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** The package as it would be published. */
export interface PackedPackage {
  readonly tarball: string;
  /** The paths in the tarball, without the leading `package/`. */
  readonly files: readonly string[];
  /** A folder for consumers; gone after `dispose`. */
  readonly folder: string;
  readonly dispose: () => Promise<void>;
}

/** Builds and packs a copy of the working tree, so that the tree's own build is left alone. */
export async function packWorkingTree(): Promise<PackedPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'agents-hybrid-session-'));
  const copy = join(folder, 'tree');
  const left = new Set(['.git', 'dist', 'coverage', 'test-results'].map((name) => join(ROOT, name)));
  const filter = (path: string): boolean => !left.has(path) && basename(path) !== 'node_modules';
  await cp(ROOT, copy, { recursive: true, filter });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const { stdout } = await runProgram('npm', ['pack', '--json', '--pack-destination', folder], { cwd: copy });
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  return {
    tarball: join(folder, packed.filename),
    files: packed.files.map(({ path }) => path),
    folder,
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A file of the repository as JSON. */
export async function readManifest(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(ROOT, path), 'utf8')) as Record<string, unknown>;
}
