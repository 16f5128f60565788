import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Imports a package by name: from where this one is installed, else from the folder in which the command runs, because
 * a command that is installed for all projects finds the drivers of the project at hand.
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
