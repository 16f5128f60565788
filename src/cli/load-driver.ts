import { CommandError } from './command-error.ts';

/** Loads a driver that is not among the packages every user has. @throws CommandError `missing_driver`. */
export async function loadDriver(load: (name: string) => Promise<unknown>, name: string): Promise<unknown> {
  try {
    return await load(name);
  } catch (error) {
    throw new CommandError(
      'missing_driver',
      `The package '${name}' is needed for this ledger and cannot be loaded`,
      `npm install ${name}`,
      { cause: error },
    );
  }
}

/**
 * Why a server could not be used, in words that hold no password: the error's code alone, because a driver's message may
 * quote what it was given.
 */
export function unreachable(error: unknown, name: string, hint: string): CommandError {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const known = typeof code === 'string' && /^\w{1,40}$/.test(code) ? ` (${code})` : '';
  return new CommandError('ledger_unreachable', `The ledger at ${name} cannot be used${known}`, hint, {
    cause: error,
  });
}
