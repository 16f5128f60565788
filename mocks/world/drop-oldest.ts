/** Drops the entries that were set first until at most `most` are left; `dropped` is told of each. */
export function dropOldest<V>(map: Map<string, V>, most: number, dropped?: (key: string) => void): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
    dropped?.(key);
  }
}

/** Looks an entry up and, where old entries are dropped, makes it the newest. */
export function usedEntry<V>(map: Map<string, V>, key: string, most: number): V | undefined {
  const value = map.get(key);
  if (value === undefined || !Number.isFinite(most)) return value;
  map.delete(key);
  map.set(key, value);
  return value;
}
