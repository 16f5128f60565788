import type OpenAI from 'openai';
import { ConversationOwnedError, ConversationsUnavailableError } from '../errors/session.ts';
import { scopedCache } from '../conversation/content-cache.ts';
import { HistoryReader } from '../history/reader.ts';
import { ItemConverter } from '../items/item-converter.ts';
import { namingSteps } from '../ledger/attached-conversation.ts';
import { clock } from '../util/clock.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerState } from '../ledger/state.ts';
import { storeInstanceId } from '../ledger/commit-id.ts';
import { BookmarkWriter } from '../mirror/bookmark-writer.ts';
import {
  createBookmarkedConversation,
  localSessionId,
  type CreatedConversation,
} from '../conversation/create-conversation.ts';
import { defaultClient } from '../conversation/client.ts';
import { claimConversation, findCheckpoint, type FoundSession } from '../ledger/find-session.ts';
import { parseCheckpoint, type Checkpoint } from '../ledger/record.ts';
import { failureReason } from '../conversation/api-error.ts';
import type { ResolvedOptions } from './options.ts';
import { ListCheck } from '../mirror/list-check.ts';
import { Mirror } from '../mirror/mirror.ts';
import { ProcessLease } from '../mirror/lease.ts';
import { sharedSyncState, type SharedSyncState } from '../mirror/shared-sync-state.ts';
import type { Telemetry } from '../telemetry/span.ts';
import { StockSession } from '../conversation/stock-session.ts';

/** The conversation that mirrors a session, and the objects that write and read it. */
export interface MirroredConversation {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly mirror: Mirror;
  readonly check: ListCheck;
  readonly sync: SharedSyncState;
  readonly stock: StockSession;
  /** Undefined with `bookmark: false`. */
  readonly bookmark: BookmarkWriter | undefined;
}

export interface SessionScope {
  readonly options: ResolvedOptions;
  readonly telemetry: Telemetry;
}

/** The dependencies of a session's operations. */
export interface SessionContext extends SessionScope {
  readonly sessionId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  /** Shared by all objects of the session in this process, across changes of its conversation. */
  readonly shared: SharedSyncState;
  /** Undefined with `mirror: 'off'`, and until the session has a conversation. */
  readonly conversation: MirroredConversation | undefined;
  /** Whether the conversation existed before. Its list may then have items that the ledger lacks. */
  readonly existed: boolean;
  /** False with `mirror: 'off'`, and for a server without conversations: the session never gets a conversation then. */
  readonly isMirrored: boolean;
  /** The checkpoint by which the session was found, if it still is the newest one as far as this process knows. */
  readonly checkpoint?: Checkpoint | undefined;
}

/** The IDs by which a session is found. */
export interface SessionNames {
  readonly sessionId: string | undefined;
  readonly conversationId: string | undefined;
  /** A conversation that this process has just created for the session. */
  readonly created?: CreatedConversation;
}

/**
 * Finds a session by its name or its conversation, and attaches to the conversation that its ledger names.
 *
 * A session without a name gets a conversation at once, because the first conversation's ID is its name.
 *
 * @param isWritten whether the operation writes items. A session without a conversation then gets one.
 * @throws ConversationOwnedError, ConversationNotFoundError, ConversationsUnavailableError, InvalidResponseError,
 * LedgerUnreadableError, or the client's own errors.
 */
export async function openContext(
  scope: SessionScope,
  names: SessionNames,
  isWritten: boolean,
): Promise<SessionContext> {
  const { options, telemetry } = scope;
  const { ledger: store, ledgerRetry: retry } = options;
  const find = (id = ''): Promise<FoundSession> => findCheckpoint(store, id, retry);
  if (options.mirror === 'off') {
    const { sessionId, checkpoint } = await find(names.sessionId);
    return { ...withoutConversation(scope, sessionId), checkpoint };
  }
  const client = options.client ?? (await defaultClient());
  if (names.sessionId === undefined && names.conversationId === undefined) {
    const local = localSessionId();
    const begun = await beginConversation(client, scope, local);
    if (begun === undefined) return withoutConversation(scope, local);
    return withConversation(scope, { client, sessionId: begun.conversationId, existed: false, ...begun });
  }
  const { conversationId: given } = names;
  const found = await find(names.sessionId ?? given);
  // The name may be an alias: the ID of a conversation that another session owns.
  const { sessionId, checkpoint } = found;
  const known = await stateOf(options, found, given);
  if (known.conversation !== undefined) {
    const isOwn = given === undefined || given === known.conversation || known.former.has(given);
    // Another process may replace a conversation that the runtime remembers, or name its own one first: only the app's own
    // conversation can be refused.
    if (!isOwn && given === options.conversationId)
      throw new ConversationOwnedError(given, sessionId, 'the session has another one');
    const { conversation: conversationId } = known;
    const bookmarkId =
      names.created?.conversationId === conversationId ? names.created.bookmarkId : undefined;
    const place = { client, sessionId, conversationId, existed: true, bookmarkId };
    return { ...withConversation(scope, place), checkpoint };
  }
  if (given !== undefined && !known.former.has(given)) {
    await claimConversation(store, given, sessionId, retry);
    return withConversation(scope, { client, sessionId, conversationId: given, existed: true });
  }
  if (!isWritten) return { ...withoutConversation(scope, sessionId), isMirrored: true };
  try {
    const created = await beginConversation(client, scope, sessionId);
    if (created === undefined) return withoutConversation(scope, sessionId);
    await claimConversation(store, created.conversationId, sessionId, retry);
    if (known.version > 0) await nameConversation(options, sessionId, created.conversationId);
    return withConversation(scope, { client, sessionId, existed: false, ...created });
  } catch (error) {
    if (error instanceof ConversationsUnavailableError) throw error;
    // The ledger stores the items now; the next write tries to create a conversation again.
    telemetry.warningsOf(sessionId)({ code: 'mirror_failed', count: 1, reason: failureReason(error) });
    return { ...withoutConversation(scope, sessionId), isMirrored: true };
  }
}

/** The session's conversations: from its checkpoint, if that is enough, else from its records. */
async function stateOf(
  { ledger: store, ledgerRetry: retry }: ResolvedOptions,
  { sessionId, checkpoint: stored }: FoundSession,
  given: string | undefined,
): Promise<Pick<LedgerState, 'version' | 'conversation' | 'former'>> {
  const checkpoint = stored === undefined ? undefined : parseCheckpoint(stored, sessionId);
  const { conversation } = checkpoint ?? {};
  // The checkpoint does not name earlier conversations.
  if (
    checkpoint === undefined ||
    conversation === undefined ||
    (given !== undefined && given !== conversation)
  )
    return new Ledger({ store, sessionId, retry }).readAt();
  return { version: checkpoint.version, conversation, former: new Map() };
}

/** Names the conversation in the ledger at once, so that other processes can find the session by it. */
async function nameConversation(
  { ledger: store, ledgerRetry: retry }: ResolvedOptions,
  sessionId: string,
  conversationId: string,
): Promise<void> {
  const ledger = new Ledger({ store, sessionId, retry });
  await ledger.append((state) => namingSteps(state, conversationId), { scope: 'tail' });
}

function withoutConversation(scope: SessionScope, sessionId: string): SessionContext {
  const { options, telemetry } = scope;
  const client = options.mirror === 'off' ? undefined : options.client;
  const shared = sharedSyncState(options.ledger, sessionId);
  const reader = new HistoryReader({
    client,
    conversationId: undefined,
    converter: new ItemConverter(),
    cache: client === undefined ? options.cache : scopedCache(options.cache, client),
    pinned: shared.pinned,
    owner: options,
  });
  const ledger = openLedger(scope, sessionId, options.mirror === 'off' ? undefined : null);
  return {
    options,
    telemetry,
    sessionId,
    ledger,
    reader,
    shared,
    conversation: undefined,
    existed: false,
    isMirrored: false,
  };
}

interface Place {
  readonly client: OpenAI;
  readonly sessionId: string;
  readonly conversationId: string;
  readonly existed: boolean;
  /** Undefined if the bookmark must be looked up. */
  readonly bookmarkId?: string | undefined;
}

function withConversation(scope: SessionScope, place: Place): SessionContext {
  const { options, telemetry } = scope;
  const { client, sessionId, conversationId, existed, bookmarkId } = place;
  const converter = new ItemConverter();
  const cache = scopedCache(options.cache, client);
  const sync = sharedSyncState(options.ledger, conversationId);
  // A new conversation is empty, so it needs no comparison.
  if (!existed) sync.listComparedAt = clock.now();
  // With `keepContent: false`, pinned content must survive a change of the conversation.
  const shared = sharedSyncState(options.ledger, sessionId);
  const { pinned } = shared;
  const reader = new HistoryReader({ client, conversationId, converter, cache, pinned, owner: options });
  const ledger = openLedger(scope, sessionId, conversationId, sync);
  const warn = telemetry.warningsOf(sessionId);
  const check = new ListCheck({ ledger, reader, keepContent: options.keepContent, sync, warn });
  const lease = new ProcessLease({
    ledger,
    writer: storeInstanceId(options.ledger),
    milliseconds: options.mirrorLease,
  });
  const mirror = new Mirror({
    client,
    conversationId,
    ledger,
    reader,
    converter,
    sync,
    lease,
    isBookmarked: options.bookmark,
    check,
    warn,
  });
  const stock = new StockSession(client, conversationId);
  const bookmark = options.bookmark
    ? new BookmarkWriter({ client, conversationId, bookmarkId, ledger, warn })
    : undefined;
  const conversation = { client, conversationId, mirror, check, sync, stock, bookmark };
  return { options, telemetry, sessionId, ledger, reader, shared, conversation, existed, isMirrored: true };
}

/** @returns undefined if the server has no conversations and `mirror` is `background`. */
async function beginConversation(
  client: OpenAI,
  { options, telemetry }: SessionScope,
  sessionId: string,
): Promise<CreatedConversation | undefined> {
  try {
    return await createBookmarkedConversation(client, options.bookmark);
  } catch (error) {
    if (options.mirror !== 'background' || !(error instanceof ConversationsUnavailableError)) throw error;
    telemetry.warningsOf(sessionId)({ code: 'no_conversations' });
    return undefined;
  }
}

function openLedger(
  { options, telemetry }: SessionScope,
  sessionId: string,
  conversationId: string | null | undefined,
  sync?: SharedSyncState,
): Ledger {
  const warn = telemetry.warningsOf(sessionId);
  return new Ledger({
    store: options.ledger,
    sessionId,
    retry: options.ledgerRetry,
    conversationId,
    isMirrored: options.mirror !== 'off',
    onRewound: (version) => {
      if (sync !== undefined) sync.rewinds += 1;
      const reason = version === 0 ? 'nothing is left' : 'records are missing';
      warn({ code: 'store_rewound', reason });
    },
    onDamaged: (position) => warn({ code: 'ledger_damaged', position }),
    onConflict: (position) => warn({ code: 'conflict', position }),
  });
}
