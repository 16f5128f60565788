import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { ROOT } from '../../package/packed.ts';

/** Whether there is a build, which the apps run on. */
export const isBuilt: boolean = existsSync(join(ROOT, 'dist', 'esm', 'src', 'index.js'));

/** Copies an app of examples/ for one test, with this repository's build and its copies of the packages. @returns the folder. */
export function linkExample(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(ROOT, 'examples', name), folder, { recursive: true });
  const packages = Object.keys(manifest.devDependencies);
  for (const one of ['agents-hybrid-session', ...packages]) {
    const link = join(folder, 'node_modules', one);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(one === 'agents-hybrid-session' ? ROOT : join(ROOT, 'node_modules', one), link);
  }
  return folder;
}
