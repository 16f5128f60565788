import type OpenAI from 'openai';
import { contentCache, scopedCache } from '../history/content-cache.ts';
import { HistoryReader } from '../history/history-reader.ts';
import { ItemConverter } from '../history/item-converter.ts';
import { reconcile } from '../history/reconcile.ts';
import { ResponseChain } from '../history/response-chain.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../ledger/digest.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { readBase } from '../session/read-base.ts';
import type { Diagnosis } from './diagnosis.ts';
import { gatherEvidence, type Gathered } from './gather-evidence.ts';
import { ItemBook, type ItemFacts } from './item-book.ts';
import { limitsOf, verdictOf, type Evidence } from './judge.ts';
import { knownPlaces } from './known-places.ts';
import { ListReader, mayLag, type ReadList } from './list-reader.ts';
import { timelineOf } from './timeline.ts';

/** How far a diagnosis has come. */
export interface DiagnosisProgress {
  readonly stage: 'ledger' | 'list' | 'responses' | 'inputs';
  readonly done: number;
  /** How many there will be, as far as is known. */
  readonly total?: number;
}

/** What a diagnosis works with. */
export interface DiagnoseOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  /** The session's ledger. It is only read. */
  readonly ledger?: LedgerStore | undefined;
  /** IDs of responses of the conversation, in the order in which they were made, as far as that is known. */
  readonly responses?: Iterable<string> | undefined;
  /** Whether the timeline holds the items themselves. Default false. */
  readonly content?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DiagnosisProgress) => void) | undefined;
}

/**
 * Finds out what belongs to a conversation, what its list shows, and what can be restored from where.
 *
 * Only reads: it writes neither to the API nor to the ledger.
 *
 * @throws ConversationNotFoundError when nobody knows the conversation; the errors of the client and of the ledger.
 */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { client, conversationId, signal, onProgress = () => undefined, content = false } = options;
  const converter = new ItemConverter();
  const book = new ItemBook(converter, content);
  const cache = scopedCache(contentCache(), client);
  const reader = new HistoryReader({ client, conversationId, converter, cache, signal });
  if (options.ledger !== undefined) onProgress({ stage: 'ledger', done: 0 });
  const ledger = await ledgerState(options.ledger, conversationId, reader);
  signal?.throwIfAborted();
  const lists = new ListReader({ client, conversationId, converter, book, signal, onProgress });
  const chain = new ResponseChain(client, cache, signal);
  const responses = [...(options.responses ?? [])];
  const gather = (read: ReadList): Promise<Gathered> =>
    gatherEvidence({ conversationId, ledger, list: read, responses, chain, book, onProgress });
  let list = await lists.read();
  let evidence = await gather(list);
  if (mayLag(evidence.state, list)) {
    const again = await lists.read();
    if (again.items.length !== list.items.length) evidence = await gather(again);
    list = again;
  }
  const { state, proof } = evidence;
  const found = reconcile(state, list.items);
  const findPlaces = knownPlaces(evidence.found);
  const keyOf = ({ digest, mirrorId, id }: LedgerEntry): number | undefined =>
    book.find(digest, mirrorId) ?? book.find(digest, id);
  const factsOf = (entry: LedgerEntry): ItemFacts | undefined => {
    const key = keyOf(entry);
    return key === undefined ? undefined : book.facts(key);
  };
  const timeline = timelineOf({
    state,
    list: list.items,
    found,
    responseOf: evidence.responseOf,
    placesOf: (entry, responseId) => findPlaces(keyOf(entry), responseId),
    contentOf: content ? (entry) => factsOf(entry)?.item : undefined,
  });
  const entries = new Map(state.entries.map((entry, at) => [timeline.indexes[at], entry]));
  const judged: Evidence = {
    proof,
    timeline: timeline.items,
    findings: timeline.findings,
    responses: evidence.diagnosed,
    callIdOf: ({ index }) => {
      const entry = entries.get(index ?? -1);
      return entry === undefined ? '' : (factsOf(entry)?.callId ?? '');
    },
    unaccounted: evidence.unaccounted.map((at) => timeline.indexes[at] ?? at),
    unproven: evidence.unproven,
    isLedgerEmpty: options.ledger !== undefined && ledger === undefined,
    isGone: list.isGone,
  };
  const limits = limitsOf(judged);
  const foreign = new Map(found.foreign.map(({ id, item }) => [id, itemDigest(item)]));
  const history = timeline.items.filter(({ index }) => index !== null);
  const digests = history.map(
    ({ index, id }) => entries.get(index ?? -1)?.digest ?? foreign.get(id ?? '') ?? null,
  );
  return {
    conversationId,
    verdict: verdictOf(judged, limits),
    proof,
    length: history.length,
    listed: list.isGone ? null : list.items.length,
    digest: digests.reduce((context: string, digest) => extendDigest(context, digest), EMPTY_DIGEST),
    timeline: timeline.items,
    findings: timeline.findings,
    responses: evidence.diagnosed,
    limits,
  };
}

/** What the ledger says; undefined when it does not know the conversation. Nothing of the list is taken into it. */
async function ledgerState(
  store: LedgerStore | undefined,
  sessionId: string,
  reader: HistoryReader,
): Promise<LedgerState | undefined> {
  if (store === undefined) return undefined;
  const ledger = new Ledger({
    store,
    sessionId,
    now: () => Date.now(),
    readBase: (base) => readBase(base, reader, sessionId, 'warn'),
  });
  const state = await ledger.state();
  return state.version === 0 ? undefined : state;
}
