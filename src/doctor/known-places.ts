import type { ItemPlace } from './diagnosis.ts';
import type { ReadResponse } from './read-responses.ts';

/** More places that hold the same are not worth naming. */
const NAMED = 3;

/** Where an item can be read back from, apart from ledger and list. */
export type FindPlaces = (key: number | undefined, maker: string | undefined) => readonly ItemPlace[];

/**
 * Which responses hold which items: first the one that made it, then others that made the same, then the newest that was
 * given it, because it is kept longest. Pure.
 *
 * @param responses in the order in which they became known.
 */
export function knownPlaces(responses: readonly ReadResponse[]): FindPlaces {
  const made = new Map<number, string[]>();
  const given = new Map<number, string>();
  for (const { id, output, view } of responses.toSorted((a, b) => (a.time ?? 0) - (b.time ?? 0))) {
    for (const { key } of output) made.set(key, [...(made.get(key) ?? []), id]);
    for (const key of view.keys) given.set(key, id);
  }
  return (key, maker) => {
    if (key === undefined) return [];
    const makers = made.get(key) ?? [];
    const own = maker !== undefined && makers.includes(maker) ? [maker] : [];
    const outputs = [...new Set([...own, ...makers])].slice(0, NAMED);
    const input = given.get(key);
    return [
      ...outputs.map((responseId): ItemPlace => ({ source: 'response', responseId })),
      ...(input === undefined ? [] : [{ source: 'chain', responseId: input } as const]),
    ];
  };
}
