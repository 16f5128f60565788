import { z } from 'zod';
import { InvalidOptionsError } from '../errors/invalid-options-error.ts';

/** A schema for something that has these methods. */
export function withMethods<T>(...methods: string[]): z.ZodType<T, T> {
  const has = (value: object): boolean =>
    methods.every((method) => typeof Reflect.get(value, method) === 'function');
  return z.custom<T>((value) => typeof value === 'object' && value !== null && has(value), {
    message: `must be an object with ${methods.join(', ')}`,
  });
}

/** @throws InvalidOptionsError naming the store and the option, before anything is opened. */
export function parseStoreOptions<T>(store: string, schema: z.ZodType<T>, options: unknown): T {
  const subject = `the ${store} ledger`;
  let parsed: ReturnType<typeof schema.safeParse>;
  try {
    parsed = schema.safeParse(options);
  } catch {
    throw new InvalidOptionsError('options', 'cannot be read: looking at one of them throws', { subject });
  }
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw new InvalidOptionsError(issue.keys[0] ?? '', 'is not known', { subject });
  const option = issue?.path.join('.') || 'options';
  throw new InvalidOptionsError(option, `is invalid: ${issue?.message ?? 'unknown'}`, { subject });
}
