/** Drops the entries that were set first until at most `most` are left; `dropped` is told of each. */
export function dropOldest<V>(map: Map<string, V>, most: number, dropped?: (key: string) => void): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
    dropped?.(key);
  }
}
