import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from '../command.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/** An argument that stands alone, such as a conversation's ID. */
export interface Operand {
  /** As the help text names it, without brackets. */
  readonly name: string;
  readonly example: string;
}

/** Reads a command's options; a value that belongs to none of them is an error, never ignored. */
export function parseOptions<T extends Options>(
  command: string,
  args: readonly string[],
  options: T,
): Values<T> {
  return parse(command, () => parseArgs({ args: [...args], options }).values);
}

/** Reads a command's options, and the one argument that may stand alone. @throws UsageError for another one. */
export function parseOptionsAndOperand<T extends Options>(
  command: string,
  args: readonly string[],
  options: T,
): { readonly values: Values<T>; readonly operand: string | undefined } {
  const { values, positionals } = parse(command, () =>
    parseArgs({ args: [...args], options, allowPositionals: true }),
  );
  const [operand, second] = positionals;
  if (second === undefined) return { values, operand };
  throw new UsageError(`Unexpected argument '${second}'`, `agents-hybrid-session ${command} --help`);
}

/**
 * Reads a command's options and the one argument that stands alone, in any order.
 *
 * @throws UsageError when that argument is missing or empty, or when there is another.
 */
export function parseOperand<T extends Options>(
  command: string,
  args: readonly string[],
  options: T,
  { name, example }: Operand,
): { readonly values: Values<T>; readonly operand: string } {
  const { values, positionals } = parse(command, () =>
    parseArgs({ args: [...args], options, allowPositionals: true }),
  );
  const [operand = '', second] = positionals;
  if (operand === '')
    throw new UsageError(`No ${name} was given`, `agents-hybrid-session ${command} ${example}`);
  if (second !== undefined)
    throw new UsageError(`Unexpected argument '${second}'`, `agents-hybrid-session ${command} ${operand}`);
  return { values, operand };
}

function parse<T>(command: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    // Node adds advice after the first sentence, about arguments that begin with a dash.
    const [problem = ''] = (error instanceof Error ? error.message : String(error)).split(/\.(?:\s|$)/);
    throw new UsageError(problem, `agents-hybrid-session ${command} --help`);
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
    `agents-hybrid-session ${command} --${option} ${choices[0] ?? ''}`,
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
    `agents-hybrid-session ${command} --${option} ${example}`,
  );
}
