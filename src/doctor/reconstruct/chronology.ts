import type { ItemIndex } from '../evidence/item-index.ts';
import type { ReadResponse } from '../evidence/responses.ts';
import { occurrencesOf } from './reconstructed-timeline.ts';

/**
 * Responses, oldest first. Pure.
 *
 * Creation times have a resolution of one second, and a turn can make several responses in a second. Within a second a
 * response follows its parent, the producers of its input, and the producers of the calls whose results it was given. After
 * that the positions of its items in the list decide, then the order of discovery.
 *
 * @param place the position of an item in the list, by its ID, or by its content if that is unique there.
 */
export function inTimeOrder(
  responses: readonly ReadResponse[],
  itemIndex: Pick<ItemIndex, 'facts'>,
  place: Place,
): ReadResponse[] {
  const groups = new Map<number, ReadResponse[]>();
  for (const response of responses) {
    const time = response.time ?? Number.POSITIVE_INFINITY;
    groups.set(time, [...(groups.get(time) ?? []), response]);
  }
  const producers = producersOf(responses, itemIndex);
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([, group]) =>
      group.length === 1 ? group : sorted(group, predecessors(group, producers, itemIndex), place),
    );
}

/** The position of an item in the list, if known. */
type Place = (id: string | undefined, key: number) => number | undefined;

function sorted(
  group: readonly ReadResponse[],
  follows: ReadonlyMap<string, ReadonlySet<string>>,
  place: Place,
): ReadResponse[] {
  const positions = new Map(group.map((response) => [response.id, positionOf(response, place)]));
  const left = new Map(group.map((response) => [response.id, response]));
  const result: ReadResponse[] = [];
  while (left.size > 0) {
    const free = [...left.values()].filter(({ id }) =>
      [...(follows.get(id) ?? [])].every((before) => !left.has(before)),
    );
    // Equal answers can seem to follow each other in a circle.
    const candidates = free.length > 0 ? free : [...left.values()];
    const [named] = candidates;
    if (named === undefined) break;
    const placeOf = ({ id }: ReadResponse): number => positions.get(id) ?? Number.POSITIVE_INFINITY;
    const [placed = named] = candidates.toSorted((a, b) => placeOf(a) - placeOf(b));
    const first = positions.get(named.id) === undefined ? named : placed;
    left.delete(first.id);
    result.push(first);
  }
  return result;
}

function positionOf({ input, output }: ReadResponse, place: Place): number | undefined {
  // The positions of earlier input say nothing.
  for (const { id, key } of [...output, ...occurrencesOf(input).slice(-1)]) {
    const at = place(id, key);
    if (at !== undefined) return at;
  }
  return undefined;
}

/** The responses that produced an item ID, an item's content, or a call ID. */
function producersOf(
  responses: readonly ReadResponse[],
  itemIndex: Pick<ItemIndex, 'facts'>,
): ReadonlyMap<string, readonly string[]> {
  const producers = new Map<string, string[]>();
  const note = (name: string, id: string): void => {
    const known = producers.get(name);
    if (known === undefined) producers.set(name, [id]);
    else known.push(id);
  };
  for (const { id, output } of responses) {
    for (const one of output) {
      const { role, callId } = itemIndex.facts(one.key);
      note(`id ${one.id}`, id);
      if (role === 'output') note(`key ${one.key}`, id);
      if (callId !== '') note(`call ${callId}`, id);
    }
  }
  return producers;
}

/** For each response of the group its predecessors. */
function predecessors(
  group: readonly ReadResponse[],
  producers: ReadonlyMap<string, readonly string[]>,
  itemIndex: Pick<ItemIndex, 'facts'>,
): Map<string, Set<string>> {
  return new Map(
    group.map(({ id, parent, input }) => {
      const before = new Set<string>(parent === undefined ? [] : [parent]);
      input.keys.forEach((key, index) => {
        const { callId } = itemIndex.facts(key);
        for (const name of [`id ${input.ids[index] ?? ''}`, `key ${key}`, `call ${callId}`]) {
          const [producer, other] = producers.get(name) ?? [];
          // Equal outputs of several responses say nothing about their order.
          if (producer !== undefined && other === undefined) before.add(producer);
        }
      });
      before.delete(id);
      return [id, before];
    }),
  );
}
