import type OpenAI from 'openai';
import { InvalidOptionsError } from '../errors/options.ts';
import { contentCache, scopedCache } from '../conversation/content-cache.ts';
import { ItemConverter } from '../items/item-converter.ts';
import { compareList } from '../history/compare-list.ts';
import { ResponseReader } from '../conversation/response-reader.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../items/digest.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry, LedgerState } from '../ledger/state.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { isUrlSegment } from '../util/url-segment.ts';
import { findSession } from '../ledger/find-session.ts';
import type { Diagnosis } from './diagnosis.ts';
import { gatherEvidence, type GatheredEvidence } from './evidence/gather.ts';
import { ItemIndex, type ItemFacts } from './evidence/item-index.ts';
import { caveatsOf, lostIn, verdictOf, type VerdictInput } from './verdict.ts';
import { contentSources } from './evidence/sources.ts';
import { ListReader, mayLag, type ReadList } from './evidence/list.ts';
import { timelineOf } from './timeline.ts';

/** The progress of a diagnosis. */
export interface DiagnosisProgress {
  readonly stage: 'ledger' | 'list' | 'responses' | 'inputs';
  readonly done: number;
  /** The expected total, if known. */
  readonly total?: number;
}

/** The input of a diagnosis. */
export interface DiagnoseOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  /** The session's ledger. It is only read. */
  readonly ledger?: LedgerStore | undefined;
  /** IDs of responses of the conversation, oldest first if the order is known. */
  readonly responses?: Iterable<string> | undefined;
  /**
   * Whether the timeline holds the items themselves.
   *
   * @default false
   */
  readonly content?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DiagnosisProgress) => void) | undefined;
}

/**
 * Reads a conversation's items, compares them with its list, and finds the sources of lost items.
 *
 * Only reads: it writes neither to the API nor to the ledger.
 *
 * @throws InvalidOptionsError for an invalid conversation ID; ConversationNotFoundError when no source knows the
 * conversation; the errors of the client and of the ledger.
 */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { client, signal, onProgress = () => undefined, content = false } = options;
  if (options.ledger !== undefined) onProgress({ stage: 'ledger', done: 0 });
  const ledger = await ledgerState(options.ledger, options.conversationId);
  const conversationId = ledger?.conversation ?? options.conversationId;
  if (!isUrlSegment(conversationId))
    throw new InvalidOptionsError('conversationId', 'cannot be part of a URL', { subject: 'a diagnosis' });
  const converter = new ItemConverter();
  const itemIndex = new ItemIndex(converter, content);
  const cache = scopedCache(contentCache(), client);
  signal?.throwIfAborted();
  const lists = new ListReader({ client, conversationId, converter, itemIndex, signal, onProgress });
  const chain = new ResponseReader(client, cache, signal);
  const responses = [...(options.responses ?? [])];
  const gather = (read: ReadList): Promise<GatheredEvidence> =>
    gatherEvidence({ conversationId, ledger, list: read, responses, chain, itemIndex, onProgress });
  let list = await lists.read();
  let gathered = await gather(list);
  if (mayLag(gathered.state, list)) {
    const again = await lists.read();
    if (again.items.length !== list.items.length) gathered = await gather(again);
    list = again;
  }
  const { state, evidence } = gathered;
  const found = compareList(state, list.items);
  const findSources = contentSources(gathered.found);
  const keyOf = ({ digest, mirrorId, id }: LedgerEntry): number | undefined =>
    itemIndex.find(digest, mirrorId) ?? itemIndex.find(digest, id);
  const factsOf = (entry: LedgerEntry): ItemFacts | undefined => {
    const key = keyOf(entry);
    return key === undefined ? undefined : itemIndex.facts(key);
  };
  const timeline = timelineOf({
    state,
    list: list.items,
    found,
    foreign: gathered.foreign,
    responseOf: gathered.responseOf,
    sourcesOf: (entry, responseId) => findSources(keyOf(entry), responseId),
    contentOf: content ? (entry) => factsOf(entry)?.item : undefined,
  });
  const entries = new Map(state.entries.map((entry, at) => [timeline.indexes[at], entry]));
  const judged: VerdictInput = {
    evidence,
    timeline: timeline.items,
    findings: timeline.findings,
    responses: gathered.diagnosed,
    callIdOf: ({ index }) => {
      const entry = entries.get(index ?? -1);
      return entry === undefined ? '' : (factsOf(entry)?.callId ?? '');
    },
    unaccounted: gathered.unaccounted.map((at) => timeline.indexes[at] ?? at),
    unproven: gathered.unproven,
    proven: new Set([...gathered.proven].map((at) => timeline.indexes[at] ?? at)),
    isLedgerEmpty: options.ledger !== undefined && ledger === undefined,
    isGone: list.isGone,
  };
  const caveats = caveatsOf(judged);
  const verdict = verdictOf(judged, caveats);
  const foreign = new Map(found.foreign.map(({ id, item }) => [id, itemDigest(item)]));
  const history = timeline.items.filter(({ index }) => index !== null);
  const digests = history.map(
    ({ index, id }) => entries.get(index ?? -1)?.digest ?? foreign.get(id ?? '') ?? null,
  );
  return {
    conversationId,
    askedFor: options.conversationId,
    verdict,
    evidence,
    length: history.length,
    listed: list.isGone ? null : list.items.length,
    lost: lostIn(judged, verdict, caveats),
    digest: digests.reduce((context: string, digest) => extendDigest(context, digest), EMPTY_DIGEST),
    timeline: timeline.items,
    findings: timeline.findings,
    responses: gathered.diagnosed,
    caveats,
  };
}

/** The state of the session that owns or owned the conversation; undefined when the ledger does not know it. */
async function ledgerState(store: LedgerStore | undefined, id: string): Promise<LedgerState | undefined> {
  if (store === undefined) return undefined;
  const state = await new Ledger({ store, sessionId: await findSession(store, id) }).read();
  return state.version === 0 ? undefined : state;
}
