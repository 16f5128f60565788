// Stands for fast-check where mutants are tried: the same tries for every mutant, fewer of them, and no search for a smaller
// one when a try fails.
import { assert as assertAll } from 'fast-check';

export * from 'fast-check';

const MAX_RUNS = 300;

export function assert(property, { numRuns = 100, ...rest } = {}) {
  return assertAll(property, { ...rest, numRuns: Math.min(numRuns, MAX_RUNS), seed: 1, endOnFailure: true });
}
