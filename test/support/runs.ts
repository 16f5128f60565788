/** Whether the long tests run, and the others try every case. */
export const FULL: boolean = process.env['TEST_FULL'] === '1';

/** The part of the random cases that is tried by default. */
const PART = FULL ? 1 : 0.2;

/** How many random cases to try: the default part of all, or the part in `TEST_RUNS`, such as 0.2. */
export function runs(all: number): number {
  return Math.ceil(all * Number(process.env['TEST_RUNS'] ?? PART));
}
