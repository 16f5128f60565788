// The mutants that no test can notice, each with the reason.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instrument } from './instrument.mjs';

export function readEquivalents(root) {
  return JSON.parse(readFileSync(join(root, 'scripts', 'mutation', 'equivalent.json'), 'utf8'));
}

/** @returns whether a listed mutant is this one. An entry without a replacement stands for every mutant of its line. */
export function isEquivalent({ file, line, replacement }, mutant) {
  return (
    file === mutant.fileName &&
    line === mutant.text &&
    (replacement === undefined || replacement === mutant.replacement)
  );
}

/** @returns the entries that are no mutant of the sources any more. */
export async function staleEquivalents(root) {
  const listed = readEquivalents(root);
  const files = [...new Set(listed.map(({ file }) => file))].filter((file) => existsSync(join(root, file)));
  const { mutants } = await instrument(root, files);
  return listed.filter((one) => !mutants.some((mutant) => isEquivalent(one, mutant)));
}
