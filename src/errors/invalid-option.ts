import type { z } from 'zod';
import { InvalidOptionsError } from './invalid-options-error.ts';

/** The error for options that a schema refuses, about the option that is most to blame. */
export function invalidOption(error: z.ZodError, subject?: string): InvalidOptionsError {
  const issue = error.issues.map((one) => innermost(one))[0];
  const about = subject === undefined ? {} : { subject };
  const path = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const option = [...issue.path, issue.keys[0] ?? ''].join('.');
    return new InvalidOptionsError(option, 'is not known', about);
  }
  return new InvalidOptionsError(path || 'options', `is invalid: ${issue?.message ?? 'unknown'}`, about);
}

/** Of the forms that an option may have, the one that was meant is the one that fits the furthest. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat().map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
  const deepest = inner.toSorted((a, b) => depthOf(b) - depthOf(a))[0];
  return deepest === undefined || depthOf(deepest) <= depthOf(issue) ? issue : deepest;
}

function depthOf({ code, path }: z.core.$ZodIssue): number {
  return path.length + (code === 'unrecognized_keys' ? 1 : 0);
}
