import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { LedgerConflictError } from '../errors/ledger-conflict-error.ts';
import { LedgerRecordError } from '../errors/ledger-record-error.ts';
import { LedgerUnavailableError } from '../errors/ledger-unavailable-error.ts';
import { MARK_LENGTH } from '../ledger/digest.ts';
import { isObject } from '../ledger/json.ts';
import { parseHead, type LedgerHead } from '../ledger/ledger-record.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { METADATA_KEY } from '../ledger/metadata-key.ts';
import { SerialQueue } from '../ledger/serial-queue.ts';

/** The API's limits: pairs, and characters in a value. */
const MOST_PAIRS = 16;
const LONGEST_VALUE = 512;

/** Where in a value stands what not every head has. */
const REST = 10;

/** What of an `OpenAI` client is used. */
export interface MetadataClient {
  readonly conversations: {
    retrieve(id: string): PromiseLike<{ readonly metadata: unknown }>;
    update(
      id: string,
      body: { metadata: Record<string, string> },
    ): PromiseLike<{ readonly metadata: unknown }>;
  };
}

/** Options of `conversationLedger`. */
export interface ConversationLedgerOptions {
  /** The client of the session. */
  readonly client: MetadataClient;
}

/**
 * A ledger in the conversation's own metadata: no database at all.
 *
 * It keeps the head, in one value of at most 512 characters, whatever the session's length; what lies before is read
 * back from the list and the newest response, and proven by the head's digest. The user's own metadata stays untouched.
 *
 * The API offers no way to change metadata only if it is unchanged. Within one process appends follow each other; of
 * two processes that append in the same instant the later one wins, so use another store where sessions are shared.
 *
 * @throws LedgerUnavailableError when the user's metadata leaves no room.
 */
export function conversationLedger({ client }: ConversationLedgerOptions): LedgerStore {
  const queue = new SerialQueue();

  const metadataOf = async (sessionId: string): Promise<Record<string, string> | undefined> => {
    try {
      const conversation: unknown = await client.conversations.retrieve(sessionId);
      return metadataIn(conversation, sessionId);
    } catch (error) {
      if (isObject(error) && error['status'] === 404) return undefined;
      throw error;
    }
  };
  const headOf = async (sessionId: string): Promise<LedgerHead | undefined> => {
    const value = (await metadataOf(sessionId))?.[METADATA_KEY];
    return value === undefined ? undefined : decodeHead(value, sessionId);
  };

  return {
    head: (sessionId) => queue.run(() => headOf(sessionId)),
    async read(sessionId) {
      const base = await queue.run(() => headOf(sessionId));
      return base === undefined ? { records: [] } : { base, records: [] };
    },
    append: (sessionId, _records, head, expected) =>
      queue.run(async () => {
        const metadata = (await metadataOf(sessionId)) ?? {};
        const value = metadata[METADATA_KEY];
        requireVersion(sessionId, value, expected);
        if (value === undefined && Object.keys(metadata).length >= MOST_PAIRS) {
          throw new LedgerUnavailableError(
            'full',
            `conversation '${sessionId}' has ${MOST_PAIRS} metadata pairs of its own`,
          );
        }
        const next = { ...metadata, [METADATA_KEY]: encodeHead(head) };
        try {
          const updated: unknown = await client.conversations.update(sessionId, { metadata: next });
          if (metadataIn(updated, sessionId)[METADATA_KEY] !== next[METADATA_KEY])
            throw new InvalidResponseError('conversations.update', 'it does not hold what was written');
        } catch (error) {
          // The answer may have got lost: the metadata say whether the update was applied.
          const applied = await metadataOf(sessionId).catch(() => undefined);
          if (applied?.[METADATA_KEY] !== next[METADATA_KEY]) throw error;
        }
      }),
    delete: (sessionId, expected?: number) =>
      queue.run(async () => {
        const metadata = (await metadataOf(sessionId)) ?? {};
        if (expected !== undefined) requireVersion(sessionId, metadata[METADATA_KEY], expected);
        if (metadata[METADATA_KEY] === undefined) return;
        const { [METADATA_KEY]: _head, ...kept } = metadata;
        const updated: unknown = await client.conversations.update(sessionId, { metadata: kept });
        if (metadataIn(updated, sessionId)[METADATA_KEY] !== undefined)
          throw new InvalidResponseError('conversations.update', 'it still holds what was deleted');
      }),
  };
}

/** @throws LedgerConflictError when the metadata's value is a head of another version. */
function requireVersion(sessionId: string, value: string | undefined, expected: number): void {
  const actual = value === undefined ? 0 : decodeHead(value, sessionId).version;
  if (actual !== expected) throw new LedgerConflictError(sessionId, expected, actual);
}

/** A head in a few hundred characters, whatever the session's length. */
function encodeHead(head: LedgerHead): string {
  const { format, version, length, digest, response, move, tip, cleared, leaving = [] } = head;
  const fields: unknown[] = [format, version, length, digest];
  if (response !== undefined) {
    const { id, time, store, context } = response;
    fields.push(id, time, store ? 1 : 0);
    if (context !== undefined) fields.push(context.length, context.digest, context.since ?? null);
  }
  const rest = {
    ...(move === undefined
      ? {}
      : {
          move: [move.from ?? null, Number(move.whole === true), move.to ?? null, Number(move.done === true)],
        }),
    ...(cleared === true ? { cleared } : {}),
    ...(response?.model === undefined ? {} : { model: response.model }),
    ...(response?.refused === true ? { refused: true } : {}),
    // Which calls they are is too long to keep: that there are some is enough to look.
    ...(response?.context?.open === undefined ? {} : { open: true }),
    ...(tip === undefined ? {} : { tip: [tip.nextSeq, tip.commit, tip.pending] }),
  };
  const encoded = (marks: readonly string[]): string => {
    const all = { ...rest, ...(marks.length === 0 ? {} : { leaving: marks.join('') }) };
    if (Object.keys(all).length === 0) return JSON.stringify(fields);
    return JSON.stringify([...fields, ...Array<null>(REST - fields.length).fill(null), all]);
  };
  // As many as there is room for: what leaves first is the first to be of no matter any more.
  const room = Math.floor((LONGEST_VALUE - encoded(['']).length) / MARK_LENGTH);
  const value = encoded(room > 0 ? leaving.slice(-room) : []);
  if (value.length > LONGEST_VALUE)
    throw new LedgerUnavailableError('full', 'the head is too long for a metadata value');
  return value;
}

/** @throws LedgerRecordError when the value is not a head. */
function decodeHead(value: string, sessionId: string): LedgerHead {
  let fields: unknown;
  try {
    fields = JSON.parse(value);
  } catch {
    throw new LedgerRecordError(sessionId, undefined, 'damaged', 'it is not JSON');
  }
  const all: unknown[] = Array.isArray(fields) ? fields : [];
  const [format, version, length, digest, id, time, store, contextLength, contextDigest, since] = all;
  const rest = isObject(all[REST]) ? all[REST] : {};
  const open = rest['open'] === true ? { open: [''] } : {};
  const context =
    (contextDigest ?? undefined) === undefined
      ? {}
      : { context: { length: contextLength, digest: contextDigest, since: since ?? undefined, ...open } };
  const about = { model: rest['model'], refused: rest['refused'] };
  const response =
    (id ?? undefined) === undefined
      ? {}
      : { response: { id, time, store: store === 1, ...about, ...context } };
  const [nextSeq, commit, pending]: unknown[] = Array.isArray(rest['tip']) ? rest['tip'] : [];
  const tip = nextSeq === undefined ? {} : { tip: { nextSeq, commit, pending } };
  const moved = rest['move'] === undefined ? {} : { move: decodeMove(rest['move']) };
  const cleared = rest['cleared'] === true ? { cleared: true } : {};
  const leaving = rest['leaving'] === undefined ? {} : { leaving: decodeMarks(rest['leaving']) };
  return parseHead(
    { format, version, length, digest, ...response, ...moved, ...tip, ...cleared, ...leaving },
    sessionId,
  );
}

function decodeMarks(marks: unknown): unknown {
  return typeof marks === 'string' ? (marks.match(new RegExp(`.{${MARK_LENGTH}}`, 'g')) ?? []) : marks;
}

function decodeMove(fields: unknown): unknown {
  if (!Array.isArray(fields)) return fields;
  const [from, whole, to, done]: unknown[] = fields;
  return {
    from: from ?? undefined,
    to: to ?? undefined,
    ...(whole === 1 ? { whole: true } : {}),
    ...(done === 1 ? { done: true } : {}),
  };
}

/**
 * What is not the conversation says nothing of its metadata: taken for empty, the user's own would be written over.
 *
 * @throws InvalidResponseError
 */
function metadataIn(conversation: unknown, sessionId: string): Record<string, string> {
  const operation = 'conversations.retrieve';
  if (!isObject(conversation) || isObject(conversation['error']) || conversation['id'] !== sessionId)
    throw new InvalidResponseError(operation, `it is not conversation '${sessionId}'`);
  const metadata = conversation['metadata'] ?? {};
  if (!isObject(metadata)) throw new InvalidResponseError(operation, 'its metadata is no object');
  return strings(metadata);
}

function strings(metadata: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
