import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Imports a package by name: from beside this package, else from the current folder, because a globally installed command
 * uses the drivers of the current project.
 */
export async function loadPackage(name: string): Promise<unknown> {
  try {
    return (await import(name)) as unknown;
  } catch (error) {
    const require = createRequire(join(process.cwd(), 'package.json'));
    let path: string;
    try {
      path = require.resolve(name);
    } catch {
      throw error;
    }
    return (await import(pathToFileURL(path).href)) as unknown;
  }
}
