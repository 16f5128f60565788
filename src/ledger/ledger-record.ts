import type { AgentInputItem } from '@openai/agents';
import { z } from 'zod';
import { LedgerRecordError } from '../errors/ledger-record-error.ts';
import { isObject } from './json.ts';
import { parseSoon } from './parse-soon.ts';

/** The version of the record and head format. */
export const LEDGER_FORMAT = 1;

/**
 * The version of what is said of a move to another conversation, and of a head that knows of one: a reader that is older
 * has to stop there, and not to go on in the conversation that was left.
 */
export const MOVE_FORMAT = 2;

const stamp = {
  /** Names the append this record belongs to, so that an append whose answer got lost can be recognised. */
  commit: z.string(),
  /** Milliseconds since the epoch. */
  time: z.number(),
};

const common = { v: z.literal(LEDGER_FORMAT), ...stamp };

const moving = { v: z.literal(MOVE_FORMAT), ...stamp };

const position = z.number().int().nonnegative();

const ledgerItem = z.object({
  digest: z.string().nullable(),
  kind: z.string(),
  /** The ID the item came with: the model's, or the list's. */
  id: z.string().optional(),
  /** The item itself; absent when the ledger keeps no content. */
  item: z.custom<AgentInputItem>(isObject).optional(),
  /** The ID it already has in the conversation, when it was adopted from there. */
  mirrorId: z.string().optional(),
  /** The ID under which the API stores it, by which the conversation is asked to link it instead of taking a copy. */
  link: z.string().optional(),
});

const operation = z.object({ id: z.string(), digest: z.string() });

const mirrored = z.object({ seq: position, id: z.string() });

/**
 * What a response ends: how many items, their digest and their bytes as JSON; and when the oldest response was made that it
 * goes back to, unless that is itself.
 */
const context = z.object({
  length: position,
  digest: z.string(),
  bytes: position.optional(),
  since: z.number().optional(),
  /** The IDs of the calls it ends with that the client has to answer. */
  open: z.array(z.string()).readonly().optional(),
});

const recordSchema = z.discriminatedUnion('type', [
  z.object({
    ...common,
    type: z.literal('items'),
    items: z.array(ledgerItem),
    operation: operation.optional(),
    /** The list these items were adopted from, of which the ledger knew nothing: what it lacked before is unknown. */
    unproven: z.boolean().optional(),
  }),
  z.object({
    ...common,
    type: z.literal('replace'),
    /** How many items from the beginning stay. */
    keep: position,
    /** What follows: items that were there already, by their sequence number, and new ones. */
    items: z.array(z.union([z.object({ seq: position }), ledgerItem])),
    operation: operation.optional(),
  }),
  z.object({ ...common, type: z.literal('pop') }),
  z.object({ ...common, type: z.literal('clear') }),
  z.object({
    ...common,
    type: z.literal('mirror'),
    added: z.array(mirrored),
    /** IDs that are no longer in the conversation. */
    removed: z.array(z.string()),
    /** IDs in the conversation that belong to no item, or to one at another place: they have to leave again. */
    surplus: z.array(z.string()).optional(),
    /** Items that are written although an earlier try may have been applied and only not be shown yet. */
    again: z.array(position).optional(),
    /** The conversation lacks this item and holds what follows it: all of that is written again behind it. */
    behind: position.optional(),
    /** IDs under which an earlier try turned out to have been applied: they have to leave again. */
    strays: z.array(mirrored).optional(),
    /** The list was looked through: what left the history unwritten is not in the conversation. */
    settled: z.boolean().optional(),
    /** Nothing is left to write: another writer may take the lease. */
    released: z.boolean().optional(),
    /** Items that the API has no form for, with the reason: they live in the ledger alone. */
    skipped: z.array(z.object({ seq: position, reason: z.string() })).optional(),
    /** Items that the API does not link: they are written by their content. */
    unlinked: z.array(position).optional(),
  }),
  z.object({
    ...common,
    type: z.literal('response'),
    id: z.string(),
    parent: z.string().optional(),
    model: z.string().optional(),
    store: z.boolean(),
    /** Length and digest of the context it ends, where the model boundary saw that context. */
    context: context.optional(),
    /**
     * What its model was shown, each where it was looked at: how many items the list lacked then, and whether the history
     * was served whole.
     */
    seen: z.object({ lost: position.optional(), whole: z.boolean().optional() }).optional(),
    /** The digest of the whole history at that moment, where it is not that of what stands before. */
    history: z.string().optional(),
  }),
  /** One writer at a time writes to the conversation, until then (milliseconds since the epoch). */
  z.object({ ...common, type: z.literal('lease'), writer: z.string(), until: z.number() }),
  /** The record at this position was the last one when it was found damaged: it is passed over. */
  z.object({ ...common, type: z.literal('repair'), position }),
  /** The server refused to continue from this response: it is not offered again. */
  z.object({ ...common, type: z.literal('refused'), id: z.string() }),
  /** The history is being written to that conversation. */
  z.object({ ...moving, type: z.literal('heal'), to: z.string() }),
  /** The history was copied from that session; once it is whole, the other one may move here. */
  z.object({ ...moving, type: z.literal('origin'), from: z.string(), whole: z.boolean().optional() }),
  /** The session goes on in that conversation: nothing is appended here any more. */
  z.object({ ...moving, type: z.literal('moved'), to: z.string() }),
]);

/**
 * What it takes to go on from a head without reading what lies before it: the sequence number of the next item, the name of
 * the newest append, and at most how many changes the conversation lacks. Absent where more than that has to be known.
 */
const tip = z.object({ nextSeq: position, commit: z.string(), pending: position });

const headSchema = z.object({
  format: z.union([z.literal(LEDGER_FORMAT), z.literal(MOVE_FORMAT)]),
  version: position,
  length: position,
  digest: z.string(),
  response: z
    .object({
      id: z.string(),
      time: z.number(),
      store: z.boolean(),
      model: z.string().optional(),
      /** The server would not continue from it. */
      refused: z.boolean().optional(),
      context: context.optional(),
    })
    .optional(),
  tip: tip.optional(),
  /** The session was cleared, and its conversation may still exist. */
  cleared: z.boolean().optional(),
  /** Marks of the IDs or digests of what the conversation may hold and the history does not; of very many the last ones. */
  leaving: z.array(z.string()).readonly().optional(),
  /** Where the session came from and where it goes: see `SessionMove`. */
  move: z
    .object({
      from: z.string().optional(),
      whole: z.boolean().optional(),
      to: z.string().optional(),
      done: z.boolean().optional(),
    })
    .optional(),
});

/** One step in the life of a session. Records are only ever appended. */
export type LedgerRecord = z.infer<typeof recordSchema>;
/** One item as a record holds it. */
export type LedgerItem = z.infer<typeof ledgerItem>;
/** What a record says, without what is the same for all. */
export type LedgerEntryOf<T extends LedgerRecord['type']> = Omit<
  Extract<LedgerRecord, { type: T }>,
  'v' | 'commit' | 'time'
>;
/** A step before it becomes a record; with a time of its own where it happened before. */
export type LedgerStep = {
  [T in LedgerRecord['type']]: LedgerEntryOf<T> & { readonly time?: number };
}[LedgerRecord['type']];

/**
 * What a session is at one moment, of a size that does not grow with it.
 *
 * `version` counts records, `length` items; `digest` covers the items; `response` is the newest one recorded.
 */
export type LedgerHead = z.infer<typeof headSchema>;

/** The record of a step. */
export function recordOf(
  step: LedgerStep,
  { commit, time }: Pick<LedgerRecord, 'commit' | 'time'>,
): LedgerRecord {
  switch (step.type) {
    case 'heal':
    case 'origin':
    case 'moved':
      return { v: MOVE_FORMAT, commit, time, ...step };
    default:
      return { v: LEDGER_FORMAT, commit, time, ...step };
  }
}

/** @throws LedgerRecordError naming the session and the position. */
export function parseRecord(value: unknown, sessionId: string, at: number): LedgerRecord {
  const parsed = parseSoon(recordSchema, value);
  if (parsed.success) return parsed.data;
  throw unreadable(value, 'v', sessionId, at, parsed.error);
}

/** @throws LedgerRecordError naming the session. */
export function parseHead(value: unknown, sessionId: string): LedgerHead {
  const parsed = parseSoon(headSchema, value);
  if (parsed.success) return parsed.data;
  throw unreadable(value, 'format', sessionId, undefined, parsed.error);
}

function unreadable(
  value: unknown,
  versionKey: string,
  sessionId: string,
  at: number | undefined,
  error: z.ZodError,
): LedgerRecordError {
  const version = isObject(value) ? value[versionKey] : undefined;
  if (typeof version === 'number' && version > MOVE_FORMAT) {
    const problem = `it has format ${version}, this version reads up to ${MOVE_FORMAT}; update agents-hybrid-session`;
    return new LedgerRecordError(sessionId, at, 'newer-format', problem);
  }
  const [issue] = error.issues;
  const problem = `it is damaged at '${issue?.path.join('.') ?? ''}' (${issue?.code ?? 'unknown'})`;
  return new LedgerRecordError(sessionId, at, 'damaged', problem);
}
