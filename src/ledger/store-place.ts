const places = new WeakMap<object, string>();

/**
 * The name of a store object in this process: its appends begin with it, so that they can be told from those that other
 * processes make. What was appended under this name and is not being worked on in this process is not being worked on.
 */
export function placeOf(store: object): string {
  const known = places.get(store);
  if (known !== undefined) return known;
  const place = `${globalThis.crypto.randomUUID().slice(0, 8)}.`;
  places.set(store, place);
  return place;
}
