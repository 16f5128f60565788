import { ConversationNotFoundError } from '../../errors/session.ts';
import type { ResponseReader } from '../../conversation/response-reader.ts';
import { compareList, type ForeignItem } from '../../history/compare-list.ts';
import type { LedgerEntry, LedgerState } from '../../ledger/state.ts';
import type { DiagnosedResponse, Evidence, DiagnosedResponseStatus } from '../diagnosis.ts';
import type { ItemIndex, ItemOccurrence } from './item-index.ts';
import type { ReadList } from './list.ts';
import { readResponses, type ReadResponse, type ReadResponses, responseBounds } from './responses.ts';
import { ownStatus, reconstruct } from '../reconstruct/reconstruct.ts';
import { syntheticState } from '../reconstruct/synthetic-state.ts';
import type { TimelineNode } from '../reconstruct/reconstructed-timeline.ts';
import { withinProof, type BaseItem } from './within-proof.ts';

/** The input of the evidence. */
export interface GatherOptions {
  readonly conversationId: string;
  /** Undefined without a ledger, or when the ledger does not know the conversation. */
  readonly ledger: LedgerState | undefined;
  readonly list: ReadList;
  /** Given response IDs. */
  readonly responses: readonly string[];
  readonly chain: ResponseReader;
  readonly itemIndex: ItemIndex;
  readonly onProgress: (progress: {
    readonly stage: 'responses' | 'inputs';
    readonly done: number;
    readonly total: number;
  }) => void;
}

/** The items of the conversation, and their sources. */
export interface GatheredEvidence {
  readonly evidence: Evidence;
  /** The ledger's state, or the state that a ledger would have. */
  readonly state: LedgerState;
  readonly responseOf: (entry: LedgerEntry, index: number) => string | undefined;
  readonly found: readonly ReadResponse[];
  readonly diagnosed: readonly DiagnosedResponse[];
  /** Indexes of entries whose only source is an unproven list. */
  readonly unaccounted: readonly number[];
  readonly unproven: number;
  /** Indexes of entries that a ledger recorded at their time. */
  readonly proven: ReadonlySet<number>;
  /** IDs of entries that the list shows and the ledger lacks. */
  readonly foreign: ReadonlySet<string>;
}

/**
 * Decides which items belong to the conversation: the ledger's own records, and, where the ledger relied on a list or does
 * not exist, the items that responses prove.
 *
 * @throws ConversationNotFoundError when no source knows the conversation.
 */
export async function gatherEvidence(options: GatherOptions): Promise<GatheredEvidence> {
  const { ledger, responses, conversationId, list } = options;
  const foreign = ledger === undefined ? [] : compareList(ledger, list.items).foreign;
  if (ledger !== undefined && isComplete(ledger, foreign, responses)) return fromLedger(options, ledger);
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
  return fromResponses(options, read, foreign);
}

/** Whether responses cannot add items to a ledger: it took none from lists, or all given responses are its own. */
function isComplete(
  { entries, recorded }: LedgerState,
  foreign: readonly ForeignItem[],
  responses: readonly string[],
): boolean {
  // The ledger began with a list.
  if (entries[0]?.adopted === true) return false;
  const isOwn = foreign.length === 0 && entries.every(({ adopted }) => !adopted);
  return isOwn || responses.every((id) => recorded.has(id));
}

async function fromLedger(options: GatherOptions, state: LedgerState): Promise<GatheredEvidence> {
  const { itemIndex, responses, list } = options;
  for (const entry of state.entries) itemIndex.addEntry(entry, entry.mirrorId ?? entry.id ?? '');
  const responseOf = responseBounds(state);
  let read = await readAll(options, responses, 'given');
  const listed = new Set(list.occurrences.map(({ key }) => key));
  const missing = (): LedgerEntry[] => {
    const held = heldKeys(read.found);
    return state.entries.filter((entry) => {
      if (entry.item !== undefined) return false;
      const key = itemIndex.find(entry.digest, entry.mirrorId ?? entry.id);
      return key === undefined || !(listed.has(key) || held.has(key));
    });
  };
  // First the responses whose turns lack items, then all others, the newest first because its input is the longest.
  const indexes = new Map(state.entries.map((entry, index) => [entry, index]));
  const owners = missing().flatMap((entry) => responseOf(entry, indexes.get(entry) ?? 0) ?? []);
  const stored = new Set(state.responses.filter(({ store }) => store).map(({ id }) => id));
  const queue = [[...new Set(owners)], ...[...stored].toReversed().map((id) => [id])];
  const looked = new Set([...responses, ...read.found.map(({ id }) => id)]);
  for (const ids of queue) {
    if (missing().length === 0) break;
    const next = ids.filter((id) => stored.has(id) && !looked.has(id));
    for (const id of next) looked.add(id);
    if (next.length > 0) read = together(read, await readAll(options, next, 'ledger'));
    for (const { id } of read.found) looked.add(id);
  }
  const recorded = new Set(state.responses.map(({ id }) => id));
  const known = new Set(
    state.entries.map(
      ({ digest, mirrorId, id }) => itemIndex.find(digest, mirrorId) ?? itemIndex.find(digest, id),
    ),
  );
  return {
    evidence: 'ledger',
    state,
    responseOf,
    found: read.found,
    diagnosed: described(read, (response) => {
      const { id, output } = response;
      // Without the model boundary a ledger knows only the last response of a turn.
      const isPart = output.length > 0 && output.every(({ key }) => known.has(key));
      if (recorded.has(id) || isPart) return 'used';
      return ownStatus(response, options.conversationId) ?? 'unrecorded';
    }),
    unaccounted: [],
    unproven: 0,
    proven: new Set(state.entries.flatMap(({ adopted }, index) => (adopted ? [] : [index]))),
    foreign: new Set(),
  };
}

/** An item of the base with its ledger entry. */
type Known = BaseItem & { readonly entry?: LedgerEntry };

function fromResponses(
  options: GatherOptions,
  read: ReadResponses,
  foreign: readonly ForeignItem[],
): GatheredEvidence {
  const { itemIndex, ledger, list, conversationId } = options;
  // Two listings of one ID are one item.
  const listed = new Map(list.occurrences.map((one) => [one.id, one]));
  const base: readonly Known[] =
    ledger === undefined ? [...listed.values()] : entriesAnd(foreign, ledger, itemIndex, listed);
  const { statuses, order, ...found } = reconstruct(read.found, { conversationId, itemIndex, base });
  const settled = settledResponses(ledger);
  const isRefuted = ({ id, rank }: TimelineNode): boolean =>
    (rank !== undefined && settled.has(order[rank] ?? '')) || ledger?.removed.has(id ?? '') === true;
  const nodes = ledger === undefined ? found.nodes : withinProof(found.nodes, base, isRefuted);
  const shown = new Set(nodes.flatMap(({ producedBy }) => producedBy ?? []));
  const isUsed = [...statuses.values()].includes('used');
  const alone = ledger === undefined ? 'list' : 'ledger';
  const both = ledger === undefined ? 'responses' : 'ledger_and_responses';
  const entryOf = (at: number | undefined): LedgerEntry | undefined =>
    at === undefined ? undefined : base[at]?.entry;
  const owners = ledger === undefined ? undefined : responseBounds(ledger);
  const indexes = new Map(ledger?.entries.map((entry, index) => [entry, index]));
  const isUnproven = (at: number): boolean => {
    const entry = entryOf(at);
    return entry === undefined ? ledger === undefined : entry.adopted;
  };
  const unaccounted = nodes.flatMap(({ base: at, rank }, index) =>
    at !== undefined && isUnproven(at) && rank === undefined ? [index] : [],
  );
  const proven = new Set(
    nodes.flatMap(({ base: at }, index) => (base[at ?? -1]?.isProven === true ? [index] : [])),
  );
  return {
    evidence: isUsed ? both : alone,
    state: syntheticState(nodes, itemIndex, ledger, entryOf),
    responseOf: (_, index) => {
      const entry = proven.has(index) ? entryOf(nodes[index]?.base) : undefined;
      const owner = entry === undefined ? undefined : owners?.(entry, indexes.get(entry) ?? 0);
      return owner ?? nodes[index]?.producedBy ?? nodes[index]?.firstGivenTo;
    },
    found: read.found,
    diagnosed: described(read, ({ id, output }) => {
      const status = statuses.get(id) ?? 'unrelated';
      // Its output was left out: the ledger contradicts it.
      const isLeftOut = status === 'used' && output.length > 0 && !shown.has(id);
      return isLeftOut && ledger !== undefined && !ledger.recorded.has(id) ? 'unrecorded' : status;
    }),
    unaccounted,
    unproven: ledger === undefined ? 0 : unaccounted.length,
    proven,
    foreign: new Set(ledger === undefined ? [] : foreign.map(({ id }) => id)),
  };
}

/** The entries of a ledger, and between them the foreign items of the list. */
function entriesAnd(
  foreign: readonly ForeignItem[],
  { entries }: LedgerState,
  itemIndex: ItemIndex,
  listed: ReadonlyMap<string, ItemOccurrence>,
): Known[] {
  const before = (index: number): Known[] =>
    foreign.flatMap((one) => (one.index === index ? (listed.get(one.id) ?? []) : []));
  const known = entries.flatMap((entry, index): Known[] => [
    ...before(index),
    { ...itemIndex.addEntry(entry, entry.mirrorId ?? entry.id ?? ''), entry, isProven: !entry.adopted },
  ]);
  return [...known, ...before(entries.length)];
}

/** Responses whose whole input and output is in the ledger, except for items removed later. */
function settledResponses(ledger: LedgerState | undefined): ReadonlySet<string> {
  // After a read-back without proof only the newest response is recorded, and its input may hold more items.
  const isReadBack = ledger?.entries.some(({ adopted, origin }) => adopted && origin === '') === true;
  return ledger === undefined || isReadBack ? new Set() : ledger.recorded;
}

function readAll(
  { chain, itemIndex, list, ledger, onProgress }: GatherOptions,
  ids: readonly string[],
  from: DiagnosedResponse['from'],
): Promise<ReadResponses> {
  const entries = ledger?.entries.flatMap(({ id, mirrorId }) => [id ?? '', mirrorId ?? '']) ?? [];
  return readResponses(ids, from, {
    chain,
    itemIndex,
    seen: [...list.occurrences.map(({ id }) => id), ...entries],
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
  for (const { output, input } of found) {
    for (const { key } of output) keys.add(key);
    for (const key of input.keys) keys.add(key);
  }
  return keys;
}

function described(
  { found, missing }: ReadResponses,
  status: (response: ReadResponse) => DiagnosedResponseStatus,
): DiagnosedResponse[] {
  const read = found.map((response): DiagnosedResponse => {
    const { id, from, parent = null, time = null } = response;
    return { id, status: status(response), from, parent, time };
  });
  return [...read, ...missing];
}
