import { z } from 'zod';
import { sha256 } from '../items/digest.ts';
import { conversationMetadata, MAX_METADATA_PAIRS, readMetadata } from './metadata.ts';
import { parse } from '../util/parse.ts';
import { position } from '../ledger/drafts/item-fields.ts';
import { context } from '../ledger/record.ts';
import { digestOf, type LedgerState, type RecordedResponse } from '../ledger/state.ts';
import type OpenAI from 'openai';
import { isUrlSegment } from '../util/url-segment.ts';

/** The limit of the API for a value of metadata, in characters. */
const MAX_VALUE_LENGTH = 512;

const BOOKMARK_FORMAT = 1;

/** The keys of the metadata: the history, its newest response, and, numbered, the responses of earlier chains. */
const HISTORY = 'history';
const RESPONSE = 'response';
const EARLIER = 'earlier';

const historySchema = z.object({
  format: z.literal(BOOKMARK_FORMAT),
  conversation: z.string(),
  length: position,
  /** The digest of the history, hashed with the conversation's ID: a copy proves nothing in another conversation. */
  proof: z.string(),
  /** The unproven items: the index of the first one of each run, and the one behind the last one, in turn. */
  unproven: z.array(position).optional(),
});

const responseSchema = z.object({
  id: z.string(),
  time: z.number(),
  store: z.boolean(),
  model: z.string().optional(),
  refused: z.boolean().optional(),
  /** The context that it ends, without its digest: the history has the digest at that length. */
  context: context.omit({ digest: true }).optional(),
});

/** The data that rebuild a lost ledger: the newest response, and a proof of the history. */
export interface Bookmark extends z.infer<typeof historySchema> {
  readonly response: z.infer<typeof responseSchema> | undefined;
  /** The last responses of earlier chains, newest first. */
  readonly earlier: readonly string[];
}

/** The proof of a history of this digest in this conversation. */
export function bookmarkProof(conversation: string, digest: string): string {
  return sha256(`${conversation}.${digest}`);
}

/** The metadata that hold the bookmark of a state of any length. Pure. */
export function encodeBookmark(state: LedgerState, conversation: string): Record<string, string> {
  const { length } = state.entries;
  const proof = bookmarkProof(conversation, digestOf(state));
  const newest = state.responses.at(-1);
  const history = encodeHistory(
    { format: BOOKMARK_FORMAT, conversation, length, proof },
    unprovenRuns(state),
  );
  const response = newest === undefined ? undefined : encodeResponse(state, newest);
  const pairs: Record<string, string> = { [HISTORY]: history };
  if (response !== undefined) pairs[RESPONSE] = response;
  let value = '';
  let number = 0;
  for (const id of earlierResponses(state)) {
    const longer = value === '' ? id : `${value},${id}`;
    if (longer.length <= MAX_VALUE_LENGTH) {
      value = longer;
    } else {
      pairs[`${EARLIER}_${(number += 1)}`] = value;
      value = id;
    }
    if (Object.keys(pairs).length === MAX_METADATA_PAIRS - 1) break;
  }
  if (value !== '') pairs[`${EARLIER}_${number + 1}`] = value;
  return pairs;
}

/** @returns undefined for metadata without a readable bookmark. */
function decodeBookmark(metadata: Readonly<Record<string, string>>): Bookmark | undefined {
  const history = parse(historySchema, parsed(metadata[HISTORY]));
  if (!history.success) return undefined;
  const given = metadata[RESPONSE];
  const response = given === undefined ? undefined : parse(responseSchema, parsed(given));
  if (response !== undefined && !response.success) return undefined;
  const earlier = Object.entries(metadata)
    .filter(([key]) => key.startsWith(EARLIER))
    .flatMap(([, value]) => value.split(','));
  return { ...history.data, response: response?.data, earlier };
}

/** Without room for all runs, everything from the first unproven item to the last one counts as unproven. */
function encodeHistory(facts: z.infer<typeof historySchema>, runs: readonly number[]): string {
  const [first = 0, last = 0] = [runs[0], runs.at(-1)];
  if (first === last) return JSON.stringify(facts);
  const whole = JSON.stringify({ ...facts, unproven: runs });
  return whole.length <= MAX_VALUE_LENGTH ? whole : JSON.stringify({ ...facts, unproven: [first, last] });
}

/** A later process cannot prove more than this one. */
function unprovenRuns({ entries, rewound }: LedgerState): number[] {
  const runs: number[] = [];
  for (let index = 0; index <= entries.length; index += 1) {
    const entry = entries[index];
    const isUnproven = entry !== undefined && (rewound || entry.adopted);
    if (isUnproven !== (runs.length % 2 === 1)) runs.push(index);
  }
  return runs;
}

function encodeResponse(state: LedgerState, newest: RecordedResponse): string | undefined {
  const { id, time, store, model, context: known } = newest;
  const refused = state.refused.has(id) ? { refused: true } : {};
  // The IDs of the open calls may exceed a value; one placeholder is enough.
  const open = known?.open === undefined ? {} : { open: [''] };
  const { digest: _digest, ...rest } = known ?? { digest: '' };
  const facts = { id, time, store, ...refused };
  const whole = { ...facts, model, ...(known === undefined ? {} : { context: { ...rest, ...open } }) };
  return [whole, { ...whole, model: undefined }, facts]
    .map((fields) => JSON.stringify(fields))
    .find((value) => value.length <= MAX_VALUE_LENGTH);
}

/** The newest response of each chain but the newest one, newest first. */
function earlierResponses({ responses }: LedgerState): string[] {
  const continued = new Set<string>();
  const earlier: string[] = [];
  for (const [index, { id, parent, store }] of responses.toReversed().entries()) {
    // A response that is not stored does not lead to its parent.
    if (parent !== undefined && store) continued.add(parent);
    if (index > 0 && store && !continued.has(id) && id.length <= MAX_VALUE_LENGTH && !id.includes(','))
      earlier.push(id);
  }
  return earlier;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A bookmark, and the conversation that holds it. */
export interface FoundBookmark {
  readonly bookmarkId: string;
  readonly bookmark: Bookmark | undefined;
}

/**
 * The conversation that holds the bookmark of a conversation.
 *
 * Metadata can hold the ID of any conversation: one without this bookmark is neither written nor deleted.
 *
 * @returns undefined if there is none.
 */
export async function findBookmarkId(client: OpenAI, conversationId: string): Promise<string | undefined> {
  const bookmarkId = (await conversationMetadata(client, conversationId))?.bookmark;
  const found =
    bookmarkId !== undefined && isUrlSegment(bookmarkId)
      ? await readBookmark(client, bookmarkId, conversationId)
      : undefined;
  return found?.bookmark === undefined ? undefined : bookmarkId;
}

/** Reads a bookmark; undefined if it belongs to another conversation. */
export async function readBookmark(
  client: OpenAI,
  bookmarkId: string,
  conversationId: string,
): Promise<FoundBookmark | undefined> {
  const bookmark = decodeBookmark((await readMetadata(client, bookmarkId)) ?? {});
  return bookmark === undefined || bookmark.conversation === conversationId
    ? { bookmarkId, bookmark }
    : undefined;
}
