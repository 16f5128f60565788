import { ConversationNotFoundError } from '../errors/conversation-not-found-error.ts';
import type { ResponseChain } from '../history/response-chain.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import type { DiagnosedResponse, Proof, ResponseStanding } from './diagnosis.ts';
import type { ItemBook, Sighting } from './item-book.ts';
import type { ReadList } from './list-reader.ts';
import { readResponses, type ReadResponse, type ReadResponses } from './read-responses.ts';
import { ownStanding, reconstruct } from './reconstruct.ts';
import { responseBounds } from './response-bounds.ts';
import { supposedState } from './supposed-state.ts';

/** What evidence is gathered from. */
export interface GatherOptions {
  readonly conversationId: string;
  /** Undefined when there is none, or when it does not know the conversation. */
  readonly ledger: LedgerState | undefined;
  readonly list: ReadList;
  /** IDs of responses that were named. */
  readonly responses: readonly string[];
  readonly chain: ResponseChain;
  readonly book: ItemBook;
  readonly onProgress: (progress: {
    readonly stage: 'responses' | 'inputs';
    readonly done: number;
    readonly total: number;
  }) => void;
}

/** What should be in the conversation, and what that is known from. */
export interface Gathered {
  readonly proof: Proof;
  /** The ledger's, or the one it would have. */
  readonly state: LedgerState;
  readonly responseOf: (entry: LedgerEntry, index: number) => string | undefined;
  readonly found: readonly ReadResponse[];
  readonly diagnosed: readonly DiagnosedResponse[];
  /** Indexes of entries that only an unproven list speaks for. */
  readonly unaccounted: readonly number[];
  readonly unproven: number;
}

/**
 * Decides what belongs to the conversation: what a complete ledger says; else what the responses prove together with the
 * ledger or the list.
 *
 * @throws ConversationNotFoundError when nobody knows the conversation.
 */
export async function gatherEvidence(options: GatherOptions): Promise<Gathered> {
  const { ledger, responses, conversationId, list } = options;
  if (ledger !== undefined && ledger.unproven === 0) return fromLedger(options, ledger);
  const recorded = ledger?.responses.filter(({ store }) => store).map(({ id }) => id) ?? [];
  const given = new Set(responses);
  const read = together(
    await readAll(options, [...given], 'given'),
    await readAll(
      options,
      recorded.filter((id) => !given.has(id)),
      'ledger',
    ),
  );
  const isKnown = ledger !== undefined || read.found.some((one) => one.conversationId === conversationId);
  if (list.isGone && !isKnown) throw new ConversationNotFoundError(conversationId);
  return fromResponses(options, read);
}

async function fromLedger(options: GatherOptions, state: LedgerState): Promise<Gathered> {
  const { book, responses, list } = options;
  for (const entry of state.entries) book.noteEntry(entry, entry.mirrorId ?? entry.id ?? '');
  const responseOf = responseBounds(state);
  let read = await readAll(options, responses, 'given');
  const listed = new Set(list.sightings.map(({ key }) => key));
  const missing = (): LedgerEntry[] => {
    const held = heldKeys(read.found);
    return state.entries.filter((entry) => {
      if (entry.item !== undefined) return false;
      const key = book.find(entry.digest, entry.mirrorId ?? entry.id);
      return key === undefined || !(listed.has(key) || held.has(key));
    });
  };
  // First the responses whose turns lack something, then what came later, the newest first because it was given the most.
  const indexes = new Map(state.entries.map((entry, index) => [entry, index]));
  const owners = missing().flatMap((entry) => responseOf(entry, indexes.get(entry) ?? 0) ?? []);
  const stored = new Set(state.responses.filter(({ store }) => store).map(({ id }) => id));
  const queue = [[...new Set(owners)], ...[...stored].toReversed().map((id) => [id])];
  const looked = new Set(responses);
  for (const ids of queue) {
    if (missing().length === 0) break;
    const next = ids.filter((id) => stored.has(id) && !looked.has(id));
    for (const id of next) looked.add(id);
    if (next.length > 0) read = together(read, await readAll(options, next, 'ledger'));
    for (const { id } of read.found) looked.add(id);
  }
  const recorded = new Set(state.responses.map(({ id }) => id));
  const known = new Set(
    state.entries.map(({ digest, mirrorId, id }) => book.find(digest, mirrorId) ?? book.find(digest, id)),
  );
  return {
    proof: 'ledger',
    state,
    responseOf,
    found: read.found,
    diagnosed: described(read, (response) => {
      const { id, output } = response;
      // Without the model boundary a ledger knows only the last response of a turn.
      const isPart = output.length > 0 && output.every(({ key }) => known.has(key));
      if (recorded.has(id) || isPart) return 'used';
      return ownStanding(response, options.conversationId) ?? 'unrecorded';
    }),
    unaccounted: [],
    unproven: 0,
  };
}

function fromResponses(options: GatherOptions, read: ReadResponses): Gathered {
  const { book, ledger, list, conversationId } = options;
  const base: readonly Sighting[] = ledger?.entries.map((entry) =>
    book.noteEntry(entry, entry.mirrorId ?? entry.id ?? ''),
  ) ??
    // What is listed twice under one ID is one item.
    [...new Map(list.sightings.map((one) => [one.id, one])).values()];
  const { nodes, standings } = reconstruct(read.found, { conversationId, book, base });
  const isUsed = [...standings.values()].includes('used');
  const alone = ledger === undefined ? 'list' : 'ledger';
  const both = ledger === undefined ? 'responses' : 'ledger+responses';
  const unproven = ledger?.unproven ?? base.length;
  const unaccounted = nodes.flatMap(({ base: at, rank }, index) =>
    at !== undefined && at < unproven && rank === undefined ? [index] : [],
  );
  return {
    proof: isUsed ? both : alone,
    state: supposedState(nodes, book, ledger),
    responseOf: (_, index) => nodes[index]?.maker ?? nodes[index]?.giver,
    found: read.found,
    diagnosed: described(read, ({ id }) => standings.get(id) ?? 'unrelated'),
    unaccounted,
    unproven: ledger === undefined ? 0 : unaccounted.length,
  };
}

function readAll(
  { chain, book, list, ledger, onProgress }: GatherOptions,
  ids: readonly string[],
  from: DiagnosedResponse['from'],
): Promise<ReadResponses> {
  const entries = ledger?.entries.flatMap(({ id, mirrorId }) => [id ?? '', mirrorId ?? '']) ?? [];
  return readResponses(ids, from, {
    chain,
    book,
    seen: [...list.sightings.map(({ id }) => id), ...entries],
    onProgress: (stage, done, total) => onProgress({ stage, done, total }),
  });
}

/** A response that was found in two ways counts once. */
function together(first: ReadResponses, second: ReadResponses): ReadResponses {
  const known = new Set([...first.found, ...first.missing].map(({ id }) => id));
  return {
    found: [...first.found, ...second.found.filter(({ id }) => !known.has(id))],
    missing: [...first.missing, ...second.missing.filter(({ id }) => !known.has(id))],
  };
}

function heldKeys(found: readonly ReadResponse[]): Set<number> {
  const keys = new Set<number>();
  for (const { output, view } of found) {
    for (const { key } of output) keys.add(key);
    for (const key of view.keys) keys.add(key);
  }
  return keys;
}

function described(
  { found, missing }: ReadResponses,
  standing: (response: ReadResponse) => ResponseStanding,
): DiagnosedResponse[] {
  const read = found.map((response): DiagnosedResponse => {
    const { id, from, parent = null, time = null } = response;
    return { id, standing: standing(response), from, parent, time };
  });
  return [...read, ...missing];
}
