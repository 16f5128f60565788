// A part of the mutants, the same for the same seed.
import { createHash } from 'node:crypto';

/** @returns at most `count` mutants, spread over the files by chance. */
export function sampleOf(mutants, count, seed) {
  const rank = ({ fileName, line, mutatorName, replacement }, index) =>
    createHash('sha256')
      .update(JSON.stringify([seed, fileName, line, mutatorName, replacement, index]))
      .digest('hex');
  const ranked = mutants.map((mutant, index) => ({ mutant, rank: rank(mutant, index) }));
  return ranked
    .toSorted((a, b) => a.rank.localeCompare(b.rank))
    .slice(0, count)
    .map(({ mutant }) => mutant);
}
