import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { packWorkingTree, ROOT } from '../../package/packed.ts';
import { runProgram } from '../../package/run-program.ts';

/** An app of examples/, with its packages and the packed library. */
export interface InstalledExample {
  /** Its folder: a copy, which a test may change. */
  readonly folder: string;
  readonly dispose: () => Promise<void>;
}

/** Installs an app of examples/ in a folder of its own, as its lock file says. */
export async function installExample(name: string): Promise<InstalledExample> {
  const packed = await packWorkingTree();
  const examples = join(packed.folder, 'examples');
  await cp(join(ROOT, 'examples'), examples, {
    recursive: true,
    filter: (path) => basename(path) !== 'node_modules',
  });
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await runProgram('npm', ['ci', '--workspace', name, ...flags], { cwd: examples });
  return { folder: join(examples, name), dispose: packed.dispose };
}
