import type { z } from 'zod';

/** Zod compiles a schema at its first use, which takes milliseconds. So many uses without compiling take less than one. */
const MAX_USES_WITHOUT_JIT = 200;

let uses = 0;

/** Parses. A process that has just started does not compile the schema. */
export function parseWithoutJit<T extends z.ZodType>(
  schema: T,
  value: unknown,
): z.ZodSafeParseResult<z.output<T>> {
  uses += 1;
  return schema.safeParse(value, { jitless: uses <= MAX_USES_WITHOUT_JIT });
}
