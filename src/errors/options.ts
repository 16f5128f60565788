import { HybridSessionError } from './base.ts';
import { z } from 'zod';

/**
 * An option is unknown, has the wrong type or conflicts with another option. Thrown before any request.
 *
 * @example
 * ```ts
 * if (InvalidOptionsError.isInstance(error)) console.error(`check the option '${error.option}'`);
 * ```
 */
export class InvalidOptionsError extends HybridSessionError {
  readonly code = 'invalid_options';
  /** The path of the invalid option, such as `cache.maxBytes`. */
  readonly option: string;
  /** The problem in words, without the value. */
  readonly problem: string;

  /** @param options `subject`: the object that could not be created; 'the session' by default. */
  constructor(option: string, problem: string, options: ErrorOptions & { readonly subject?: string } = {}) {
    super(`Cannot create ${options.subject ?? 'the session'}: option '${option}' ${problem}`, options);
    this.option = option;
    this.problem = problem;
  }
}

/** Whether a value has these methods; a function can have some, too. */
export function hasMethods(value: unknown, ...methods: string[]): value is object {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return methods.every((method) => typeof Reflect.get(value, method) === 'function');
}

/** A schema for something that has these methods. */
export function withMethods<T>(...methods: string[]): z.ZodType<T, T> {
  return z.custom<T>((value) => typeof value === 'object' && hasMethods(value, ...methods), {
    message: `must be an object with ${methods.join(', ')}`,
  });
}

/**
 * Parses options with a schema. Options may have getters that throw; their errors may contain secrets, so they are dropped.
 *
 * @param subject the object that cannot be created otherwise; 'the session' by default.
 * @throws InvalidOptionsError that names the option.
 */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown, subject?: string): T {
  const about = subject === undefined ? {} : { subject };
  const { data, issues } = readOptions(schema, options, about);
  if (issues === undefined) return data;
  const issue = issues.map((found) => innermost(found))[0];
  const path = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const option = [...issue.path, issue.keys[0] ?? ''].join('.');
    throw new InvalidOptionsError(option, 'is not known', about);
  }
  throw new InvalidOptionsError(path || 'options', `is invalid: ${issue?.message ?? 'unknown'}`, about);
}

type Parsed<T> =
  | { readonly data: T; readonly issues?: undefined }
  | { readonly data?: undefined; readonly issues: readonly z.core.$ZodIssue[] };

function readOptions<T>(schema: z.ZodType<T>, options: unknown, about: { subject?: string }): Parsed<T> {
  try {
    const parsed = schema.safeParse(options);
    // Zod reads the value once more when the error is asked for.
    return parsed.success ? { data: parsed.data } : { issues: parsed.error.issues };
  } catch {
    throw new InvalidOptionsError('options', 'could not be read: a getter threw', about);
  }
}

/** The deepest issue of a union: it belongs to the member that matches the value best. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat().map((nested) => ({ ...nested, path: [...issue.path, ...nested.path] }));
  const deepest = inner.toSorted((a, b) => depthOf(b) - depthOf(a))[0];
  return deepest === undefined || depthOf(deepest) <= depthOf(issue) ? issue : deepest;
}

function depthOf({ code, path }: z.core.$ZodIssue): number {
  return path.length + (code === 'unrecognized_keys' ? 1 : 0);
}
