import { statusOf } from '../../conversation/api-error.ts';
import { mapLimit } from '../../util/map-limit.ts';
import type { ResponseReader } from '../../conversation/response-reader.ts';
import type { DiagnosedResponse } from '../diagnosis.ts';
import type { ItemIndex, ItemOccurrence } from './item-index.ts';
import type { LedgerEntry, LedgerState } from '../../ledger/state.ts';

/** Parallel requests. */
const MAX_PARALLEL = 4;

/** Statuses that mean: no such response for this key. */
const NOT_FOUND: ReadonlySet<number | undefined> = new Set([400, 403, 404, 410]);

/** A response's input, oldest first; server and client decide whether it begins with the earlier history. */
export interface ResponseInput {
  /** Keys of the item index. */
  readonly keys: Int32Array;
  /** IDs that also occur in the list, the ledger, or the output of a response. */
  readonly ids: readonly (string | undefined)[];
  /** False when it begins with the output of an earlier response: the items before that are in the input of that response. */
  readonly isWhole: boolean;
}

/** A response as it was read. */
export interface ReadResponse {
  readonly id: string;
  readonly from: DiagnosedResponse['from'];
  readonly parent: string | undefined;
  /** The API's status, such as `completed`. */
  readonly apiStatus: string | undefined;
  readonly conversationId: string | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number | undefined;
  readonly output: readonly ItemOccurrence[];
  readonly input: ResponseInput;
}

/** Responses that were read, and responses that do not exist. */
export interface ReadResponses {
  /** In the order of discovery. */
  readonly found: readonly ReadResponse[];
  readonly missing: readonly DiagnosedResponse[];
}

/** Options of a read. */
export interface ReadResponsesOptions {
  readonly chain: ResponseReader;
  readonly itemIndex: ItemIndex;
  /** IDs of items seen before. */
  readonly seen: Iterable<string>;
  /** Reports the finished requests of a stage, and their expected total. */
  readonly onProgress: (stage: 'responses' | 'inputs', done: number, total: number) => void;
}

/**
 * Reads responses, all their ancestors, and the input of each.
 *
 * @param ids oldest first, if the order is known.
 * @throws the client's errors, except for a response that does not exist.
 */
export async function readResponses(
  ids: readonly string[],
  from: DiagnosedResponse['from'],
  options: ReadResponsesOptions,
): Promise<ReadResponses> {
  const { outputs, missing } = await readOutputs(ids, from, options);
  const { chain, itemIndex, onProgress } = options;
  const seen = new Set(options.seen);
  for (const { output } of outputs) for (const { id } of output) seen.add(id);
  const producers = soleProducers(outputs);
  let done = 0;
  const found = await mapLimit(outputs, MAX_PARALLEL, async (response): Promise<ReadResponse> => {
    const isMade = ({ key }: ItemOccurrence): boolean => isEarlier(producers.get(key), response);
    const end = await unlessMissing(() =>
      chain.inputEnd(response.id, async (items) => (await itemIndex.add(items)).some((one) => isMade(one))),
    );
    done += 1;
    onProgress('inputs', done, outputs.length);
    const { items = [], isWhole = true } = end ?? {};
    const all = await itemIndex.add(items);
    const occurrences = isWhole ? all : all.slice(all.findIndex((one) => isMade(one)));
    // The repeated inputs of a long conversation would not fit into memory, so only keys are kept.
    const input = {
      keys: Int32Array.from(occurrences, ({ key }) => key),
      ids: occurrences.map(({ id }) => (seen.has(id) ? id : undefined)),
      isWhole,
    };
    return { ...response, input };
  });
  return { found, missing };
}

type WithoutInput = Omit<ReadResponse, 'input'>;

/** For each output, by content, the response that produced it; undefined when several produced the same. */
function soleProducers(outputs: readonly WithoutInput[]): ReadonlyMap<number, WithoutInput | undefined> {
  const producers = new Map<number, WithoutInput | undefined>();
  for (const response of outputs)
    for (const { key } of response.output) producers.set(key, producers.has(key) ? undefined : response);
  return producers;
}

function isEarlier(producer: WithoutInput | undefined, { id, time = 0 }: WithoutInput): boolean {
  return producer !== undefined && producer.id !== id && (producer.time ?? 0) <= time;
}

async function readOutputs(
  ids: readonly string[],
  from: DiagnosedResponse['from'],
  { chain, itemIndex, onProgress }: ReadResponsesOptions,
): Promise<{ outputs: WithoutInput[]; missing: DiagnosedResponse[] }> {
  const outputs: WithoutInput[] = [];
  const missing: DiagnosedResponse[] = [];
  const known = new Set(ids);
  let done = 0;
  let wave: readonly string[] = [...known];
  for (let origin = from; wave.length > 0; origin = 'chain') {
    const read = await mapLimit(wave, MAX_PARALLEL, async (id) => {
      const response = await unlessMissing(() => chain.response(id));
      done += 1;
      onProgress('responses', done, known.size);
      if (response === undefined) return { id };
      const { parent, status: apiStatus, conversationId, time } = response;
      const output = await itemIndex.add(response.output);
      return { id, response: { id, from: origin, parent, apiStatus, conversationId, time, output } };
    });
    const parents: string[] = [];
    for (const { id, response } of read) {
      if (response === undefined) {
        missing.push({ id, status: 'missing', from: origin, parent: null, time: null });
        continue;
      }
      outputs.push(response);
      const { parent } = response;
      if (parent === undefined || known.has(parent)) continue;
      known.add(parent);
      parents.push(parent);
    }
    wave = parents;
  }
  return { outputs, missing };
}

async function unlessMissing<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (NOT_FOUND.has(statusOf(error))) return undefined;
    throw error;
  }
}

/**
 * The response that each entry of a ledger belongs to: the first one that ends behind it. Pure.
 *
 * The length of the recorded context gives the end; without a context, the length of the session at the time of the record does.
 */
export function responseBounds(
  state: LedgerState,
): (entry: LedgerEntry, index: number) => string | undefined {
  const owners: (string | undefined)[] = [];
  for (const { id, context, nextSeq } of state.responses) {
    const isSeen = context !== undefined && state.entries[context.length - 1]?.context === context.digest;
    const end = isSeen ? context.length : endBefore(state, nextSeq);
    while (owners.length < end) owners.push(id);
  }
  return (_, index) => owners[index];
}

function endBefore({ entries }: LedgerState, nextSeq: number): number {
  return entries.findLastIndex(({ seq }) => seq < nextSeq) + 1;
}
