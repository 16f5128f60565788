const MAX_TRIES = 20;

/** Runs a statement or a transaction again as long as it fails for a passing reason and nothing of it was applied. */
export async function again<T>(isPassing: (error: unknown) => boolean, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_TRIES || !isPassing(error)) throw error;
    }
  }
}
