import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './command-error.ts';

/** Reads a command's options; a value that belongs to none of them is an error, never ignored. */
export function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  command: string,
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ options: T }>>['values'] {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    // Node adds advice after the first sentence, about positional arguments, which no command takes.
    const [problem = ''] = (error instanceof Error ? error.message : String(error)).split(/\.(?:\s|$)/);
    throw new UsageError(problem, `hybrid-session ${command} --help`);
  }
}

/**
 * The given value as one of the choices, or undefined when none was given.
 *
 * @throws UsageError naming the option and its choices.
 */
export function oneOf<T extends string>(
  command: string,
  option: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const choice = choices.find((one) => one === value);
  if (choice !== undefined) return choice;
  throw new UsageError(
    `--${option} must be one of ${choices.join(', ')}, not '${value}'`,
    `hybrid-session ${command} --${option} ${choices[0] ?? ''}`,
  );
}

/**
 * The given value as a whole number, or undefined when none was given.
 *
 * @throws UsageError naming the option and its range.
 */
export function wholeNumber(
  command: string,
  option: string,
  value: string | undefined,
  { min, max, example }: { readonly min: number; readonly max: number; readonly example: number },
): number | undefined {
  if (value === undefined) return undefined;
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(
    `--${option} must be a whole number from ${min} to ${max}, not '${value}'`,
    `hybrid-session ${command} --${option} ${example}`,
  );
}
