import type OpenAI from 'openai';
import { statusOf, failureReason } from '../conversation/api-error.ts';
import { sendRequest } from '../conversation/request.ts';
import { circuitBreakerOf } from '../conversation/circuit-breaker.ts';
import { clock, timeLeft, within } from '../util/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { hasRoomForBookmark, readMetadata, withBookmarkId } from '../conversation/metadata.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import { encodeBookmark, findBookmarkId } from '../conversation/bookmark.ts';
import { createConversation } from '../conversation/create-conversation.ts';
import { deleteConversation } from '../conversation/delete-conversations.ts';
import { MAX_TURN_WAIT_MS } from './mirror.ts';
import type { Warn } from '../telemetry/span.ts';

/** The options of a writer. */
export interface BookmarkWriterOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  /** The conversation that holds the bookmark, if known. */
  readonly bookmarkId: string | undefined;
  readonly ledger: Ledger;
  readonly warn: Warn;
}

/**
 * Keeps the session's bookmark, for processes that know nothing but the conversation's ID.
 *
 * The bookmark is in the metadata of a conversation of its own, which holds no items: the API replaces all metadata at once,
 * so writing it among the user's own pairs could overwrite a change that the user makes at the same time. The user's
 * conversation gets one pair, which holds the ID of the other conversation and never changes.
 */
export class BookmarkWriter {
  readonly #options: BookmarkWriterOptions;
  readonly #queue = new SerialQueue();
  #place: string | undefined;
  #written = '';
  /** The number of unfinished writes, and the time at which the oldest one was requested. */
  #writes = 0;
  #since = 0;

  constructor(options: BookmarkWriterOptions) {
    this.#options = options;
    this.#place = options.bookmarkId;
  }

  /**
   * Writes the bookmark; returns at the latest at the given time, or 10 seconds after the oldest unfinished write was requested.
   *
   * @param until in milliseconds since the epoch.
   */
  async writeWithTimeout(until: number): Promise<void> {
    const written = this.write();
    const end = Math.min(until, this.#since + MAX_TURN_WAIT_MS);
    await within(timeLeft(end, MAX_TURN_WAIT_MS), written, () => undefined);
  }

  /** Writes the bookmark of the newest state, unless it is the last one written. Never throws. */
  async write(): Promise<void> {
    if (this.#writes === 0) this.#since = clock.now();
    this.#writes += 1;
    await this.#write();
    this.#writes -= 1;
    this.#since = clock.now();
  }

  #write(): Promise<void> {
    return this.#queue.run(async () => {
      const { client, conversationId, ledger, warn } = this.#options;
      try {
        const breaker = circuitBreakerOf(client);
        if (!breaker.allowsRequest()) throw breaker.error;
        const state = await ledger.read();
        if (state.conversation !== conversationId) return;
        const bookmark = encodeBookmark(state, conversationId);
        const text = JSON.stringify(bookmark);
        if (text === this.#written) return;
        this.#place ??= await findBookmarkId(client, conversationId);
        if (this.#place === undefined && !(await this.#name())) return;
        const place = this.#place ?? '';
        // The user may have overwritten the ID of the bookmark.
        await Promise.all([this.#update(place, bookmark), this.#name()]);
        this.#written = text;
      } catch (error) {
        // Another client deleted it: the next write creates another one.
        if (statusOf(error) === 404) this.#place = undefined;
        warn({ code: 'bookmark_failed', reason: failureReason(error) });
      }
    });
  }

  /** Resolves when no write is in progress. */
  idle(): Promise<void> {
    return this.#queue.run(async () => undefined);
  }

  /** Deletes the bookmark. @throws the client's errors, and InvalidResponseError. */
  delete(): Promise<void> {
    return this.#queue.run(async () => {
      const { client, conversationId } = this.#options;
      const place = this.#place ?? (await findBookmarkId(client, conversationId));
      if (place !== undefined) await deleteConversation(client, place);
      this.#place = undefined;
      this.#written = '';
    });
  }

  async #update(place: string, metadata: Readonly<Record<string, string>>): Promise<void> {
    const { client } = this.#options;
    await sendRequest(client, 'conversations.update', (how) =>
      client.conversations.update(place, { metadata }, how),
    );
  }

  /** Writes the ID of the bookmark to the conversation. @returns false if the metadata have no room for it. */
  async #name(): Promise<boolean> {
    const { client, conversationId, warn } = this.#options;
    const metadata = (await readMetadata(client, conversationId)) ?? {};
    if (!hasRoomForBookmark(metadata)) {
      warn({ code: 'bookmark_failed', reason: 'the metadata of the conversation are full' });
      return false;
    }
    const place = (this.#place ??= await createConversation(client));
    const named = withBookmarkId(metadata, place);
    if (named !== metadata) await this.#update(conversationId, named);
    return true;
  }
}
