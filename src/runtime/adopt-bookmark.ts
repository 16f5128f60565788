import type OpenAI from 'openai';
import type { HistoryReader } from '../history/reader.ts';
import type { ListedItem } from '../conversation/items.ts';
import { matchHistory, mergeLists } from '../history/match-history.ts';
import { pollUntil } from '../util/poll.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../items/digest.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ledgerItem, type LedgerItem, type LedgerStep } from '../ledger/record.ts';
import { conversationMetadata } from '../conversation/metadata.ts';
import { isUrlSegment } from '../util/url-segment.ts';
import { toUnavailableError } from '../conversation/api-error.ts';
import { bookmarkProof, type Bookmark, readBookmark } from '../conversation/bookmark.ts';
import type { ListCheck } from '../mirror/list-check.ts';

/** The API may show a new bookmark late. The pauses are in milliseconds. */
const BOOKMARK_READS = { first: 100, attempts: 5 };

const MAX_EARLIER_CHAINS = 30;

/** The list alone proves the history then; these responses only check the next request's parent. */
const MAX_CHECKED_RESPONSES = 4;

export interface AdoptBookmarkOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  readonly check: ListCheck;
  readonly keepContent: boolean;
  /** Called with a short reason if the bookmark proves nothing. */
  readonly onIgnored: (reason: string) => void;
}

/** A history that a bookmark proves. */
interface Proven {
  readonly bookmark: Bookmark;
  readonly items: readonly ListedItem[];
  readonly list: readonly ListedItem[];
  /** The context of each response that was read, by response ID, oldest response first. */
  readonly contexts: ReadonlyMap<string, readonly ListedItem[]>;
}

/**
 * Rebuilds the ledger of a conversation from its list and the responses that its bookmark names, if the bookmark proves the
 * result. Any client that can write metadata can write a bookmark, so unproven responses are ignored.
 */
export async function adoptBookmark(options: AdoptBookmarkOptions): Promise<void> {
  const { client, conversationId, ledger, check, onIgnored } = options;
  const metadata = await conversationMetadata(client, conversationId).catch((error: unknown) => {
    throw toUnavailableError(error) ?? error;
  });
  const bookmarkId = metadata?.bookmark;
  if (bookmarkId === undefined) return;
  const search: BookmarkSearch = { best: undefined, reason: 'the bookmark is damaged', text: '' };
  const result = await pollUntil(
    () => readOnce(options, bookmarkId, search),
    (read) => read !== 'unproven',
    BOOKMARK_READS,
  );
  if (result === 'empty') return;
  const { best, reason } = search;
  if (best === undefined) {
    onIgnored(reason);
    return;
  }
  const steps = stepsOf(best, options);
  await ledger.append((state) => (state.version === 0 ? steps : []));
  await check.applyList(best.list, undefined);
}

/** Progress over several reads. */
interface BookmarkSearch {
  best: Proven | undefined;
  /** The reason that `onIgnored` gets if nothing is proven. */
  reason: string;
  /** The last bookmark, to skip it if the next read returns it again. */
  text: string;
}

/** @returns `final` if no later read can prove more, `empty` for a conversation without bookmark and items. */
async function readOnce(
  options: AdoptBookmarkOptions,
  bookmarkId: string,
  search: BookmarkSearch,
): Promise<'unproven' | 'final' | 'empty'> {
  const { client, conversationId, reader } = options;
  const found = isUrlSegment(bookmarkId) ? await readBookmark(client, bookmarkId, conversationId) : undefined;
  if (found === undefined) {
    search.reason = 'the bookmark is of another conversation';
    return 'final';
  }
  const { bookmark } = found;
  if (bookmark === undefined && (await reader.list()).length === 0) return 'empty';
  const text = JSON.stringify(bookmark ?? '');
  const isNew = text !== search.text;
  search.text = text;
  if (bookmark === undefined || !isNew) return 'unproven';
  const proven = await prove(options, bookmark);
  search.reason = 'the history does not have the digest of the bookmark';
  search.best = proven ?? search.best;
  if (proven === undefined) return 'unproven';
  // The list shows nothing newer: this is the newest bookmark.
  const ids = new Set(proven.items.map(({ id }) => id));
  return proven.list.every(({ id }) => ids.has(id)) ? 'final' : 'unproven';
}

/** Rebuilds the history from the list and the newest response; if they are not enough, from earlier responses too. */
async function prove({ reader }: AdoptBookmarkOptions, bookmark: Bookmark): Promise<Proven | undefined> {
  const { response, earlier, conversation, proof } = bookmark;
  const isProven = (digest: string): boolean => bookmarkProof(conversation, digest) === proof;
  const list = await reader.list();
  const alone = matchHistory(isProven, list, []);
  const read = new Map<string, readonly ListedItem[]>();
  const found = (items: readonly ListedItem[]): Proven => ({
    bookmark,
    items,
    list,
    contexts: new Map([...read].toReversed()),
  });
  let context: readonly ListedItem[] = [];
  if (response !== undefined) {
    const whole = reader.context(response.id, alone === undefined ? undefined : MAX_CHECKED_RESPONSES);
    // A history that is proven without it only costs the next request its parent.
    context = await (alone === undefined ? whole : whole.catch(() => []));
    // A part of a context proves nothing about its beginning.
    if (alone === undefined || hasSameBeginning(alone, context)) read.set(response.id, context);
  }
  if (alone !== undefined) return found(alone);
  const first = matchHistory(isProven, list, context);
  if (first !== undefined) return found(first);
  for (const id of earlier.slice(0, MAX_EARLIER_CHAINS)) {
    read.set(id, await reader.context(id));
    context = mergeLists(read.get(id) ?? [], context);
    const items = matchHistory(isProven, list, context);
    if (items !== undefined) return found(items);
  }
  return undefined;
}

function stepsOf(proven: Proven, { keepContent }: AdoptBookmarkOptions): LedgerStep[] {
  const { items, list, bookmark, contexts } = proven;
  const listed = new Set(list.map(({ id }) => id));
  const stored = items.map(({ item }) => ledgerItem(item, keepContent));
  const added = items.map(({ id }, seq) => ({ seq, id, ...(listed.has(id) ? {} : { assumed: true }) }));
  const responses = [...contexts].flatMap(([id, context]) => responseSteps(proven, id, context));
  const { response } = bookmark;
  const refused: LedgerStep[] = response?.refused === true ? [{ type: 'refused', id: response.id }] : [];
  return [
    ...itemsSteps(stored, bookmark.unproven ?? []),
    { type: 'mirror', added, removed: [] },
    ...responses,
    ...refused,
  ];
}

/**
 * Appends the items in records of proven and of unproven ones.
 *
 * @param runs the indexes at which unproven items begin and end, in turn. Untrusted: any numbers lead to each item once.
 */
function itemsSteps(items: readonly LedgerItem[], runs: readonly number[]): LedgerStep[] {
  // The place of a compaction in its record tells what it stands for.
  const isOne = items.some(({ kind }) => kind === 'compaction');
  const steps: { type: 'items'; items: LedgerItem[]; unproven?: true }[] = [];
  items.forEach((item, index) => {
    const isUnproven = isOne ? runs.length > 0 : runs.filter((at) => at <= index).length % 2 === 1;
    const last = steps.at(-1);
    if (last !== undefined && (last.unproven === true) === isUnproven) last.items.push(item);
    else steps.push({ type: 'items', items: [item], ...(isUnproven ? { unproven: true } : {}) });
  });
  return steps;
}

/**
 * Adopts a response if its whole context is part of the history, or if it is the source of an item that the list lacks: its other
 * items were taken back. A forged bookmark could name a response of another session. A request continues from the response only if
 * the digests are equal.
 */
function responseSteps(
  { items, list, bookmark: { response } }: Proven,
  id: string,
  context: readonly ListedItem[],
): LedgerStep[] {
  const known = new Set(items.map(({ item }) => itemDigest(item)));
  const isOwn = context.every(({ item }) => {
    const digest = itemDigest(item);
    return digest === null || item.type === 'compaction' || known.has(digest);
  });
  const listed = new Set(list.map(({ id }) => id));
  const own = new Set(context.map((each) => each.id));
  const isSource = items.some((each) => !listed.has(each.id) && own.has(each.id));
  if (context.length === 0 || !(isOwn || isSource)) return [];
  if (id !== response?.id) return [{ type: 'response', id, store: true }];
  const { time, store, model, context: recorded } = response;
  const digest = recorded === undefined ? undefined : digestAt(items, recorded.length);
  const isWhole = digest !== undefined && digestAt(context, context.length) === digest;
  return [
    {
      type: 'response',
      id,
      time,
      store,
      ...(model === undefined ? {} : { model }),
      ...(recorded === undefined || !isWhole ? {} : { context: { ...recorded, digest } }),
    },
  ];
}

function hasSameBeginning([first]: readonly ListedItem[], [other]: readonly ListedItem[]): boolean {
  return first !== undefined && other !== undefined && itemDigest(first.item) === itemDigest(other.item);
}

/** The digest of the first `length` items; undefined if there are fewer. */
function digestAt(items: readonly ListedItem[], length: number): string | undefined {
  if (length > items.length) return undefined;
  return items
    .slice(0, length)
    .reduce((digest: string, { item }) => extendDigest(digest, itemDigest(item)), EMPTY_DIGEST);
}
