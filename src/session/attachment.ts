import type OpenAI from 'openai';
import { scopedCache } from '../history/content-cache.ts';
import { HistoryReader } from '../history/history-reader.ts';
import { ItemConverter } from '../history/item-converter.ts';
import { Ledger } from '../ledger/ledger.ts';
import { movedTo } from '../ledger/session-move.ts';
import { whereItIs } from '../ledger/where-it-is.ts';
import { placeOf } from '../ledger/store-place.ts';
import { createConversation } from './create-conversation.ts';
import { defaultClient } from './default-client.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import { ListCheck } from './list-check.ts';
import { Mirror } from './mirror.ts';
import { MirrorLease } from './mirror-lease.ts';
import { mirrorLine } from './mirror-line.ts';
import { readBase } from './read-base.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import { StockSession } from './stock-session.ts';

/** The conversation's side of a session: what exists only with a mirror. */
export interface Remote {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly mirror: Mirror;
  readonly check: ListCheck;
  readonly stock: StockSession;
}

/** Everything a session works with once it knows its ID. */
export interface Attachment {
  readonly sessionId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  /** Undefined with `mirror: 'off'`. */
  readonly remote: Remote | undefined;
  /** Whether the conversation existed before, so that its list may know more than the ledger. */
  readonly existed: boolean;
}

type Emit = (event: HybridSessionEvent) => void;

/**
 * Attaches to the given conversation, or to the one that its history was moved to, or creates one.
 *
 * @throws ConversationNotFoundError, InvalidResponseError, or the client's own errors.
 */
export async function attach(
  options: ResolvedOptions,
  conversationId: string | undefined,
  emit: Emit,
): Promise<Attachment> {
  const converter = new ItemConverter();
  if (options.sessionId !== undefined) {
    const reader = new HistoryReader({
      client: undefined,
      conversationId: undefined,
      converter,
      cache: options.cache,
    });
    const sessionId = await whereItIs(options.ledger, options.sessionId);
    const ledger = openLedger(options, sessionId, reader, emit);
    return { sessionId, ledger, reader, remote: undefined, existed: false };
  }
  const client = options.client ?? (await defaultClient());
  const id = conversationId ?? (await createConversation(client));
  const cache = scopedCache(options.cache, client);
  const line = mirrorLine(options.ledger, id);
  const { pinned } = line;
  const reader = new HistoryReader({ client, conversationId: id, converter, cache, pinned });
  const ledger = openLedger(options, id, reader, emit);
  if (conversationId !== undefined) {
    const to = movedTo((await ledger.tip()).move);
    if (to !== undefined) {
      emit({ type: 'moved', sessionId: id, conversationId: to });
      return attach(options, to, emit);
    }
  }
  const check = new ListCheck(ledger, reader, options.keepContent, line);
  const lease = new MirrorLease({
    ledger,
    writer: placeOf(options.ledger),
    milliseconds: options.mirrorLease,
    now: () => Date.now(),
  });
  const mirror = new Mirror({
    client,
    conversationId: id,
    ledger,
    reader,
    converter,
    line,
    lease,
    now: () => Date.now(),
    look: () => check.read(),
    onFailure: (pending, reason) => emit({ type: 'mirror_failed', sessionId: id, pending, reason }),
    onSkipped: (kind, reason) => emit({ type: 'mirror_skipped', sessionId: id, kind, reason }),
  });
  const stock = new StockSession(client, id);
  const remote = { client, conversationId: id, mirror, check, stock };
  return { sessionId: id, ledger, reader, remote, existed: conversationId !== undefined };
}

function openLedger(options: ResolvedOptions, sessionId: string, reader: HistoryReader, emit: Emit): Ledger {
  return new Ledger({
    store: options.ledger,
    sessionId,
    now: () => Date.now(),
    isMirrored: options.sessionId === undefined,
    readBase: (base) => readBase(base, reader, sessionId, options.onIncomplete),
    onDamaged: (position) => emit({ type: 'ledger_damaged', sessionId, position }),
    onConflict: (version) => emit({ type: 'conflict', sessionId, version }),
  });
}
