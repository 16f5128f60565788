import { LedgerUnavailableError } from '../../errors/ledger.ts';
import { isObject } from '../../util/json.ts';

/** Imports a module by name; rejects when it is not there. */
export type ModuleLoader = (name: string) => Promise<unknown>;

/**
 * Imports a driver at run time. The name is not known before, so that neither a bundler nor a type checker asks for a driver that
 * is not used; the comments tell webpack, Turbopack and Vite to leave the import to the runtime.
 */
export const importDriver: ModuleLoader = (name) =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);

/** A driver that cannot be used, with the error of its import or of its first use. */
export interface FailedDriver {
  readonly name: string;
  readonly error: unknown;
}

/** The error of a driver that the app needs. */
export function driverError({ name, error }: FailedDriver): LedgerUnavailableError {
  if (isNotInstalled({ name, error })) {
    const problem = `the package '${name}' is needed for it and is not installed; run npm install ${name}`;
    return new LedgerUnavailableError('no_driver', problem, { cause: error });
  }
  const problem = `the package '${name}' could not be loaded${reasonOf(error)}; ${remedyFor(name)}`;
  return new LedgerUnavailableError('driver_failed', problem, { cause: error });
}

/** Whether the module itself is missing, and not one that it imports. */
export function isNotInstalled({ name, error }: FailedDriver): boolean {
  if (!isObject(error) || typeof error['message'] !== 'string') return false;
  // The first name in quotes is the missing one; Node leaves out the quotes of a module of its own.
  const [, quoted, builtin] = /'([^']*)'|: (node:\w+)$/.exec(error['message'].split('\n')[0] ?? '') ?? [];
  const codes = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_UNKNOWN_BUILTIN_MODULE'];
  return codes.includes(String(error['code'])) && (quoted ?? builtin) === name;
}

/** The command that mends a driver which is there and does not load. */
export function remedyFor(name: string): string {
  return `run npm rebuild ${name}, or exclude it from the bundle of the app`;
}

/** The first line of an error's message, in brackets. */
export function reasonOf(error: unknown): string {
  const message = isObject(error) ? error['message'] : error;
  const [line = ''] = typeof message === 'string' ? message.split('\n') : [];
  return line === '' ? '' : ` (${line})`;
}
