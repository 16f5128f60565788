import type { z } from 'zod';

/** Zod compiles a schema at its first use, for milliseconds; so many uses without that take less than one. */
const BEFORE_COMPILING = 200;

let uses = 0;

/** Parses; a process that has only just begun does not compile the schema first. */
export function parseSoon<T extends z.ZodType>(schema: T, value: unknown): z.ZodSafeParseResult<z.output<T>> {
  uses += 1;
  return schema.safeParse(value, { jitless: uses <= BEFORE_COMPILING });
}
