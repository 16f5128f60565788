/**
 * Maps values as they come, with at most `limit` calls at once. Yields each result as soon as it is there, and holds no more than
 * `limit` of them.
 *
 * @param map never rejects.
 * @param isStopped whether to take no more values. Calls under way are awaited.
 */
export async function* mapStream<T, R>(
  values: AsyncIterable<T> | Iterable<T>,
  limit: number,
  map: (value: T) => Promise<R>,
  isStopped: () => boolean = () => false,
): AsyncGenerator<R, void, undefined> {
  const running = new Map<number, Promise<{ readonly key: number; readonly result: R }>>();
  const start = (value: T, key: number): void =>
    void running.set(
      key,
      map(value).then((result) => ({ key, result })),
    );
  const first = async (): Promise<R> => {
    const { key, result } = await Promise.race(running.values());
    running.delete(key);
    return result;
  };
  let count = 0;
  try {
    for await (const value of values) {
      if (isStopped()) break;
      start(value, (count += 1));
      if (running.size >= limit) yield await first();
    }
    while (running.size > 0) yield await first();
  } finally {
    await Promise.all(running.values());
  }
}
