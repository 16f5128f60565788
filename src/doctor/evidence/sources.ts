import type { ContentSource } from '../diagnosis.ts';
import type { ReadResponse } from './responses.ts';

/** Outputs named per item. */
const MAX_OUTPUTS = 3;

/** Finds the sources of an item other than ledger and list. */
export type FindSources = (
  key: number | undefined,
  producedBy: string | undefined,
) => readonly ContentSource[];

/**
 * The responses that hold an item: first its producer, then other responses with the same output, then the newest response
 * with it in its input, because the API keeps that one longest. Pure.
 *
 * @param responses in the order of discovery.
 */
export function contentSources(responses: readonly ReadResponse[]): FindSources {
  const made = new Map<number, string[]>();
  const given = new Map<number, string>();
  for (const { id, output, input } of responses.toSorted((a, b) => (a.time ?? 0) - (b.time ?? 0))) {
    for (const { key } of output) made.set(key, [...(made.get(key) ?? []), id]);
    for (const key of input.keys) given.set(key, id);
  }
  return (key, producedBy) => {
    if (key === undefined) return [];
    const producers = made.get(key) ?? [];
    const own = producedBy !== undefined && producers.includes(producedBy) ? [producedBy] : [];
    const outputs = [...new Set([...own, ...producers])].slice(0, MAX_OUTPUTS);
    const input = given.get(key);
    return [
      ...outputs.map((responseId): ContentSource => ({ source: 'response', responseId })),
      ...(input === undefined ? [] : [{ source: 'chain', responseId: input } as const]),
    ];
  };
}
