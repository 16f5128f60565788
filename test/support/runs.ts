/** How many random cases to try: all, or the part of them that `TEST_RUNS` says, such as 0.2. */
export function runs(all: number): number {
  return Math.ceil(all * Number(process.env['TEST_RUNS'] ?? '1'));
}
