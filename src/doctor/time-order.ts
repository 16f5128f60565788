import type { ItemBook } from './item-book.ts';
import type { ReadResponse } from './read-responses.ts';

/**
 * Responses in the order in which they were made. Pure.
 *
 * A server tells the time in seconds, and a turn can make several responses in one: within a second a response follows the
 * one it continues, the one whose output it was given, and the one whose calls it was given the results of; then it stands
 * where its items stand in the list, then where it was named.
 *
 * @param place where an item stands in the list, by its ID.
 */
export function inTimeOrder(
  responses: readonly ReadResponse[],
  book: Pick<ItemBook, 'facts'>,
  place: (id: string) => number | undefined,
): ReadResponse[] {
  const groups = new Map<number, ReadResponse[]>();
  for (const response of responses) {
    const time = response.time ?? Number.POSITIVE_INFINITY;
    groups.set(time, [...(groups.get(time) ?? []), response]);
  }
  const makers = makersOf(responses, book);
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([, group]) =>
      group.length === 1 ? group : sorted(group, predecessors(group, makers, book), place),
    );
}

function sorted(
  group: readonly ReadResponse[],
  follows: ReadonlyMap<string, ReadonlySet<string>>,
  place: (id: string) => number | undefined,
): ReadResponse[] {
  const standing = new Map(group.map((response) => [response.id, standsAt(response, place)]));
  const left = new Map(group.map((response) => [response.id, response]));
  const result: ReadResponse[] = [];
  while (left.size > 0) {
    const free = [...left.values()].filter(({ id }) =>
      [...(follows.get(id) ?? [])].every((before) => !left.has(before)),
    );
    // Answers that are all alike can seem to follow each other in a circle.
    const candidates = free.length > 0 ? free : [...left.values()];
    const [first] = candidates.toSorted((a, b) => {
      const [atA, atB] = [standing.get(a.id), standing.get(b.id)];
      return atA === undefined || atB === undefined ? 0 : atA - atB;
    });
    if (first === undefined) break;
    left.delete(first.id);
    result.push(first);
  }
  return result;
}

function standsAt(
  { view, output }: ReadResponse,
  place: (id: string) => number | undefined,
): number | undefined {
  for (const id of [...output.map((one) => one.id), ...view.ids.toReversed()]) {
    const at = id === undefined ? undefined : place(id);
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Who made what: an item of this ID, an item of which a model reads this, a call of this ID. */
function makersOf(
  responses: readonly ReadResponse[],
  book: Pick<ItemBook, 'facts'>,
): ReadonlyMap<string, readonly string[]> {
  const makers = new Map<string, string[]>();
  const note = (name: string, id: string): void => {
    const known = makers.get(name);
    if (known === undefined) makers.set(name, [id]);
    else known.push(id);
  };
  for (const { id, output } of responses) {
    for (const one of output) {
      const { role, callId } = book.facts(one.key);
      note(`id ${one.id}`, id);
      if (role === 'output') note(`key ${one.key}`, id);
      if (callId !== '') note(`call ${callId}`, id);
    }
  }
  return makers;
}

/** For each response of the group those that were made before it. */
function predecessors(
  group: readonly ReadResponse[],
  makers: ReadonlyMap<string, readonly string[]>,
  book: Pick<ItemBook, 'facts'>,
): Map<string, Set<string>> {
  return new Map(
    group.map(({ id, parent, view }) => {
      const before = new Set<string>(parent === undefined ? [] : [parent]);
      view.keys.forEach((key, index) => {
        const { callId } = book.facts(key);
        for (const name of [`id ${view.ids[index] ?? ''}`, `key ${key}`, `call ${callId}`]) {
          const [maker, another] = makers.get(name) ?? [];
          // What several have answered alike says nothing about their order.
          if (maker !== undefined && another === undefined) before.add(maker);
        }
      });
      before.delete(id);
      return [id, before];
    }),
  );
}
