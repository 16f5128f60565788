import { statusOf } from '../history/api-error.ts';
import { mapLimit } from '../history/map-limit.ts';
import type { ResponseChain } from '../history/response-chain.ts';
import type { DiagnosedResponse } from './diagnosis.ts';
import type { ItemBook, Sighting } from './item-book.ts';

/** How many responses are read at once. */
const AT_ONCE = 4;

/** Answers that mean: there is no such response for this key. */
const NOT_FOUND: ReadonlySet<number | undefined> = new Set([400, 403, 404, 410]);

/** What a response was given, oldest first; whether that begins with what was said before depends on server and client. */
export interface View {
  /** Numbers of the book. */
  readonly keys: Int32Array;
  /** The IDs of those items that were also seen elsewhere: in the list, the ledger, or the output of a response. */
  readonly ids: readonly (string | undefined)[];
  /** False when it begins with what an earlier response has made: what came before is in what that one was given. */
  readonly isWhole: boolean;
}

/** What a response holds, as far as it could be read. */
export interface ReadResponse {
  readonly id: string;
  readonly from: DiagnosedResponse['from'];
  readonly parent: string | undefined;
  readonly status: string | undefined;
  readonly conversationId: string | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number | undefined;
  readonly output: readonly Sighting[];
  readonly view: View;
}

/** What was looked for. */
export interface ReadResponses {
  /** In the order in which they became known. */
  readonly found: readonly ReadResponse[];
  readonly missing: readonly DiagnosedResponse[];
}

/** What a read needs. */
export interface ReadResponsesOptions {
  readonly chain: ResponseChain;
  readonly book: ItemBook;
  /** Items that were seen before: by these IDs they are recognised. */
  readonly seen: Iterable<string>;
  /** Is told how many requests of that kind are done, and how many there will be as far as is known. */
  readonly onProgress: (what: 'responses' | 'inputs', done: number, total: number) => void;
}

/**
 * Reads responses, everything that they were continued from, and what each was given.
 *
 * @param ids in the order in which they were made, as far as that is known.
 * @throws the client's own errors, unless there is no such response.
 */
export async function readResponses(
  ids: readonly string[],
  from: DiagnosedResponse['from'],
  options: ReadResponsesOptions,
): Promise<ReadResponses> {
  const { outputs, missing } = await readOutputs(ids, from, options);
  const { chain, book, onProgress } = options;
  const seen = new Set(options.seen);
  for (const { output } of outputs) for (const { id } of output) seen.add(id);
  const makers = soleMakers(outputs);
  let done = 0;
  const found = await mapLimit(outputs, AT_ONCE, async (response): Promise<ReadResponse> => {
    const isMade = ({ key }: Sighting): boolean => isEarlier(makers.get(key), response);
    const input = await unlessMissing(() =>
      chain.inputEnd(response.id, async (items) => (await book.note(items)).some((one) => isMade(one))),
    );
    done += 1;
    onProgress('inputs', done, outputs.length);
    const { items = [], isWhole = true } = input ?? {};
    const all = await book.note(items);
    const sightings = isWhole ? all : all.slice(all.findIndex((one) => isMade(one)));
    // What a long conversation was given again and again would not fit into memory: of most, a number is enough.
    const view = {
      keys: Int32Array.from(sightings, ({ key }) => key),
      ids: sightings.map(({ id }) => (seen.has(id) ? id : undefined)),
      isWhole,
    };
    return { ...response, view };
  });
  return { found, missing };
}

type Made = Omit<ReadResponse, 'view'>;

/** The responses that alone have made what they made, by what a model reads of it. */
function soleMakers(outputs: readonly Made[]): ReadonlyMap<number, Made | undefined> {
  const makers = new Map<number, Made | undefined>();
  for (const response of outputs)
    for (const { key } of response.output) makers.set(key, makers.has(key) ? undefined : response);
  return makers;
}

function isEarlier(maker: Made | undefined, { id, time = 0 }: Made): boolean {
  return maker !== undefined && maker.id !== id && (maker.time ?? 0) <= time;
}

async function readOutputs(
  ids: readonly string[],
  from: DiagnosedResponse['from'],
  { chain, book, onProgress }: ReadResponsesOptions,
): Promise<{ outputs: Omit<ReadResponse, 'view'>[]; missing: DiagnosedResponse[] }> {
  const outputs: Omit<ReadResponse, 'view'>[] = [];
  const missing: DiagnosedResponse[] = [];
  const known = new Set(ids);
  let done = 0;
  let wave: readonly string[] = [...known];
  for (let origin = from; wave.length > 0; origin = 'chain') {
    const read = await mapLimit(wave, AT_ONCE, async (id) => {
      const response = await unlessMissing(() => chain.response(id));
      done += 1;
      onProgress('responses', done, known.size);
      if (response === undefined) return { id };
      const { parent, status, conversationId, time } = response;
      const output = await book.note(response.output);
      return { id, response: { id, from: origin, parent, status, conversationId, time, output } };
    });
    const parents: string[] = [];
    for (const { id, response } of read) {
      if (response === undefined) {
        missing.push({ id, standing: 'missing', from: origin, parent: null, time: null });
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
