/** All random cases are tried with `TEST_FULL=1`, and by default a third of them. */
const PART = process.env['TEST_FULL'] === '1' ? 1 : 0.34;

/** How many random cases to try: the default part of all, or the part in `TEST_RUNS`, such as 0.2. */
export function runs(all: number): number {
  return Math.ceil(all * Number(process.env['TEST_RUNS'] ?? PART));
}
