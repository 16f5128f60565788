/** An error that names the problem and then the right names. */
export function notAmong(problem: string, right: readonly string[]): RangeError {
  return new RangeError(`${problem}; there are ${right.join(', ')}`);
}

/**
 * Refuses a field that nothing reads: a misspelt one would otherwise have no effect.
 * @param subject its owner, such as `Cannot listen: "options"`.
 * @throws RangeError naming the field and the right ones.
 */
export function refuseUnknown(subject: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((field) => !known.includes(field));
  if (unknown !== undefined) throw notAmong(`${subject} has no field "${unknown}"`, known);
}
