/** Maps with at most `limit` calls at once, results in order. After the first failure it starts no more calls, and throws. */
export async function mapLimit<T, R>(
  values: readonly T[],
  limit: number,
  map: (value: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = values.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [index, value] of queue) {
      if (failed) return;
      try {
        results[index] = await map(value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, values.length) }, worker));
  return results;
}
